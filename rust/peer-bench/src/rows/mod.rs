//! The rows of the bench. Each is one file: who takes part, what is measured, which goals it has.

mod attach;
mod blocked;
mod copy;
mod death;
mod hand_off;
mod memory;
mod paced;
mod polling;
mod records;
mod shmbuf;

use crate::contest::{Contest, Entry};
use crate::control::Log;
use crate::machine::Machine;
use crate::report::{Cell, Outcome};
use crate::stats::{Series, median, percentile};
use anyhow::Result;
use clap::ValueEnum;

/// A row of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Row {
    /// Both sides in one thread, payload untouched
    HandOff,
    /// One way between two processors, both polling
    Polling,
    /// One way on one processor, both asleep in between
    Blocked,
    /// One way at 30 and 60 frames per second
    Paced,
    /// Copy in and read everything
    Copy,
    /// A consumer that joins a running lane
    Attach,
    /// Memory for four consumers with one lease each
    Memory,
    /// kill -9 of either side
    Death,
    /// Records through stream lanes and their rivals
    Records,
    /// The shmbuf ring against the speed of memcpy
    Shmbuf,
}

/// How thorough a run is.
pub struct Settings {
    pub quick: bool,
    pub machine: Machine,
}

impl Settings {
    /// A number of rounds or frames, fewer in a quick run.
    fn of(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

impl Row {
    /// What is run when no row is named.
    pub const OF_FRAMES: &[Row] = &[
        Row::HandOff,
        Row::Polling,
        Row::Blocked,
        Row::Paced,
        Row::Copy,
        Row::Attach,
        Row::Memory,
        Row::Death,
    ];

    pub fn run(self, settings: &Settings) -> Result<Outcome> {
        match self {
            Row::HandOff => hand_off::run(settings),
            Row::Polling => polling::run(settings),
            Row::Blocked => blocked::run(settings),
            Row::Paced => paced::run(settings),
            Row::Copy => copy::run(settings),
            Row::Attach => attach::run(settings),
            Row::Memory => memory::run(settings),
            Row::Death => death::run(settings),
            Row::Records => records::run(settings),
            Row::Shmbuf => shmbuf::run(settings),
        }
    }
}

/// A frame size and its name.
pub type Size = (&'static str, u32, u32);
pub const SIZES: [Size; 3] = [("640x480", 640, 480), ("1080p", 1920, 1080), ("4K", 3840, 2160)];

fn column(size: Size, consumers: usize) -> String {
    match consumers {
        1 => format!("{}, 1 consumer", size.0),
        count => format!("{}, {count} consumers", size.0),
    }
}

/// Starts everybody, then lets each run one batch in turn, round after round, and hands every
/// batch to `collect`; None in rounds that an entry sits out. The first round warms up and is not
/// collected.
fn interleave(
    entries: Vec<Entry>,
    rounds: usize,
    frames: impl Fn(&Entry) -> usize,
    collect: impl FnMut(usize, Option<(&Contest, usize)>),
) -> Result<()> {
    interleave_with(entries, rounds, frames, collect, || Ok(()))
}

/// The same, with something else at the end of each round that counts.
fn interleave_with(
    entries: Vec<Entry>,
    rounds: usize,
    frames: impl Fn(&Entry) -> usize,
    mut collect: impl FnMut(usize, Option<(&Contest, usize)>),
    mut last: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mut contests = entries.into_iter().map(Contest::start).collect::<Result<Vec<_>>>()?;
    let count = contests.len();
    for round in 0..=rounds {
        for turn in 0..count {
            // Another one begins each round, so that nobody always follows the same neighbour.
            let index = (turn + round) % count;
            let contest = &mut contests[index];
            if !round.is_multiple_of(contest.entry.every) {
                collect(index, None);
                continue;
            }
            let frames = frames(&contest.entry);
            contest.batch(frames)?;
            if round > 0 {
                collect(index, Some((contest, frames)));
            }
        }
        if round > 0 {
            last()?;
        }
    }
    Ok(())
}

/// p50 and p99 of the slowest consumer's one-way times.
struct OneWay {
    p50: Series,
    p99: Series,
    cpu: Series,
}

impl OneWay {
    fn new() -> Self {
        OneWay { p50: Series::default(), p99: Series::default(), cpu: Series::default() }
    }

    fn collect(&mut self, batch: Option<(&Contest, usize)>) {
        let Some((contest, frames)) = batch else {
            for series in [&mut self.p50, &mut self.p99, &mut self.cpu] {
                series.push(f64::NAN);
            }
            return;
        };
        let log = Log(&contest.shared);
        let consumers = contest.entry.consumers;
        let slowest = |frame| {
            let last = (0..consumers).map(|c| log.seen_at(c, frame)).max().unwrap_or(0);
            last.saturating_sub(log.sent_at(frame)) as f64
        };
        let mut times: Vec<f64> = (0..frames).map(slowest).collect();
        self.p99.push(percentile(&mut times, 99.0));
        self.p50.push(median(times));
        let cpu: u64 = (0..=consumers).map(|role| log.cpu_of(role)).sum();
        self.cpu.push(cpu as f64 / frames as f64);
    }

    fn cell_with_cpu(self) -> Cell {
        let mut cell = Cell::new(self.p50);
        cell.also.insert("p99", self.p99);
        cell.also.insert("cpu", self.cpu);
        cell
    }
}
