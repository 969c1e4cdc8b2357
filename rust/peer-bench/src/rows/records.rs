//! Records through stream lanes and what else carries bytes from one process to others.

use super::{OneWay, Settings, interleave_with};
use crate::contest::{Contest, Entry};
use crate::control::Log;
use crate::lanes::{Name, Wait, boost_is_there};
use crate::python::Python;
use crate::report::{Cell, Goal, Outcome, Table, Unit};
use crate::role::Task;
use crate::stats::Series;
use anyhow::{Context, Result};

const RATES: &str = "The writer copies one of four records in, each reader reads every byte of its \
own, at most two records unread; records a second. Everybody sleeps when there is nothing to do, \
on any processor. cpu: of all processes, for each record. Lossless readers of framelane read in \
place, live ones have a copy each; sockets, pipes and Boost's queues have one connection for each \
reader, SEQPACKET in packets of 64 KiB. Python copies each record out and looks at no byte.";

const TIMES: &str = "From before a record is handed over, which lies in the writer's memory, to \
the moment that the slowest reader has it, 200 records a second.";

/// Names and pictures of as many bytes: 30 KiB and a frame of 640x480.
const SIZES: [(&str, u32, u32); 2] = [("30 KB", 160, 128), ("460 800 B", 640, 480)];
const READERS: [usize; 2] = [1, 4];
const BASE: &str = "Unix stream";
const OURS: [&str; 2] = ["framelane, live", "framelane, lossless"];
const PYTHON: &str = "Python shared_memory";
const EVERY_NS: u64 = 5_000_000;

fn mechanisms() -> Vec<(&'static str, Name)> {
    let mut all = vec![
        (BASE, Name::Unix),
        ("Unix SEQPACKET", Name::Seqpacket),
        ("pipe", Name::Pipe),
        (OURS[0], Name::RecordsLive),
        (OURS[1], Name::RecordsLossless),
    ];
    if boost_is_there() {
        all.push(("Boost message_queue", Name::Boost));
    } else {
        eprintln!(
            "Boost message_queue is left out: its headers are not on this machine. They come with \
             `apt install libboost-dev`"
        );
    }
    all
}

pub fn run(settings: &Settings) -> Result<Outcome> {
    let mut rates = Table::new("Records a second", RATES, Unit::RecordsPerSecond, BASE);
    let mut times = Table::new("Records, one way, p50", TIMES, Unit::Nanoseconds, BASE);
    for readers in READERS {
        for (size, width, height) in SIZES {
            let column = match readers {
                1 => format!("{size}, 1 reader"),
                _ => format!("{size}, {readers} readers"),
            };
            let place = Place { column, width, height, readers };
            let python = Python::start(place.bytes(), readers, EVERY_NS);
            let mut python = python.inspect_err(|error| {
                eprintln!("{PYTHON} is left out: {error:#}. It comes with `apt install python3`");
            });
            let mut python = python.as_mut().ok();
            place.rates(settings, &mut rates, &mut python)?;
            place.times(settings, &mut times, &mut python)?;
        }
    }
    let goals = goals(&rates)?;
    Ok(Outcome { row: "records", tables: vec![rates, times], goals })
}

/// One column of both tables.
struct Place {
    column: String,
    width: u32,
    height: u32,
    readers: usize,
}

impl Place {
    fn bytes(&self) -> usize {
        self.width as usize * self.height as usize * 3 / 2
    }

    fn entries(&self, task: Task) -> Vec<Entry> {
        let entry = |(label, lane): (&str, Name)| {
            let (width, height, consumers) = (self.width, self.height, self.readers);
            Entry { width, height, consumers, ..Entry::new(label, lane, Wait::Sleep, task) }
        };
        mechanisms().into_iter().map(entry).collect()
    }

    fn rates(
        &self,
        settings: &Settings,
        table: &mut Table,
        python: &mut Option<&mut Python>,
    ) -> Result<()> {
        let entries = self.entries(Task::Copy);
        let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
        let count = (40_000_000 / self.bytes() / self.readers).max(8);
        let mut found = vec![(Series::default(), Series::default()); entries.len()];
        let mut own = Series::default();
        let collect = |index: usize, batch: Option<(&Contest, usize)>| {
            let Some((contest, records)) = batch else {
                return;
            };
            let log = Log(&contest.shared);
            let cpu: u64 = (0..=self.readers).map(|role| log.cpu_of(role)).sum();
            found[index].0.push(records as f64 / (log.sent_at(0) as f64 / 1e9));
            found[index].1.push(cpu as f64 / records as f64);
        };
        interleave_with(
            entries,
            settings.of(21, 5),
            |_| count,
            collect,
            || {
                let Some(python) = python else { return Ok(()) };
                own.push(python.rate(count)?);
                Ok(())
            },
        )?;
        for (label, (rate, cpu)) in labels.iter().zip(found) {
            let mut cell = Cell::new(rate);
            cell.also.insert("cpu", cpu);
            table.put(label, &self.column, cell);
        }
        if !own.rounds.is_empty() {
            table.put(PYTHON, &self.column, Cell::new(own));
        }
        Ok(())
    }

    fn times(
        &self,
        settings: &Settings,
        table: &mut Table,
        python: &mut Option<&mut Python>,
    ) -> Result<()> {
        let entries = self.entries(Task::OneWay { every_ns: EVERY_NS, inspect: false });
        let labels: Vec<String> = entries.iter().map(|entry| entry.label.clone()).collect();
        let mut found: Vec<OneWay> = labels.iter().map(|_| OneWay::new()).collect();
        let (mut p50, mut p99) = (Series::default(), Series::default());
        let collect = |index: usize, batch: Option<(&Contest, usize)>| found[index].collect(batch);
        interleave_with(
            entries,
            settings.of(15, 4),
            |_| 20,
            collect,
            || {
                let Some(python) = python else { return Ok(()) };
                let (median, high) = python.one_way(20)?;
                p50.push(median);
                p99.push(high);
                Ok(())
            },
        )?;
        for (label, found) in labels.iter().zip(found) {
            table.put(label, &self.column, found.cell_with_cpu());
        }
        if !p50.rounds.is_empty() {
            let mut cell = Cell::new(p50);
            cell.also.insert("p99", p99);
            table.put(PYTHON, &self.column, cell);
        }
        Ok(())
    }
}

/// Faster than what people would write otherwise, wherever a record is large or has many readers.
fn goals(rates: &Table) -> Result<Vec<Goal>> {
    let goal = |(label, column): (&str, &String)| {
        let ratio = rates.ratio(label, BASE, column).context("measured")?;
        let figure = format!("records a second, {column}: {label}");
        Ok(Goal::at_least(&figure, ">= 1 x Unix stream", format!("{ratio:.2} x"), ratio, 1.0))
    };
    OURS.iter()
        .flat_map(|label| rates.columns.iter().map(move |column| goal((label, column))))
        .collect()
}
