//! `framelane hz`

mod stats;

use crate::interrupt::Interrupt;
use crate::reader::Reader;
use crate::{output, units};
use clap::builder::RangedI64ValueParser;
use framelane::{ConsumerOptions, Mode, monotonic_ns};
use serde::Serialize;
use stats::{Sample, Spread, Window};
use std::process::ExitCode;
use std::time::Duration;

/// How soon a signal or the end of the time is noticed when no frames come.
const SLICE: Duration = Duration::from_millis(50);
const SECOND_NS: u64 = 1_000_000_000;

#[derive(clap::Args)]
#[command(after_help = "\
A line a second, and a summary at the end: after --duration, or on Ctrl-C. It reads the newest frame
each time, so what it misses says that it was slow itself, not that the lane was.")]
pub struct Args {
    /// Name of the lane
    pub lane: String,
    /// Frames that the figures are over
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = window())]
    window: u32,
    /// Seconds to measure [default: until Ctrl-C]
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    duration: Option<Duration>,
    /// Print one JSON object at the end instead
    #[arg(long)]
    json: bool,
}

/// Figures over the newest frames of the window; the counts are over the whole run.
#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    duration_ns: u64,
    received: u64,
    missed: u64,
    /// Producers seen: more than 1 after a restart.
    epochs: u64,
    window_frames: usize,
    rate_fps: Option<f64>,
    /// Between frames that follow each other.
    interval_ns: Option<Spread>,
    publish_to_seen_ns: Option<Spread>,
    /// Null without a capture time on a clock that can be read here.
    capture_to_seen_ns: Option<Spread>,
}

fn window() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(2..=1_000_000)
}

struct Meter {
    consumer: Reader,
    window: Window,
    started_ns: u64,
    epochs: u64,
    epoch: u64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let options = ConsumerOptions::new(Mode::Latest).wants_writable(true);
    let consumer = Reader::open(&args.lane, options)?;
    let window = Window::new(args.window as usize);
    let mut meter = Meter { consumer, window, started_ns: monotonic_ns(), epochs: 0, epoch: 0 };
    let measured = meter.measure(args, &interrupt);
    // What was measured before a failure is shown all the same.
    let summary = meter.summary(&args.lane);
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::print(&text(&summary))?;
    }
    measured.map(|()| ExitCode::SUCCESS)
}

impl Meter {
    fn measure(&mut self, args: &Args, interrupt: &Interrupt) -> anyhow::Result<()> {
        let length = args.duration.map_or(u64::MAX, units::nanoseconds);
        let end_ns = self.started_ns.saturating_add(length);
        let mut line_ns = self.started_ns + SECOND_NS;
        loop {
            let now = monotonic_ns();
            if interrupt.asked() || now >= end_ns {
                return Ok(());
            }
            if now >= line_ns {
                line_ns = now.saturating_add(SECOND_NS);
                if !args.json {
                    output::print(&self.line(now))?;
                }
            }
            let left = Duration::from_nanos(end_ns - now);
            self.read_one(left.min(SLICE))?;
        }
    }

    fn read_one(&mut self, timeout: Duration) -> framelane::Result<()> {
        let Some(frame) = self.consumer.next(timeout)? else { return Ok(()) };
        let seen_ns = monotonic_ns();
        let sample = Sample::new(frame.epoch(), frame.sequence(), frame.descriptor(), seen_ns);
        if self.epoch != sample.epoch {
            self.epoch = sample.epoch;
            self.epochs += 1;
        }
        // A frame that was there before we came would tell its age, not a latency.
        if sample.publish_ns >= self.started_ns {
            self.window.push(sample);
        }
        Ok(())
    }

    fn line(&self, now_ns: u64) -> String {
        let Some(newest) = self.window.newest() else {
            let why = if self.consumer.has_producer() { "no frame yet" } else { "no producer" };
            return format!("{why}\n");
        };
        let silent = now_ns.saturating_sub(newest.seen_ns);
        if silent >= SECOND_NS {
            let producer = if self.consumer.has_producer() { "" } else { ", no producer" };
            return format!("no frame for {}{producer}\n", units::time(silent));
        }
        let rate = self.window.rate().map_or("-".into(), |rate| format!("{rate:.2}"));
        format!(
            "{rate} fps  interval {}  publish to seen {}  missed {}\n",
            spread(self.window.intervals()),
            spread(self.window.publish_to_seen()),
            self.consumer.missed()
        )
    }

    fn summary<'a>(&self, lane: &'a str) -> Summary<'a> {
        Summary {
            lane,
            duration_ns: monotonic_ns().saturating_sub(self.started_ns),
            received: self.consumer.received(),
            missed: self.consumer.missed(),
            epochs: self.epochs,
            window_frames: self.window.len(),
            rate_fps: self.window.rate(),
            interval_ns: self.window.intervals(),
            publish_to_seen_ns: self.window.publish_to_seen(),
            capture_to_seen_ns: self.window.capture_to_seen(),
        }
    }
}

fn spread(spread: Option<Spread>) -> String {
    let Some(spread) = spread else { return "-".into() };
    format!("{} (max {})", units::time(spread.median), units::time(spread.max))
}

fn text(summary: &Summary<'_>) -> String {
    let rate = summary.rate_fps.map_or("no rate".into(), |rate| format!("{rate:.2} fps"));
    let mut text = format!(
        "\n{}: {rate} over {}; {} received, {} missed in {}, {}\n",
        summary.lane,
        units::count(summary.window_frames as u64, "frame"),
        summary.received,
        summary.missed,
        units::time(summary.duration_ns),
        units::count(summary.epochs, "producer"),
    );
    let mut table = crate::table::Table::new(&["", "MIN", "MEDIAN", "P99", "MAX"]);
    for (name, spread) in [
        ("interval", summary.interval_ns),
        ("publish to seen", summary.publish_to_seen_ns),
        ("capture to seen", summary.capture_to_seen_ns),
    ] {
        let [min, median, p99, max] = match spread {
            Some(s) => [s.min, s.median, s.p99, s.max].map(units::time),
            None => ["-"; 4].map(str::to_owned),
        };
        table.row([name.into(), min, median, p99, max]);
    }
    text += &table.render();
    text
}
