//! Cameras that go, fall silent, leave pictures out, or are something else than one thought.

use crate::common::*;
use framelane::{ErrorKind, Frame};
use framelane_camera::v4l2::{Buffers, Camera, Config, Mode, list};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

#[test]
fn an_unplugged_camera_comes_back_to_the_same_readers() {
    for mode in [Mode::Export, Mode::Copy] {
        let place = Place::new();
        let stats = beside(config(&place, 0, Buffers::Only(mode)), || {
            let mut consumer = here(&place, 4);
            let held = next(&mut consumer);
            let epoch = held.epoch();
            let mut bytes = vec![0; held.descriptor().planes[0].size_bytes as usize];
            held.copy_to(0, &mut bytes).unwrap();
            control(0, "disconnect", 0);
            let deadline = Instant::now() + DEADLINE;
            let captured = held.descriptor().capture_id;
            loop {
                let frame = next(&mut consumer);
                let new = frame.epoch() != epoch;
                let later = frame.descriptor().capture_id > captured + 60;
                if new || (mode == Mode::Copy && later) {
                    break;
                }
                assert!(Instant::now() < deadline);
            }
            // Slots of the lane outlive the camera; its own buffers can be read, but count no more.
            assert_eq!(held.check(), mode == Mode::Copy);
        });
        assert!(stats.restarts > 0, "{stats:?}");
        assert!(stats.last_error.contains("VIDIOC_DQBUF"), "{stats:?}");
    }
}

#[test]
fn a_silent_camera_is_opened_again() {
    let place = Place::new();
    let mut config = config(&place, 0, Buffers::Auto);
    config.stall = Duration::from_secs(1);
    let stats = beside(config, || {
        let mut consumer = here(&place, 2);
        next(&mut consumer);
        control(0, "percentage_of_dropped_buffers", 100);
        std::thread::sleep(Duration::from_secs(3));
        control(0, "percentage_of_dropped_buffers", 0);
        next(&mut consumer);
        next(&mut consumer);
    });
    assert!(stats.stalls > 0 && stats.restarts > 0, "{stats:?}");
    assert!(stats.last_error.contains("nothing came for 1s"), "{stats:?}");
}

#[test]
fn dropped_buffers_are_counted_and_flagged() {
    let place = Place::new();
    let stats = beside(config(&place, 0, Buffers::Auto), || {
        let mut consumer = here(&place, 2);
        next(&mut consumer);
        control(0, "percentage_of_dropped_buffers", 50);
        let gap = framelane::layout::FrameFlag::DISCONTINUITY;
        let flagged = (0..40).filter(|_| next(&mut consumer).descriptor().flags & gap != 0);
        let flagged = flagged.count();
        control(0, "percentage_of_dropped_buffers", 0);
        assert!(flagged > 0, "a gap is told of");
    });
    assert!(stats.missed > 0, "{stats:?}");
}

#[test]
fn a_held_frame_outlives_a_change_of_format() {
    let place = Place::new();
    let held_bytes;
    let mut consumer;
    let held;
    {
        let mut first = config(&place, 0, Buffers::Only(Mode::Export));
        first.frames = Some(20);
        let mut camera = Camera::open(first).unwrap();
        consumer = here(&place, 4);
        let stop = AtomicBool::new(false);
        held = std::thread::scope(|scope| {
            let asked = || stop.load(Relaxed);
            let running = scope.spawn(move || camera.run(&asked));
            let frame = next(&mut consumer);
            stop.store(true, Relaxed);
            running.join().unwrap().unwrap();
            frame
        });
        held_bytes = plane_now(&held);
    }
    let mut second = config(&place, 0, Buffers::Only(Mode::Export));
    second.size = Some((320, 180));
    beside(second, || {
        let frame = next(&mut consumer);
        assert_eq!((frame.descriptor().width, frame.descriptor().height), (320, 180));
        assert!(frame.new_epoch());
        assert!(!held.check(), "it no longer counts");
        assert_eq!(plane_now(&held), held_bytes, "but it can be read, and is as it was");
    });
}

/// The bytes of a plane, whether they still count or not: by a mapping of one's own.
fn plane_now(frame: &Frame) -> Vec<u8> {
    let fd = frame.plane_fd(0).unwrap();
    let plane = frame.descriptor().planes[0];
    let map = framelane_camera::v4l2::read_buffer(&fd, plane.offset_bytes, plane.size_bytes);
    map.unwrap()
}

#[test]
fn what_a_camera_cannot_do_is_said_at_once() {
    let place = Place::new();
    let kind = |config| Camera::open(config).map(|_| ()).unwrap_err().kind();
    let base = config(&place, 0, Buffers::Auto);
    assert_eq!(kind(Config { device: "/dev/video99".into(), ..base.clone() }), ErrorKind::NotFound);
    assert_eq!(kind(Config { device: "/dev/null".into(), ..base.clone() }), ErrorKind::Unsupported);
    let odd = Config { size: Some((123, 77)), ..base.clone() };
    assert_eq!(kind(odd), ErrorKind::InvalidArgument);
    let text = Camera::open(Config { controls: vec![("no_such".into(), 1)], ..base })
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains("has no control \"no_such\"; it has brightness"), "{text}");
}

#[test]
fn cameras_are_listed_with_what_they_offer() {
    let found = list();
    assert!(found.cameras.len() >= 3, "{found:?}");
    let first = &found.cameras[0];
    assert_eq!((&*first.driver, first.multi_planar), ("vivid", false));
    assert!(found.cameras[1].multi_planar);
    assert!(first.formats.iter().any(|f| f.fourcc == "NV12" && f.sizes.contains(&SIZE)));
    assert!(first.controls.iter().any(|control| control.name == "Brightness"));
}
