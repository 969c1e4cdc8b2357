//! Copy in and read everything, against two processes that do the same in step.

use super::{SIZES, Settings, column, interleave};
use crate::contest::{Cpus, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};

const NOTE: &str = "The producer copies one of four frames in, each consumer reads every byte, at \
most two frames unread; frames a second. In step: the same copy and read on three slots in turn, \
told by one word. 1 consumer: shared memory is polled, producer on processor 0, consumer on 1; \
streams block, anywhere. 4 consumers: everybody blocks, anywhere. cpu: of all processes, for each \
frame.";

const STEP: &str = "in step";
const OURS: &str = "framelane";

const LANES: [(&str, Name); 6] = [
    (STEP, Name::Bare),
    (OURS, Name::Framelane),
    ("iceoryx2", Name::Iceoryx),
    ("Unix stream", Name::Unix),
    ("TCP loopback", Name::Tcp),
    ("pipe", Name::Pipe),
];

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut table = Table::new("Copy in, read everything", NOTE, Unit::FramesPerSecond, STEP);
    for consumers in [1, 4] {
        for size in SIZES {
            let entries: Vec<Entry> = LANES.map(|lane| entry(lane, size, consumers)).to_vec();
            let mut found = vec![(Series::default(), Series::default()); entries.len()];
            let rounds = settings.of(if consumers == 1 { 36 } else { 12 }, 6);
            interleave(entries, rounds, frames, |index, batch| {
                let Some((contest, frames)) = batch else {
                    found[index].0.push(f64::NAN);
                    found[index].1.push(f64::NAN);
                    return;
                };
                let log = Log(&contest.shared);
                let seconds = log.sent_at(0) as f64 / 1e9;
                let cpu: u64 = (0..=consumers).map(|role| log.cpu_of(role)).sum();
                found[index].0.push(frames as f64 / seconds);
                found[index].1.push(cpu as f64 / frames as f64);
            })?;
            for ((label, _), (rate, cpu)) in LANES.iter().zip(found) {
                let mut cell = Cell::new(rate);
                cell.also.insert("cpu", cpu);
                table.put(label, &column(size, consumers), cell);
            }
        }
    }
    let goals = [(0, 0.95), (2, 0.99)].map(|(size, wanted)| goal(&table, size, wanted));
    let goals = goals.into_iter().collect::<Result<_>>()?;
    Ok(Outcome { row: "copy", tables: vec![table], goals })
}

fn entry((label, lane): (&str, Name), size: super::Size, consumers: usize) -> Entry {
    let stream = matches!(lane, Name::Unix | Name::Tcp | Name::Pipe);
    let wait = if consumers == 1 && !stream { Wait::Poll } else { Wait::Sleep };
    let cpus = if wait == Wait::Poll { Cpus::Two } else { Cpus::Any };
    let every = if stream { 6 } else { 1 };
    let (_, width, height) = size;
    let base = Entry::new(label, lane, wait, Task::Copy);
    Entry { cpus, width, height, consumers, every, ..base }
}

/// About as long for each size: some ten milliseconds.
fn frames(entry: &Entry) -> usize {
    let bytes = entry.width as usize * entry.height as usize * 3 / 2;
    (100_000_000 / bytes / entry.consumers).max(8)
}

fn goal(table: &Table, size: usize, wanted: f64) -> Result<Goal> {
    let ratio = table.ratio(OURS, STEP, &column(SIZES[size], 1)).context("measured")?;
    let figure = format!("copy in + full read at {}", SIZES[size].0);
    let text = format!(">= {:.0} % of the same in step", wanted * 100.0);
    Ok(Goal::at_least(&figure, &text, format!("{:.1} %", ratio * 100.0), ratio, wanted))
}
