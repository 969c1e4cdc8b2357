//! `framelane watch`: reads a lane in place and keeps the books.

use crate::interrupt::Interrupt;
use crate::ledger::{Arrival, Ledger, Strip};
use crate::numbers;
use crate::reader::Reader;
use anyhow::Result;
use clap::ValueEnum;
use framelane::{ConsumerOptions, ErrorKind, Frame, Report, monotonic_ns, query};
use framelane_camera::strip;
use serde_json::{Value, json};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Longest sleep before looking whether it is time to print or to stop.
const SLICE: Duration = Duration::from_millis(100);
const ANSWER: Duration = Duration::from_secs(2);

/// How to watch.
#[derive(clap::Args)]
pub struct Args {
    /// Lane to read
    pub lane: String,
    /// Which frames to read
    #[arg(long, value_enum, default_value_t = Mode::Latest)]
    mode: Mode,
    /// Prove from the strip in the picture that each frame is whole and in order
    #[arg(long)]
    verify_strip: bool,
    /// Stop after so many frames
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// Wait so many seconds for a producer
    #[arg(long, value_name = "SECONDS", default_value_t = 10.0)]
    wait: f64,
    /// Print every so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    interval: f64,
    /// Print one JSON object a line; the last one has "final": true
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// The newest frame
    Latest,
    /// Every frame that is still reachable, in order
    Ordered,
    /// Every frame; the producer waits
    Lossless,
}

impl From<Mode> for framelane::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Latest => framelane::Mode::Latest,
            Mode::Ordered => framelane::Mode::Ordered,
            Mode::Lossless => framelane::Mode::Lossless,
        }
    }
}

/// Reads until it is told to stop. Fails if anything was torn, out of order or silently lost.
pub fn run(args: &Args) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let interval = Duration::try_from_secs_f64(args.interval)?;
    let Some(mut consumer) = open(args, &interrupt)? else { return Ok(ExitCode::FAILURE) };
    let mut books = Books {
        args,
        ledger: Ledger::default(),
        first_error: None,
        revoked: 0,
        started: Instant::now(),
    };
    let mut printed = Instant::now();
    while !interrupt.asked() && args.frames.is_none_or(|frames| books.ledger.received < frames) {
        if let Some(frame) = consumer.next(SLICE.min(interval))? {
            books.enter(&frame);
            // The lane says so only to whoever asks: what was read of it may be another frame.
            books.revoked += u64::from(frame.release().is_err());
        }
        if printed.elapsed() >= interval {
            books.print(false);
            printed = Instant::now();
        }
    }
    books.print(true);
    drop(consumer);
    Ok(if books.ledger.clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits for the lane, in slices: somebody may lose patience before it is there.
fn open(args: &Args, interrupt: &Interrupt) -> Result<Option<Reader>> {
    let wait = Duration::try_from_secs_f64(args.wait)?;
    let options = ConsumerOptions::new(args.mode.into()).wait_for_lane(SLICE);
    let start = Instant::now();
    while !interrupt.asked() {
        match Reader::open(&args.lane, options.clone()) {
            Err(error) if error.kind() == ErrorKind::NotFound && start.elapsed() < wait => {}
            outcome => return Ok(Some(outcome?)),
        }
    }
    Ok(None)
}

struct Books<'a> {
    args: &'a Args,
    ledger: Ledger,
    /// What was wrong with the first picture that was not whole.
    first_error: Option<String>,
    /// Frames that the lane took back while we had them.
    revoked: u64,
    started: Instant,
}

impl Books<'_> {
    fn enter(&mut self, frame: &Frame) {
        let published = frame.descriptor().publish_ns;
        // Before the strip is read: that takes time of its own.
        let latency_ns = (published > 0).then(|| monotonic_ns().saturating_sub(published));
        let strip = if self.args.verify_strip { self.read_strip(frame) } else { Strip::Unread };
        self.ledger.enter(Arrival {
            epoch: frame.epoch(),
            sequence: frame.sequence(),
            missed: frame.missed(),
            switched: frame.switched(),
            strip,
            latency_ns,
        });
    }

    fn read_strip(&mut self, frame: &Frame) -> Strip {
        match strip::verify_frame(frame) {
            Ok(reading) => Strip::Whole(reading.mark.number),
            Err(error) => {
                if self.first_error.is_none() {
                    tracing::warn!("frame {}: {error}", frame.sequence());
                    self.first_error = Some(error.to_string());
                }
                Strip::Broken
            }
        }
    }

    fn print(&self, last: bool) {
        if self.args.json {
            println!("{}", self.json(last));
        } else {
            println!("{}", self.line());
        }
    }

    fn json(&self, last: bool) -> Value {
        let mut value = self.ledger.json();
        value["final"] = json!(last);
        value["revoked"] = json!(self.revoked);
        value["pid"] = json!(std::process::id());
        value["first_error"] = json!(self.first_error);
        value["mode"] = json!(framelane::Mode::from(self.args.mode).name());
        value["elapsed_ns"] = json!(self.started.elapsed().as_nanos() as u64);
        // Without its producer a lane has nothing to say; the reader's own figures still count.
        value["lane"] = query(&self.args.lane, None, ANSWER).map_or(Value::Null, |r| lane(&r));
        value
    }

    fn line(&self) -> String {
        let Ledger { received, missed, torn, out_of_order, unaccounted, .. } = self.ledger;
        let rate = received as f64 / self.started.elapsed().as_secs_f64();
        let micros = |percent| self.ledger.latency_ns(percent).unwrap_or(0) as f64 / 1e3;
        format!(
            "{received} frames  {rate:.1} fps  {missed} missed  {torn} torn  \
             {out_of_order} out of order  {unaccounted} unaccounted  \
             p50 {:.1} µs  p99 {:.1} µs",
            micros(50),
            micros(99)
        )
    }
}

/// What the producer says of the lane, in the words that `info` uses too.
fn lane(report: &Report) -> Value {
    json!({
        "published": report.published,
        "consumers": report.consumer_count,
        "copied_bytes": numbers::copied_bytes(report),
    })
}
