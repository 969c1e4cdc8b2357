//! A consumer that joins a running 4K lane.

use super::{SIZES, Settings};
use crate::contest::{Contest, Entry};
use crate::control::{Log, now};
use crate::lanes::{Name, Wait};
use crate::report::print::figure;
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};
use std::time::Duration;

const NOTE: &str = "A 4K NV12 lane with the settings a newcomer finds, at 60 fps. Attached: from \
the open call until it returns. First frame: from the open call until a frame is held; and the \
same from before the process was started.";

const EVERY_NS: u64 = 1_000_000_000 / 60;

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut table = Table::new("Joining a running lane", NOTE, Unit::Nanoseconds, "framelane");
    let lanes =
        [("framelane", Name::Framelane), ("iceoryx2", Name::Iceoryx), ("Unix stream", Name::Unix)];
    for (label, lane) in lanes {
        let found = measure(settings, label, lane)?;
        for (column, series) in ["attached", "first frame", "from process start"].iter().zip(found)
        {
            table.put(label, column, Cell::new(series));
        }
    }
    let median = |column| {
        Ok::<_, anyhow::Error>(table.get("framelane", column).context("measured")?.median())
    };
    let (attached, first) = (median("attached")?, median("first frame")?);
    let ns = |value| figure(value, Unit::Nanoseconds);
    let goals = vec![
        Goal::at_most("attach to a 4K lane", "<= 10 ms", ns(attached), attached, 10e6),
        Goal::at_most(
            "first frame after attaching starts",
            "within one period at 60 fps",
            ns(first),
            first,
            EVERY_NS as f64,
        ),
    ];
    Ok(Outcome { row: "attach", tables: vec![table], goals })
}

fn measure(settings: &Settings, label: &str, lane: Name) -> Result<[Series; 3]> {
    let mut found: [Series; 3] = Default::default();
    let (_, width, height) = SIZES[2];
    let feed = Task::Feed { every_ns: EVERY_NS };
    let base = Entry::new(label, lane, Wait::Sleep, feed);
    let entry = Entry { width, height, defaults: true, ..base };
    // A stream's producer serves one consumer, so each round has a lane of its own for it.
    let stream = lane == Name::Unix;
    let mut contest = None;
    for round in 0..settings.of(9, 5) {
        let lane = match contest.take() {
            Some(lane) if !stream => lane,
            _ => running(entry.clone())?,
        };
        // Not always at the same moment of a period.
        std::thread::sleep(Duration::from_millis(20 + 3 * round as u64));
        lane.run_consumer(Task::Attach { started_ns: now() })?;
        let log = Log(&lane.shared);
        for (index, series) in found.iter_mut().enumerate() {
            series.push(log.seen_at(0, index) as f64);
        }
        contest = Some(lane);
    }
    Ok(found)
}

fn running(entry: Entry) -> Result<Contest> {
    let task = entry.task;
    let mut contest = Contest::prepare(entry)?;
    contest.start_producer(task)?;
    Ok(contest)
}
