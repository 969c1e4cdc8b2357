//! Claim, describe, publish, borrow, release in one thread.

use super::{SIZES, Settings, column, interleave};
use crate::contest::{Cpus, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait};
use crate::report::print::figure;
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};

const NOTE: &str = "One process, one thread, processor 0, payload untouched. framelane and the \
floor fill a descriptor or its stand-in, iceoryx2 16 bytes of payload. framelane's figure \
contains the time stamp of each publish; its line without is the same minus the clock's.";

const LANES: [(&str, Name); 3] =
    [("floor", Name::Floor), ("framelane", Name::Framelane), ("iceoryx2", Name::Iceoryx)];

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut entries = vec![entry("clock", Name::Bare, Task::Clock)];
    let mut columns = vec![String::new()];
    for consumers in [1, 4] {
        for size in SIZES {
            for (label, lane) in LANES {
                let (_, width, height) = size;
                let base = entry(label, lane, Task::HandOff);
                entries.push(Entry { width, height, consumers, ..base });
                columns.push(column(size, consumers));
            }
        }
    }
    let mut series = vec![Series::default(); entries.len()];
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    interleave(
        entries,
        settings.of(21, 7),
        |_| 10_000,
        |index, batch| {
            let Some((contest, frames)) = batch else { return };
            series[index].push(Log(&contest.shared).sent_at(0) as f64 / frames as f64);
        },
    )?;
    let clock = series[0].clone();
    let mut table = Table::new("Hand-off in one thread", NOTE, Unit::Nanoseconds, "floor");
    for ((label, column), series) in labels.iter().zip(&columns).zip(&series).skip(1) {
        table.put(label, column, Cell::new(series.clone()));
        if label == "framelane" {
            let bare = series.minus(&clock);
            table.put("framelane, without its time stamp", column, Cell::new(bare));
        }
    }
    for column in table.columns.clone() {
        table.put("one look at the clock", &column, Cell::new(clock.clone()));
    }
    let goals = goals(&table)?;
    Ok(Outcome { row: "hand_off", tables: vec![table], goals })
}

fn entry(label: &str, lane: Name, task: Task) -> Entry {
    Entry { cpus: Cpus::One, ..Entry::new(label, lane, Wait::Poll, task) }
}

fn goals(table: &Table) -> Result<Vec<Goal>> {
    let of = |consumers| -> Result<Vec<&Series>> {
        let label = "framelane, without its time stamp";
        let get = |&size| table.get(label, &column(size, consumers)).context("measured");
        SIZES.iter().map(get).collect()
    };
    let (one, four) = (of(1)?, of(4)?);
    let worst = one.iter().map(|series| series.median()).fold(0.0, f64::max);
    let best = one.iter().map(|series| series.median()).fold(f64::INFINITY, f64::min);
    let further = one.iter().zip(&four).map(|(one, four)| four.minus(one).median() / 3.0);
    let further = further.fold(0.0, f64::max);
    let ns = |value| figure(value, Unit::Nanoseconds);
    Ok(vec![
        Goal::at_most("hand-off, 1 consumer", "<= 80 ns", ns(worst), worst, 80.0),
        Goal::at_most("each further consumer", "+ <= 30 ns", ns(further), further, 30.0),
        Goal::at_most(
            "hand-off, largest over smallest frame size",
            "the same (<= 1.1 x)",
            format!("{:.2} x", worst / best),
            worst / best,
            1.1,
        ),
    ])
}
