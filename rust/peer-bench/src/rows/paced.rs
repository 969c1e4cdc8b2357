//! One way at camera rates: everybody sleeps between frames.

use super::{OneWay, SIZES, Settings, Size, interleave};
use crate::contest::{Cpus, Entry};
use crate::lanes::{Name, Wait};
use crate::report::{Goal, Outcome, Table, Unit};
use crate::role::Task;
use anyhow::{Context, Result};

const NOTE: &str = "From before publish of a filled frame to the lease. Shared memory: payload \
untouched, so the frame size does not matter and one is run. Streams carry the whole frame from \
the producer's memory into the consumer's. cpu: of all processes, for each frame.";

const FUTEX: &str = "bare futex";
const OURS: [(&str, Wait, f64); 2] =
    [("framelane, futex", Wait::Sleep, 1.1), ("framelane, fd", Wait::Fd, 1.25)];

struct Pace {
    fps: u64,
    cpus: Cpus,
    consumers: usize,
}

impl Pace {
    fn title(&self) -> String {
        let cpus = match self.cpus {
            Cpus::One => "one processor",
            Cpus::Two => "two processors",
            Cpus::Any => "any processors",
        };
        let slowest = if self.consumers > 1 { ", slowest of them" } else { "" };
        format!("p50 at {} fps, {} consumer(s), {cpus}{slowest}", self.fps, self.consumers)
    }
}

const PACES: [Pace; 5] = [
    Pace { fps: 60, cpus: Cpus::One, consumers: 1 },
    Pace { fps: 30, cpus: Cpus::One, consumers: 1 },
    Pace { fps: 60, cpus: Cpus::Two, consumers: 1 },
    Pace { fps: 30, cpus: Cpus::Two, consumers: 1 },
    Pace { fps: 60, cpus: Cpus::Any, consumers: 4 },
];

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut outcome = Outcome { row: "paced", ..Outcome::default() };
    for pace in &PACES {
        if settings.quick && (pace.fps == 30 || pace.consumers > 1) {
            continue;
        }
        let table = measure(settings, pace)?;
        if pace.consumers == 1 {
            outcome.goals.extend(goals(&table, &pace.title())?);
        }
        outcome.tables.push(table);
    }
    Ok(outcome)
}

fn measure(settings: &Settings, pace: &Pace) -> Result<Table> {
    let (entries, columns) = entries(pace);
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    let mut found: Vec<OneWay> = labels.iter().map(|_| OneWay::new()).collect();
    interleave(
        entries,
        settings.of(12, 4),
        |_| 8,
        |index, batch| {
            found[index].collect(batch);
        },
    )?;
    let mut table = Table::new(&pace.title(), NOTE, Unit::Nanoseconds, FUTEX);
    for ((label, column), found) in labels.iter().zip(columns).zip(found) {
        table.put(label, column, found.cell_with_cpu());
    }
    Ok(table)
}

fn entries(pace: &Pace) -> (Vec<Entry>, Vec<&'static str>) {
    let one = |label: &str, lane: Name, wait: Wait, size: Size| {
        let task = Task::OneWay { every_ns: 1_000_000_000 / pace.fps, inspect: false };
        let (cpus, consumers) = (pace.cpus, pace.consumers);
        let base = Entry::new(label, lane, wait, task);
        Entry { cpus, consumers, width: size.1, height: size.2, ..base }
    };
    let mut entries = vec![
        one(FUTEX, Name::Bare, Wait::Sleep, SIZES[0]),
        one("bare eventfd + epoll + read", Name::Bare, Wait::Fd, SIZES[0]),
    ];
    entries.extend(OURS.map(|(label, wait, _)| one(label, Name::Framelane, wait, SIZES[0])));
    entries.push(one("iceoryx2, listener", Name::Iceoryx, Wait::Sleep, SIZES[0]));
    entries.push(one("iceoryx2, wait-set", Name::Iceoryx, Wait::Fd, SIZES[0]));
    let mut columns = vec![SIZES[0].0; entries.len()];
    // What a stream costs depends on its frame; once, at 60 fps.
    if pace.fps == 60 && pace.cpus != Cpus::One && pace.consumers == 1 {
        for size in SIZES {
            // Not pinned, because they do better where the scheduler puts them.
            let streams =
                [("Unix stream", Name::Unix), ("TCP loopback", Name::Tcp), ("pipe", Name::Pipe)];
            entries.extend(streams.map(|(label, lane)| {
                let entry = one(label, lane, Wait::Sleep, size);
                Entry { cpus: Cpus::Any, every: 4, ..entry }
            }));
            columns.extend([size.0; 3]);
        }
    }
    (entries, columns)
}

fn goals(table: &Table, title: &str) -> Result<Vec<Goal>> {
    let column = SIZES[0].0;
    let goal = |&(label, _, allowed): &(&str, Wait, f64)| {
        let ratio = table.ratio(label, FUTEX, column).context("measured")?;
        let figure = format!("{title}: {label}");
        let goal = format!("<= {allowed} x {FUTEX}");
        Ok(Goal::at_most(&figure, &goal, format!("{ratio:.2} x"), ratio, allowed))
    };
    OURS.iter().map(goal).collect()
}
