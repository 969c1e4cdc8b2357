//! The shmbuf ring against the speed of memcpy.

use super::{SIZES, Settings, interleave};
use crate::contest::{Cpus, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};

const NOTE: &str = "Messages of one 1080p frame through a ring of 8 MiB, sender and receiver \
asleep where the ring is full or empty; each message is copied in and out. memcpy: one copy of as \
many bytes by one process, four sources, to 8 MiB in turn. A ring that costs nothing but its two \
copies reaches half of that on one processor. cpu: of both processes, for each message.";

const BASE: &str = "memcpy";
const OURS: &str = "shmbuf, two processors";
const COLUMN: usize = 1;
/// Two copies: half the speed of one, of which nine tenths are wanted.
const WANTED: f64 = 0.9 / 2.0;

pub fn run(settings: &Settings) -> Result<Outcome> {
    let entry = |label: &str, lane, task, cpus| {
        let (_, width, height) = SIZES[COLUMN];
        Entry { cpus, width, height, ..Entry::new(label, lane, Wait::Sleep, task) }
    };
    let entries = vec![
        entry(BASE, Name::Bare, Task::Memcpy, Cpus::One),
        entry(OURS, Name::Shmbuf, Task::Pour, Cpus::Two),
        entry("shmbuf, one processor", Name::Shmbuf, Task::Pour, Cpus::One),
    ];
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    let mut found = vec![(Series::default(), Series::default()); entries.len()];
    interleave(
        entries,
        settings.of(31, 7),
        |_| 60,
        |index, batch| {
            let Some((contest, frames)) = batch else {
                return;
            };
            let log = Log(&contest.shared);
            found[index].0.push(frames as f64 / (log.sent_at(0) as f64 / 1e9));
            let cpu = log.cpu_of(0) + if index == 0 { 0 } else { log.cpu_of(1) };
            found[index].1.push(cpu as f64 / frames as f64);
        },
    )?;
    let column = SIZES[COLUMN].0;
    let mut table = Table::new("shmbuf against memcpy", NOTE, Unit::FramesPerSecond, BASE);
    for (label, (rate, cpu)) in labels.iter().zip(found) {
        let mut cell = Cell::new(rate);
        cell.also.insert("cpu", cpu);
        table.put(label, column, cell);
    }
    let ratio = table.ratio(OURS, BASE, column).context("measured")?;
    let goals = vec![Goal::at_least(
        "shmbuf throughput at 1080p",
        ">= 90 % of half of memcpy",
        format!("{:.0} % of half", ratio * 200.0),
        ratio,
        WANTED,
    )];
    Ok(Outcome { row: "shmbuf", tables: vec![table], goals })
}
