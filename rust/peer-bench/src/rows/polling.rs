//! One way between two processors that both spin.

use super::{OneWay, Settings, interleave};
use crate::contest::{Cpus, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};

const NOTE: &str = "Producer on processor 0, consumer on 1. From before publish of a filled frame \
to the validated lease. Both moments are looks at the clock, so each time contains one look's \
price: it is taken off everywhere. framelane stamps each frame as it publishes it: its line \
without is another look less. The bare mechanism is one word of a cache line, stored and seen.";

const CLOCK: &str = "one look at the clock";
const BASE: &str = "cache line";
const OURS: &str = "framelane";
const READ: &str = "framelane, and its descriptor read";
const UNSTAMPED: &str = "framelane, without its time stamp";

pub fn run(settings: &Settings) -> Result<Outcome> {
    let task = Task::OneWay { every_ns: 0, inspect: false };
    let inspect = Task::OneWay { every_ns: 0, inspect: true };
    let entries: Vec<Entry> = [
        (CLOCK, Name::Bare, Task::Clock),
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
    let mut clock = Series::default();
    interleave(
        entries,
        settings.of(80, 25),
        |_| 1000,
        |index, batch| match (index, batch) {
            (0, Some((contest, count))) => {
                clock.push(Log(&contest.shared).sent_at(0) as f64 / count as f64);
            }
            (_, batch) => found[index].collect(batch),
        },
    )?;
    let title = "One way, both polling, two processors";
    let mut table = Table::new(title, NOTE, Unit::Nanoseconds, BASE);
    for (label, found) in labels.iter().zip(found).skip(1) {
        let series = found.p50.minus(&clock);
        if label == OURS {
            table.put(UNSTAMPED, "p50", Cell::new(series.minus(&clock)));
        }
        table.put(label, "p50", Cell::new(series));
        table.put(label, "p99", Cell::new(found.p99.minus(&clock)));
    }
    table.put(CLOCK, "p50", Cell::new(clock));
    Ok(Outcome { row: "polling", goals: vec![goal(&table)?], tables: vec![table] })
}

fn goal(table: &Table) -> Result<Goal> {
    let ratio = |label| table.ratio(label, BASE, "p50").context("measured");
    let (ours, unstamped) = (ratio(OURS)?, ratio(UNSTAMPED)?);
    let read = table.get(READ, "p50").context("measured")?;
    let extra = read.minus(table.get(OURS, "p50").context("measured")?).median();
    let measured = format!(
        "{ours:.2} x ({unstamped:.2} x without its time stamp; descriptor + {extra:.0} ns)"
    );
    let figure = "one way, both polling, two processors";
    Ok(Goal::at_most(figure, "<= 1.3 x cache line", measured, ours, 1.3))
}
