//! The hb_vio source on the stand-in's cameras: what readers see, and what each fault costs.

mod stage;

use framelane::{Consumer, ConsumerOptions, ErrorKind, MemoryKind, Mode};
use framelane_camera::hb_vio::{self, CameraStats, Cameras, Config, Places};
use framelane_standin_ion::{Fault, Scene};
use stage::common::{DEADLINE, board, entry, hear, say};
use stage::{Running, assert_shows, next, places, until};
use std::sync::atomic::AtomicBool;

/// Runs the cameras beside a test; what became of them.
fn beside(config: &Config, test: impl FnOnce(&Running<'_>)) -> Vec<CameraStats> {
    stage::beside(config, test).cameras
}

/// Two cameras of 50 frames a second with two channels each.
fn config(more: &str) -> Config {
    let camera = |host: u32| {
        format!(
            "[[camera]]\nhost = {host}\nsilence_ms = 10000\n\
             [camera.sensor]\nwidth = 320\nheight = 240\nfps = 50\n\
             [[camera.channel]]\nnumber = 0\nsize = [160, 120]\nlane = \"main-{host}\"\n{more}\n\
             [[camera.channel]]\nnumber = 1\nsize = [64, 48]\nlane = \"small-{host}\"\n{more}\n\
             crop = [32, 16, 128, 96]\n"
        )
    };
    Config::parse(&format!("{}{}", camera(0), camera(2))).unwrap()
}

const PATIENT: &str = "lease_ms = 10000";

fn channel<'a>(stats: &'a [CameraStats], lane: &str) -> &'a hb_vio::ChannelStats {
    let channels = stats.iter().flat_map(|camera| &camera.channels);
    channels.into_iter().find(|channel| channel.lane == lane).unwrap()
}

#[test]
fn child_entry() {
    entry(&[("holder", holder), ("cameras", cameras)]);
}

/// Holds a frame of the first camera until it is killed.
fn holder() {
    framelane_hobot::register();
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
    let mut reader = Consumer::open("main-0", options).unwrap();
    let frame = next(&mut reader);
    assert_shows(&frame, 0, 0);
    say(frame.descriptor().planes[0].share_id);
    hear();
}

/// Runs the cameras until it is killed.
fn cameras() {
    Cameras::open(&config(PATIENT), &Places::default()).unwrap().run(&|| false).unwrap();
}

#[test]
fn every_lane_shows_its_own_camera_and_all_of_one_camera_count_exposures_alike() {
    let board = board();
    let dark = Scene { brightness: 20, frozen: false };
    board.place.ion().set_scene(2, dark).unwrap();
    let stats = beside(&config(PATIENT), |running| {
        for (id, host) in [(0, 0), (1, 2)] {
            for (number, lane) in [(0, format!("main-{host}")), (1, format!("small-{host}"))] {
                let mut reader = running.reader(&lane, 1);
                for _ in 0..8 {
                    let frame = next(&mut reader);
                    assert_shows(&frame, host, number);
                    let d = frame.descriptor();
                    assert_eq!((d.camera_id, d.memory_kind), (id, MemoryKind::HbMem.number()));
                    assert_eq!(d.brightness_avg, if host == 2 { 20.0 } else { 100.0 });
                    assert_eq!((d.sensor_width, d.sensor_height), (320, 240));
                    let crop = (d.crop_x, d.crop_y, d.crop_width, d.crop_height);
                    let wanted = if number == 0 { (0, 0, 320, 240) } else { (32, 16, 128, 96) };
                    assert_eq!(crop, wanted);
                    assert!(d.planes[1].physical_address > d.planes[0].physical_address);
                    assert_eq!((d.vendor_bytes, d.planes[0].share_id > 0), (160, true));
                    assert!(d.valid_until_ns > d.publish_ns && d.capture_ns <= d.publish_ns);
                }
            }
        }
    });
    board.place.ion().set_scene(2, Scene::default()).unwrap();
    for camera in &stats {
        assert_eq!(camera.restarts, 0);
        for channel in &camera.channels {
            assert_eq!((channel.transport, channel.copied_bytes), ("zero-copy", 0));
            assert!(channel.published > 8 && channel.starved == 0, "{channel:?}");
        }
    }
}

/// One buffer of three always stays with the hardware: whatever readers do, it goes on.
#[test]
fn readers_that_hold_all_they_can_get_starve_themselves_and_nobody_else() {
    let _board = board();
    let stats = beside(&config(PATIENT), |running| {
        let (mut greedy, mut other) = (running.reader("main-0", 3), running.reader("small-0", 1));
        let first = next(&mut greedy);
        let second = next(&mut greedy);
        let start = next(&mut other).descriptor().capture_id;
        until("the other channel goes on", || {
            next(&mut other).descriptor().capture_id > start + 10
        });
        assert!(greedy.try_next().unwrap().is_none(), "no third buffer is lent");
        assert!(first.check() && second.check());
        assert_shows(&first, 0, 0);
        drop(first);
        let third = next(&mut greedy);
        assert!(third.descriptor().capture_id > second.descriptor().capture_id);
        assert_shows(&third, 0, 0);
    });
    let main = channel(&stats, "main-0");
    assert!(main.starved >= 1, "{main:?}");
    assert_eq!((main.most_in_flight, main.revoked), (2, 0));
    assert_eq!(channel(&stats, "small-0").starved, 0);
}

#[test]
fn a_reader_stuck_longer_than_the_lease_loses_its_frame_and_the_camera_none() {
    let _board = board();
    let stats = beside(&config("lease_ms = 66"), |running| {
        let (mut stuck, mut other) = (running.reader("main-0", 1), running.reader("main-0", 1));
        let frame = next(&mut stuck);
        until("it is taken back", || !frame.check());
        let error = frame.release().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Revoked, "{error}");
        let start = next(&mut other).descriptor().capture_id;
        until("the camera goes on", || next(&mut other).descriptor().capture_id > start + 20);
        next(&mut stuck);
    });
    assert!(channel(&stats, "main-0").revoked >= 1);
}

#[test]
fn a_buffer_comes_back_from_a_reader_that_is_killed() {
    let board = board();
    let stats = beside(&config(PATIENT), |running| {
        let mut killed = running.role(&board, "holder");
        let id: i32 = killed.line().parse().unwrap();
        let mut reader = running.reader("main-0", 1);
        killed.kill();
        until("the buffer is filled again", || {
            let frame = next(&mut reader);
            assert_shows(&frame, 0, 0);
            frame.descriptor().planes[0].share_id == id
        });
        // The kernel module, libvpf, and this process's reader.
        assert_eq!(board.counts(id), (3, 0));
    });
    assert_eq!(channel(&stats, "main-0").revoked, 0);
}

#[test]
fn readers_of_a_producer_that_is_killed_go_on_with_the_next() {
    let board = board();
    let lanes = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(false);
    let running = Running { stop: &stop, lanes: lanes.path() };
    let mut first = running.role(&board, "cameras");
    let mut reader = running.reader("main-2", 1);
    let frame = next(&mut reader);
    assert_shows(&frame, 2, 0);
    let epoch = frame.epoch();
    first.kill();
    until("the held frame does not count any more", || !frame.check());
    drop(frame);
    let _second = running.role(&board, "cameras");
    let frame = next(&mut reader);
    assert!(frame.new_epoch() && frame.epoch() != epoch);
    assert_shows(&frame, 2, 0);
}

#[test]
fn frames_are_copied_where_readers_could_not_import_them() {
    let board = board();
    let refuse = || {
        let fault = Fault::of("hb_mem_import_graph_buf", -16_777_214).times(4);
        board.place.ion().plan(fault).unwrap();
    };
    refuse(); // once for each lane
    let stats = beside(&config(""), |running| {
        let mut reader = running.reader("main-0", 1);
        for _ in 0..4 {
            let frame = next(&mut reader);
            assert_shows(&frame, 0, 0);
            let d = frame.descriptor();
            assert_eq!((d.memory_kind, d.vendor_bytes), (MemoryKind::Inline.number(), 0));
        }
        let report = framelane::query("main-0", Some(running.lanes), DEADLINE).unwrap();
        assert_eq!(report.memory_kind, MemoryKind::Inline.number(), "and `info` says so");
        assert!(report.copied_bytes >= 4 * 160 * 120 * 3 / 2);
    });
    let main = channel(&stats, "main-0");
    assert_eq!(main.transport, "copy");
    assert_eq!(main.copied_bytes, main.published * 160 * 120 * 3 / 2);
    let stats = beside(&config("transport = \"zero-copy\""), |running| {
        assert_shows(&next(&mut running.reader("main-0", 1)), 0, 0);
    });
    assert_eq!(channel(&stats, "main-0").transport, "zero-copy", "where it was asked for");
}

#[test]
fn the_same_frames_go_in_place_and_copied_side_by_side() {
    let _board = board();
    let mut config = config(PATIENT);
    config.cameras[0].channels[0].copy_lane = Some("copies".into());
    let stats = beside(&config, |running| {
        let (mut one, mut two) = (running.reader("main-0", 1), running.reader("copies", 1));
        for _ in 0..5 {
            let (first, second) = (next(&mut one), next(&mut two));
            assert_shows(&first, 0, 0);
            assert_shows(&second, 0, 0);
            assert_eq!(second.descriptor().memory_kind, MemoryKind::Inline.number());
        }
    });
    assert!(channel(&stats, "main-0").copied_bytes > 0);
}

#[test]
fn a_camera_that_falls_silent_is_started_again_while_the_other_runs() {
    let board = board();
    let mut config = config(PATIENT);
    config.cameras[0].silence_ms = 300; // the others' is long, as a stall is no fault
    let stats = beside(&config, |running| {
        let (mut dead, mut alive) = (running.reader("main-0", 2), running.reader("main-2", 1));
        let held = next(&mut dead);
        let (epoch, last) = (held.epoch(), held.descriptor().capture_id);
        drop(held);
        let frozen = Scene { frozen: true, ..Scene::default() };
        board.place.ion().set_scene(0, frozen).unwrap();
        let start = next(&mut alive).descriptor().capture_id;
        until("the other goes on", || next(&mut alive).descriptor().capture_id > start + 50);
        board.place.ion().set_scene(0, Scene::default()).unwrap();
        let mut newest = last;
        until("it is back", || {
            let frame = next(&mut dead);
            assert_eq!(frame.epoch(), epoch, "its readers stay attached");
            assert!(frame.descriptor().capture_id > newest, "numbers go on");
            newest = frame.descriptor().capture_id;
            newest > last + 20
        });
    });
    assert!(stats[0].restarts >= 1, "{stats:?}");
    assert_eq!(stats[1].restarts, 0);
}

#[test]
fn a_camera_that_cannot_be_started_at_all_ends_the_run_in_the_vendors_words() {
    let board = board();
    board.place.ion().plan(Fault::of("hbn_vflow_start", -36)).unwrap();
    let lanes = tempfile::tempdir().unwrap();
    let places = places(lanes.path());
    let cameras = Cameras::open(&config(""), &places).unwrap();
    let error = cameras.run(&|| false).unwrap_err();
    assert_eq!(error.to_string(), "hbn_vflow_start: node start (-36)");
}
