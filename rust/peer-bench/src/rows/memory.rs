//! Memory for four consumers with one lease each.

use super::{SIZES, Settings};
use crate::contest::{Contest, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::Result;

const NOTE: &str = "4K NV12 frames that all shared mappings of the mechanism add up to, while \
each of four consumers holds one frame and the producer publishes a hundred more.";

pub fn run(_settings: &Settings) -> Result<Outcome> {
    let mut table = Table::new("Memory, 4 consumers", NOTE, Unit::Frames, "framelane");
    let (_, width, height) = SIZES[2];
    let frame = f64::from(width) * f64::from(height) * 1.5;
    let mut ours = 0.0;
    for (label, lane, defaults) in [
        ("framelane", Name::Framelane, false),
        ("iceoryx2, as it comes", Name::Iceoryx, true),
        ("iceoryx2, one lease and a buffer of two", Name::Iceoryx, false),
    ] {
        let base = Entry::new(label, lane, Wait::Poll, Task::Memory);
        let entry = Entry { width, height, consumers: 4, defaults, ..base };
        let contest = Contest::start(entry)?;
        let frames = Log(&contest.shared).sent_at(0) as f64 / frame;
        if lane == Name::Framelane {
            ours = frames;
        }
        table.put(label, "frames", Cell::new(Series { rounds: vec![frames] }));
    }
    // Headers, slots and consumer pages are part of it: a hundredth of a frame.
    let measured = format!("{ours:.2} frames");
    let figure = "memory, 4 consumers, 1 lease each";
    let goal = Goal::at_most(figure, "<= 7 frames", measured, ours.floor(), 7.0);
    Ok(Outcome { row: "memory", tables: vec![table], goals: vec![goal] })
}
