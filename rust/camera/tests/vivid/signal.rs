//! A signal that becomes another one while readers are attached.

use crate::common::*;
use framelane::{Consumer, Frame};
use framelane_camera::v4l2::{Buffers, Config, Mode};
use std::time::Instant;

/// The driver's camera with an HDMI connector, and what its controls know.
const CONNECTOR: u32 = 3;
const NO_SIGNAL: i64 = 1;
const SELECTED: i64 = 4;
/// Numbers of 720x480 and 720x576, both without interlacing.
const SMALLER: i64 = 2;
const LARGER: i64 = 4;

fn signal(timings: i64) {
    control(CONNECTOR, "dv_timings", timings);
    control(CONNECTOR, "dv_timings_signal_mode", SELECTED);
}

/// The first frame of this height, which comes before the deadline.
fn of_height(consumer: &mut Consumer, height: u32) -> Frame {
    let start = Instant::now();
    loop {
        let frame = next(consumer);
        if frame.descriptor().height == height {
            return frame;
        }
        assert!(start.elapsed() < DEADLINE, "no frame of {height} rows");
    }
}

#[test]
fn another_signal_is_told_of_and_shown_to_the_same_readers() {
    for mode in [Mode::Export, Mode::Copy] {
        let place = Place::new();
        signal(SMALLER);
        let usual = config(&place, CONNECTOR, Buffers::Only(mode));
        let stats = beside(Config { size: None, rate: None, ..usual }, || {
            let mut consumer = here(&place, 2);
            let held = next(&mut consumer);
            let d = held.descriptor();
            assert_eq!((d.width, d.height), (720, 480));
            let rows: Vec<u32> = d.planes[..2].iter().map(|plane| plane.rows).collect();
            signal(LARGER);
            let frame = of_height(&mut consumer, 576);
            assert_ne!(frame.epoch(), held.epoch(), "a new lane, and readers attach to it");
            assert_eq!(frame.descriptor().planes[0].rows, 576);
            assert_eq!(rows, [480, 240], "what a held frame says of itself stays");
            drop((held, frame));
            // Without any signal the camera is waited for.
            control(CONNECTOR, "dv_timings_signal_mode", NO_SIGNAL);
            std::thread::sleep(std::time::Duration::from_secs(1));
            signal(SMALLER);
            of_height(&mut consumer, 480);
        });
        assert!(stats.changes >= 2, "{stats:?}");
        assert!(stats.last_error.contains("no signal comes in"), "{stats:?}");
    }
}
