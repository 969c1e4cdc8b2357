//! Faults of cameras and of readers that neither may notice of the other.

mod stage;

use framelane::{Consumer, ConsumerOptions, Mode};
use framelane_camera::hb_vio::Config;
use framelane_standin_ion::Fault;
use rustix::process::{Pid, Signal, kill_process};
use stage::common::{DEADLINE, Role, board, entry, hear, say};
use stage::{assert_shows, beside, next, until};

/// One camera of 50 frames a second with two channels.
fn config(lease_ms: u32) -> Config {
    let channel = |number: u32, lane: &str| {
        format!(
            "[[camera.channel]]\nnumber = {number}\nsize = [64, 48]\nlane = \"{lane}\"\n\
             lease_ms = {lease_ms}\n"
        )
    };
    let sensor = "[camera.sensor]\nwidth = 320\nheight = 240\nfps = 50\n";
    let channels = [channel(0, "main"), channel(1, "small")].concat();
    Config::parse(&format!("[[camera]]\nhost = 0\nsilence_ms = 10000\n{sensor}{channels}")).unwrap()
}

#[test]
fn child_entry() {
    entry(&[("sleeper", sleeper)]);
}

/// Has a frame when it is stopped, and says what became of it when it goes on.
fn sleeper() {
    framelane_hobot::register();
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
    let mut reader = Consumer::open("main", options).unwrap();
    let frame = next(&mut reader);
    say(frame.descriptor().planes[0].share_id);
    hear();
    say(frame.check());
    say(frame.release().unwrap_err().kind().name());
    say(next(&mut reader).check());
    hear();
}

fn signal(role: &Role, signal: Signal) {
    kill_process(Pid::from_raw(role.pid() as i32).unwrap(), signal).unwrap();
}

#[test]
fn a_process_that_is_stopped_with_a_frame_loses_it_and_is_told_when_it_goes_on() {
    let board = board();
    let stats = beside(&config(66), |running| {
        let mut stopped = running.role(&board, "sleeper");
        let id: i32 = stopped.line().parse().unwrap();
        signal(&stopped, Signal::STOP);
        let mut reader = running.reader("main", 1);
        let start = next(&mut reader).descriptor().capture_id;
        until("the camera goes on, also in the buffer that was held", || {
            let frame = next(&mut reader);
            let d = frame.descriptor();
            d.capture_id > start + 30 && d.planes[0].share_id == id
        });
        signal(&stopped, Signal::CONT);
        stopped.say("what of your frame?");
        assert_eq!(stopped.line(), "false", "it is another's by now");
        assert_eq!(stopped.line(), "revoked");
        stopped.line();
        stopped.ends_well();
    });
    let main = &stats.cameras[0].channels[0];
    assert!(main.revoked >= 1 && stats.cameras[0].restarts == 0, "{stats:?}");
    assert_eq!(stats.cameras[0].channels[1].starved, 0, "{stats:?}");
}

#[test]
fn a_moment_without_frames_is_no_fault() {
    let board = board();
    let stats = beside(&config(10_000), |running| {
        let mut reader = running.reader("main", 1);
        let frame = next(&mut reader);
        let (epoch, last) = (frame.epoch(), frame.descriptor().capture_id);
        drop(frame);
        // The last as some functions return it: with the module above the number.
        for code in [-43, -21, -(2 << 16 | 43)] {
            let fault = Fault::of("hbn_vnode_getframe", code).times(20);
            board.place.ion().plan(fault).unwrap();
        }
        until("frames come again", || {
            let frame = next(&mut reader);
            assert_eq!(frame.epoch(), epoch);
            frame.descriptor().capture_id > last + 40
        });
    });
    assert_eq!(stats.cameras[0].restarts, 0);
}

#[test]
fn a_camera_that_fails_is_started_until_it_comes_back_while_its_readers_stay() {
    let board = board();
    let stats = beside(&config(10_000), |running| {
        let mut readers = [running.reader("main", 1), running.reader("small", 1)];
        let frame = next(&mut readers[0]);
        let (epoch, last) = (frame.epoch(), frame.descriptor().capture_id);
        drop(frame);
        board.place.ion().plan(Fault::of("hbn_vflow_start", -36).times(2)).unwrap();
        board.place.ion().plan(Fault::of("hbn_vnode_getframe", -1)).unwrap();
        for (channel, reader) in readers.iter_mut().enumerate() {
            let mut newest = 0;
            until("it is back", || {
                let frame = next(reader);
                let d = frame.descriptor();
                assert!(d.capture_id > newest, "numbers go on");
                newest = d.capture_id;
                assert!(channel == 1 || frame.epoch() == epoch, "and the epoch too");
                newest > last + 40
            });
        }
    });
    assert_eq!(stats.cameras[0].restarts, 3, "one that failed and two that did not start");
}

#[test]
fn addresses_in_descriptors_are_those_of_the_board() {
    let board = board();
    beside(&config(10_000), |running| {
        let frame = next(&mut running.reader("main", 1));
        assert_shows(&frame, 0, 0);
        let d = frame.descriptor();
        let id = d.planes[0].share_id;
        let record = board.place.ion().look(|state| state.buffers[&id].clone()).unwrap();
        assert_eq!(d.planes[0].physical_address, record.phys);
        assert_eq!(d.planes[1].physical_address, record.phys + 64 * 48);
        assert_eq!([d.planes[0].stride_bytes, d.planes[1].stride_bytes], [64, 64]);
    });
}
