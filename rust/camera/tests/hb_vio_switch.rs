//! Two cameras behind switches, on the stand-in: which one readers see, and when.

mod stage;

use framelane::{Frame, Switch, SwitchChoice};
use framelane_camera::hb_vio::{Config, Stats};
use framelane_standin_ion::{Fault, Scene};
use stage::common::{Board, DEADLINE, board, entry};
use stage::{Running, assert_shows, until};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Two cameras with two channels each, behind the switches `main` and `small`.
fn config(fps: u32, switch: &str) -> Config {
    let camera = |host: u32| {
        format!(
            "[[camera]]\nhost = {host}\nsilence_ms = 60000\n\
             [camera.sensor]\nwidth = 320\nheight = 240\nfps = {fps}\n\
             [[camera.channel]]\nnumber = 0\nsize = [160, 120]\nlane = \"main-{host}\"\n\
             switch = \"main\"\nlease_ms = 10000\n\
             [[camera.channel]]\nnumber = 1\nsize = [64, 48]\nlane = \"small-{host}\"\n\
             switch = \"small\"\nlease_ms = 10000\n"
        )
    };
    let switch = format!("[switch]\ndark_ms = 50\nbright_ms = 50\ndead_ms = 10000\n{switch}\n");
    Config::parse(&format!("{}{}{switch}", camera(0), camera(2))).unwrap()
}

fn light(board: &Board, brightness: u32) {
    let scene = Scene { brightness, ..Scene::default() };
    board.place.ion().set_scene(0, scene).unwrap();
}

/// Runs the cameras beside a test, after which the light is as it was.
fn beside(board: &Board, config: &Config, test: impl FnOnce(&Running<'_>)) -> Stats {
    let stats = stage::beside(config, test);
    light(board, Scene::default().brightness);
    stats
}

fn next(reader: &mut Switch) -> Frame {
    reader.next(DEADLINE).unwrap().expect("a frame within the deadline")
}

/// The camera a frame is of, by its lane and by its pixels, which have to agree.
fn host(frame: &Frame) -> u32 {
    let (name, host) = frame.lane_name().rsplit_once('-').unwrap();
    let host = host.parse().unwrap();
    assert_shows(frame, host, if name == "main" { 0 } else { 1 });
    host
}

/// Reads until a frame of that camera comes.
fn until_of(wanted: u32, reader: &mut Switch) -> Frame {
    let mut found = None;
    until(&format!("camera {wanted}"), || {
        let frame = next(reader);
        found = (host(&frame) == wanted).then_some(frame);
        found.is_some()
    });
    found.unwrap()
}

fn select(running: &Running<'_>, switch: &str, choice: &SwitchChoice) {
    framelane::select(switch, choice, Some(running.lanes), DEADLINE).unwrap();
}

#[test]
fn child_entry() {
    entry(&[]);
}

#[test]
fn the_brightness_chooses_the_camera_for_every_switch() {
    let board = board();
    let stats = beside(&board, &config(50, ""), |running| {
        let (mut main, mut small) = (running.switch("main"), running.switch("small"));
        assert_eq!((host(&next(&mut main)), host(&next(&mut small))), (0, 0));
        light(&board, 20);
        assert!(until_of(2, &mut main).switched());
        until_of(2, &mut small);
        light(&board, 55);
        for _ in 0..10 {
            assert_eq!(host(&next(&mut main)), 2, "between the thresholds it stays");
        }
        light(&board, 90);
        until_of(0, &mut main);
        until_of(0, &mut small);
    });
    let names: Vec<&str> = stats.switches.iter().map(|switch| switch.switch.as_str()).collect();
    assert_eq!(names, ["main", "small"]);
    assert!(stats.switches.iter().all(|switch| switch.switched == 2), "{stats:?}");
    let channels = stats.cameras.iter().flat_map(|camera| &camera.channels);
    assert_eq!(channels.map(|channel| channel.copied_bytes).sum::<u64>(), 0);
}

/// Tells readers beside a test to end with it, however it goes.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[test]
fn a_thousand_switches_under_load_show_no_frame_of_the_wrong_camera() {
    let board = board();
    let over = AtomicBool::new(false);
    let stats = beside(&board, &config(120, "policy = \"manual\""), |running| {
        std::thread::scope(|scope| {
            for name in ["main", "small", "small"] {
                let (mut reader, over) = (running.switch(name), &over);
                scope.spawn(move || {
                    while !over.load(Ordering::Acquire) {
                        host(&next(&mut reader));
                    }
                });
            }
            let _ends = Ends(&over);
            let mut reader = running.switch("main");
            assert_eq!(host(&next(&mut reader)), 0);
            for turn in 0..1000 {
                let camera = (turn + 1) % 2;
                select(running, "main", &SwitchChoice::Index(camera));
                let frame = next(&mut reader);
                assert_eq!(host(&frame), 2 * camera, "the very next frame, turn {turn}");
                assert!(frame.switched(), "turn {turn}");
            }
        });
    });
    assert!(stats.cameras.iter().all(|camera| camera.restarts == 0));
}

#[test]
fn a_camera_that_sleeps_shows_nothing_and_is_warm_before_it_becomes_active() {
    let board = board();
    let asleep = config(50, "inactive = \"asleep\"\nwarm_up_frames = 5");
    beside(&board, &asleep, |running| {
        let (mut main, mut sleeping) = (running.switch("main"), running.reader("main-2", 1));
        assert_eq!(host(&next(&mut main)), 0);
        assert!(sleeping.next(Duration::from_millis(200)).unwrap().is_none());
        light(&board, 20);
        let first = until_of(2, &mut main);
        let capture = first.descriptor().capture_id;
        assert!(capture > 3 + 5, "3 of its ring and 5 to warm up are not shown: {capture}");
        drop(first);
        let mut other = running.reader("main-0", 1);
        until("the day camera sleeps", || {
            other.next(Duration::from_millis(200)).unwrap().is_none()
        });
        until_of(2, &mut main);
        light(&board, 90);
        until_of(0, &mut main);
    });
}

#[test]
fn one_camera_dead_of_two_gives_way_to_the_other_until_it_is_back() {
    let board = board();
    for inactive in ["running", "asleep"] {
        let frozen = Scene { frozen: true, ..Scene::default() };
        board.place.ion().set_scene(0, frozen).unwrap();
        let mut config = config(50, &format!("inactive = \"{inactive}\"\nwarm_up_frames = 2"));
        config.switch.as_mut().unwrap().dead_ms = 1000;
        beside(&board, &config, |running| {
            let mut main = running.switch("main");
            // A camera that was frozen counts from its first frame on: lanes tell enough.
            until("the other is active", || next(&mut main).lane_name() == "main-2");
            light(&board, 90);
            until("it is back", || next(&mut main).lane_name() == "main-0");
        });
    }
}

#[test]
fn a_camera_that_cannot_be_started_at_first_is_tried_again_where_there_is_another() {
    let board = board();
    board.place.ion().plan(Fault::of("hbn_vflow_start", -36)).unwrap();
    let stats = beside(&board, &config(50, "policy = \"manual\""), |running| {
        for (lane, host) in [("main-0", 0), ("main-2", 2)] {
            assert_shows(&stage::next(&mut running.reader(lane, 1)), host, 0);
        }
    });
    let restarts: Vec<u64> = stats.cameras.iter().map(|camera| camera.restarts).collect();
    assert_eq!(restarts.iter().sum::<u64>(), 1);
}

#[test]
fn a_choice_holds_for_every_switch_and_against_the_brightness_until_it_is_taken_back() {
    let board = board();
    beside(&board, &config(50, ""), |running| {
        let (mut main, mut small) = (running.switch("main"), running.switch("small"));
        assert_eq!((host(&next(&mut main)), host(&next(&mut small))), (0, 0));
        select(running, "small", &SwitchChoice::Lane("small-2".into()));
        assert_eq!(host(&next(&mut small)), 2);
        until_of(2, &mut main);
        light(&board, 90);
        for _ in 0..20 {
            assert_eq!(host(&next(&mut main)), 2, "bright as it is");
        }
        select(running, "main", &SwitchChoice::Automatic);
        until_of(0, &mut main);
        until_of(0, &mut small);
    });
}
