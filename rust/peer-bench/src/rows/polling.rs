//! One way between two processors that both spin.

use super::{OneWay, Settings, interleave};
use crate::contest::{Cpus, Entry};
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::median;
use anyhow::{Context, Result};

const NOTE: &str = "Producer on processor 0, consumer on 1. From before publish of a filled \
frame to the validated lease; one look at the clock lies in between, and is the same for all. \
The bare mechanism is one word of a cache line, stored and seen.";

const BASE: &str = "cache line";
const OURS: &str = "framelane";
const READ: &str = "framelane, and its descriptor read";

pub fn run(settings: &Settings) -> Result<Outcome> {
    let task = Task::OneWay { every_ns: 0, inspect: false };
    let inspect = Task::OneWay { every_ns: 0, inspect: true };
    let entries: Vec<Entry> = [
        (BASE, Name::Bare, task),
        ("floor", Name::Floor, task),
        (OURS, Name::Framelane, task),
        (READ, Name::Framelane, inspect),
        ("iceoryx2", Name::Iceoryx, task),
    ]
    .into_iter()
    .map(|(label, lane, task)| Entry {
        cpus: Cpus::Two,
        ..Entry::new(label, lane, Wait::Poll, task)
    })
    .collect();
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    let mut found: Vec<OneWay> = labels.iter().map(|_| OneWay::new()).collect();
    interleave(entries, settings.of(41, 15), |_| 2000, |index, contest, frames| {
        found[index].collect(contest, frames);
    })?;
    let title = "One way, both polling, two processors";
    let mut table = Table::new(title, NOTE, Unit::Nanoseconds, BASE);
    for (label, found) in labels.iter().zip(found) {
        table.put(label, "p50", Cell::new(found.p50));
        table.put(label, "p99", Cell::new(found.p99));
    }
    let ratio = table.ratio(OURS, BASE, "p50").context("measured")?;
    let extra = table.get(READ, "p50").context("measured")?;
    let extra = median(extra.minus(table.get(OURS, "p50").context("measured")?).rounds);
    let measured = format!("{ratio:.2} x (descriptor + {extra:.0} ns)");
    let figure = "one way, both polling, two processors";
    let goal = Goal::at_most(figure, "<= 1.3 x cache line", measured, ratio, 1.3);
    Ok(Outcome { row: "polling", tables: vec![table], goals: vec![goal] })
}
