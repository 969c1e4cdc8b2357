//! kill -9 of one side: how long until the other has what it needs to know.

use super::Settings;
use crate::contest::{Contest, Entry};
use crate::control::{Log, now};
use crate::lanes::{Name, Wait};
use crate::report::print::figure;
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::{Part, Task};
use crate::stats::Series;
use crate::tasks::death::LIMIT_MS;
use anyhow::Result;
use std::time::Duration;

const NOTE: &str = "No third process helps. Slots back: from the kill of a consumer that holds a \
frame until the producer reserves nothing for it any more, looked at every 50 us. Told: from the \
kill of the producer until a sleeping consumer's call returns and says so. After 500 ms nobody \
waits any longer.";

const ALLOWED_NS: f64 = 100e6;
const SLOTS: &str = "consumer killed: slots back";
const TOLD: &str = "producer killed: sleeper told";

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut table = Table::new("kill -9", NOTE, Unit::Nanoseconds, "framelane, futex");
    let mut goals = Vec::new();
    let entries = [
        ("framelane, futex", Name::Framelane, Wait::Sleep, true),
        ("framelane, fd", Name::Framelane, Wait::Fd, false),
        ("iceoryx2, listener", Name::Iceoryx, Wait::Sleep, true),
        ("Unix stream", Name::Unix, Wait::Sleep, false),
    ];
    for (label, lane, wait, slots) in entries {
        let rounds = if lane == Name::Iceoryx { 1 } else { settings.of(7, 3) };
        let mut figures = vec![(TOLD, repeat(rounds, || told(label, lane, wait))?)];
        if slots {
            figures.push((SLOTS, repeat(rounds, || slots_back(label, lane, wait))?));
        }
        for (column, series) in figures {
            if lane == Name::Framelane {
                let worst = series.worst();
                let measured = format!("{} at worst", figure(worst, Unit::Nanoseconds));
                let text = format!("{column}, {label}");
                goals.push(Goal::at_most(&text, "<= 100 ms", measured, worst, ALLOWED_NS));
            }
            table.put(label, column, Cell::new(series));
        }
    }
    Ok(Outcome { row: "death", tables: vec![table], goals })
}

fn repeat(rounds: usize, mut once: impl FnMut() -> Result<f64>) -> Result<Series> {
    let rounds = (0..rounds).map(|_| once()).collect::<Result<_>>()?;
    Ok(Series { rounds })
}

fn slots_back(label: &str, lane: Name, wait: Wait) -> Result<f64> {
    let mut contest = Contest::start(Entry::new(label, lane, wait, Task::Holder))?;
    contest.batch(1)?;
    contest.begin(Part::Producer, 2)?;
    std::thread::sleep(Duration::from_millis(5));
    let killed = now();
    contest.kill(Part::Consumer(0))?;
    contest.finish(Part::Producer)?;
    Ok(since(killed, Log(&contest.shared).sent_at(0)))
}

fn told(label: &str, lane: Name, wait: Wait) -> Result<f64> {
    let mut contest = Contest::start(Entry::new(label, lane, wait, Task::Widow))?;
    contest.batch(1)?;
    contest.begin(Part::Consumer(0), 2)?;
    // Long enough to be asleep.
    std::thread::sleep(Duration::from_millis(20));
    let killed = now();
    contest.kill(Part::Producer)?;
    contest.finish(Part::Consumer(0))?;
    Ok(since(killed, Log(&contest.shared).seen_at(0, 0)))
}

/// Time since the kill, or all the time there was.
fn since(killed: u64, noticed: u64) -> f64 {
    if noticed == 0 { LIMIT_MS as f64 * 1e6 } else { noticed.saturating_sub(killed) as f64 }
}
