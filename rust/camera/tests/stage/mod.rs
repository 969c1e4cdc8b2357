//! The hb_vio source at work beside a test, on the stand-in's cameras.
#![allow(dead_code, reason = "each test file uses its own part of this")]

#[path = "../../../hobot/tests/common/mod.rs"]
pub mod common;

use common::{Board, DEADLINE, Role};
use framelane::{Consumer, ConsumerOptions, Frame, Mode, Switch};
use framelane_camera::hb_vio::{Cameras, Config, Places, Stats};
use framelane_standin_ion::luma;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The cameras, running in this process until they are told to end.
pub struct Running<'a> {
    pub stop: &'a AtomicBool,
    pub lanes: &'a Path,
}

impl Running<'_> {
    pub fn reader(&self, lane: &str, leases: u32) -> Consumer {
        framelane_hobot::register();
        let options = ConsumerOptions::new(Mode::Latest).leases(leases).wait_for_lane(DEADLINE);
        Consumer::open(lane, options.directory(Some(self.lanes.to_owned()))).unwrap()
    }

    pub fn switch(&self, name: &str) -> Switch {
        framelane_hobot::register();
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
        Switch::open(name, options.directory(Some(self.lanes.to_owned()))).unwrap()
    }

    pub fn role(&self, board: &Board, role: &str) -> Role {
        let lanes = self.lanes.to_str().unwrap().to_owned();
        board.start_with(role, &[("FRAMELANE_DIR", lanes)])
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

pub fn places(lanes: &Path) -> Places {
    Places { libraries: Some(common::folder()), lanes: Some(lanes.to_owned()) }
}

/// Runs the cameras beside a test; what became of them.
pub fn beside(config: &Config, test: impl FnOnce(&Running<'_>)) -> Stats {
    let lanes = tempfile::tempdir().unwrap();
    let places = places(lanes.path());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asked = || stop.load(Ordering::Acquire);
        let cameras = scope.spawn(move || Cameras::open(config, &places)?.run(&asked));
        test(&Running { stop: &stop, lanes: lanes.path() });
        cameras.join().unwrap().unwrap()
    })
}

pub fn next(reader: &mut Consumer) -> Frame {
    reader.next(DEADLINE).unwrap().expect("a frame within the deadline")
}

/// Copies both planes of a frame, which must be whole; the value all over its luma.
pub fn value(frame: &Frame) -> framelane::Result<u8> {
    let sizes = frame.descriptor().planes.map(|plane| plane.size_bytes as usize);
    let mut planes = [vec![0; sizes[0]], vec![0; sizes[1]]];
    for (index, plane) in planes.iter_mut().enumerate() {
        frame.copy_to(index, plane)?;
    }
    let luma = planes[0][0];
    assert!(planes[0].iter().all(|byte| *byte == luma), "a torn luma");
    assert!(planes[1].iter().all(|byte| *byte == luma + 1), "a torn chroma");
    Ok(luma)
}

/// A frame of `host` and `channel` shows the exposure it says.
pub fn assert_shows(frame: &Frame, host: u32, channel: u32) {
    let wanted = luma(host, channel, frame.descriptor().capture_id as u32);
    assert_eq!(value(frame).unwrap(), wanted, "of capture {}", frame.descriptor().capture_id);
}

pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
