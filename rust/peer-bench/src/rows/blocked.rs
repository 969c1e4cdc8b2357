//! One way on one processor: the consumer sleeps, is woken, and holds the frame.

use super::{OneWay, Settings, interleave};
use crate::contest::{Cpus, Entry};
use crate::lanes::{Name, Wait};
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use anyhow::{Context, Result};

const NOTE: &str = "Both processes on processor 0; before each frame the producer sees to it that \
the consumer sleeps. From before publish of a filled frame to the lease, payload untouched. \
Streams carry 24 bytes here, so that only their wake-up counts. By descriptor: an epoll instance \
of the program's own. Acknowledgements go by the same futex for all.";

const FUTEX: &str = "bare futex";
const EVENTFD: &str = "bare eventfd + epoll + read";

/// framelane's four ways: label, by descriptor, other user, base, allowed.
const OURS: [(&str, Wait, bool, &str, f64); 4] = [
    ("framelane, futex", Wait::Sleep, false, FUTEX, 1.15),
    ("framelane, fd", Wait::Fd, false, EVENTFD, 1.15),
    ("framelane, futex, other user", Wait::Sleep, true, FUTEX, 1.6),
    ("framelane, fd, other user", Wait::Fd, true, EVENTFD, 1.6),
];

pub fn run(settings: &Settings) -> Result<Outcome> {
    let ours = || OURS.iter().filter(|ours| settings.machine.root || !ours.2);
    let mut entries =
        vec![entry(FUTEX, Name::Bare, Wait::Sleep), entry(EVENTFD, Name::Bare, Wait::Fd)];
    entries.extend(ours().map(|&(label, wait, other_user, ..)| Entry {
        other_user,
        ..entry(label, Name::Framelane, wait)
    }));
    entries.extend([
        entry("iceoryx2, listener", Name::Iceoryx, Wait::Sleep),
        entry("iceoryx2, wait-set", Name::Iceoryx, Wait::Fd),
        small(entry("Unix stream", Name::Unix, Wait::Sleep)),
        small(entry("TCP loopback", Name::Tcp, Wait::Sleep)),
        small(entry("pipe", Name::Pipe, Wait::Sleep)),
    ]);
    let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
    let mut found: Vec<OneWay> = labels.iter().map(|_| OneWay::new()).collect();
    interleave(
        entries,
        settings.of(60, 20),
        |_| 250,
        |index, batch| {
            found[index].collect(batch);
        },
    )?;
    let title = "One way, blocked, one processor";
    let mut table = Table::new(title, NOTE, Unit::Nanoseconds, FUTEX);
    for (label, found) in labels.iter().zip(found) {
        table.put(label, "p50", Cell::new(found.p50));
        table.put(label, "p99", Cell::new(found.p99));
    }
    let mut goals = Vec::new();
    for &(label, _, _, base, allowed) in ours() {
        let ratio = table.ratio(label, base, "p50").context("measured")?;
        let figure = format!("one way, blocked, one processor: {label}");
        let goal = format!("<= {allowed} x {base}");
        goals.push(Goal::at_most(&figure, &goal, format!("{ratio:.2} x"), ratio, allowed));
    }
    if !settings.machine.root {
        table.note += " Consumers of another user need root to be started: not measured.";
    }
    Ok(Outcome { row: "blocked", tables: vec![table], goals })
}

fn entry(label: &str, lane: Name, wait: Wait) -> Entry {
    let task = Task::OneWay { every_ns: 0, inspect: false };
    Entry { cpus: Cpus::One, ..Entry::new(label, lane, wait, task) }
}

fn small(entry: Entry) -> Entry {
    Entry { width: 4, height: 4, ..entry }
}
