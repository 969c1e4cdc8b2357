//! `framelane record`

mod condition;
mod frames;
mod names;
mod output;
mod pre;
mod progress;
mod recorder;
mod session;
mod timeline;
mod triggers;

use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::{self, Watched};
use crate::{output as print, units};
use recorder::{Counts, Recorder, Written};
use serde::Serialize;
use session::Session;
use signal_hook::consts::SIGXFSZ;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use triggers::Trigger;

#[derive(clap::Args)]
#[command(after_help = "\
Frame lanes go into .y4m, uncompressed; the rest is about streams and .mp4.

Writes fragmented MP4, H.264 or H.265 as the lane has it. A full disk, a kill -9 or a power cut
costs the last half second at most, and what the disk had not got yet. A new file begins at each
event, at the key record after --rotate is reached, and where codec, size or parameter sets change;
the second is FILE-0002 before its ending, and so on. Later events of --trigger make a recording
longer.

Triggers: start (at once), signal (each SIGUSR1), command (lines on standard input: trigger, stop,
quit; its end is that of the command after what is being recorded), and records of a lane of JSON:
  record:LANE               each record
  record:LANE/PATH          where PATH leads to something: not null, false, 0 or empty
  record:LANE/PATH=VALUE    where it leads to VALUE; a part that is * stands for any, as in
                            record:detections/objects/*/label=cat")]
pub struct Args {
    /// Lane to record
    pub lane: String,
    /// File to write: .mp4 of a stream lane, .y4m of a frame lane
    file: PathBuf,
    /// Begin with the key record before so long before the event: 5s, 500ms
    #[arg(long, value_name = "TIME", value_parser = units::span)]
    pre: Option<Duration>,
    /// End so long after the start
    #[arg(long, value_name = "TIME", value_parser = units::span, conflicts_with = "trigger")]
    duration: Option<Duration>,
    /// End after so many records or frames
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// What to wait for before recording; may be given several times [default: start]
    #[arg(long, value_name = "TRIGGER")]
    trigger: Vec<Trigger>,
    /// End a recording so long after its last event
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::span)]
    post: Duration,
    /// End after so many events
    #[arg(long, value_name = "N", requires = "trigger")]
    events: Option<u64>,
    /// Begin a new file after so long or so much: 60s, 100MB
    #[arg(long, value_name = "TIME|SIZE", value_parser = rotation)]
    rotate: Option<Rotation>,
    /// Have the writer wait instead of missing any, where the lane admits that
    #[arg(long, conflicts_with = "trigger")]
    lossless: bool,
    /// End with the writer instead of waiting for the next
    #[arg(long)]
    until_end: bool,
    /// Replace files that are there
    #[arg(long)]
    force: bool,
    /// Wait so long for the lane
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::span)]
    wait: Duration,
    #[command(flatten)]
    metrics: metrics::Options,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// When a file is long enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    rotate_ns: Option<u64>,
    rotate_bytes: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
enum Rotation {
    Time(Duration),
    Bytes(u64),
}

fn rotation(text: &str) -> Result<Rotation, String> {
    match units::span(text) {
        Ok(time) if !time.is_zero() => Ok(Rotation::Time(time)),
        _ => match units::bytes(text)? {
            0 => Err("nothing is no length of a file".into()),
            bytes => Ok(Rotation::Bytes(bytes)),
        },
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    files: &'a [Written],
    #[serde(flatten)]
    counts: &'a Counts,
    /// Times that the reader was overtaken.
    lapped: u64,
    events: u64,
    elapsed_ns: u64,
    /// What ended it before its time; null where nothing did.
    error: Option<String>,
}

impl Args {
    fn triggers(&self) -> &[Trigger] {
        if self.trigger.is_empty() { &[Trigger::Start] } else { &self.trigger }
    }

    /// Whether raw frames are wanted, and not a stream.
    fn wants_frames(&self) -> Result<bool, Usage> {
        if self.triggers().len() > 1 && self.triggers().contains(&Trigger::Start) {
            return Err(Usage("start waits for nothing, so there is no other trigger".into()));
        }
        let past = self.pre.is_some() || !self.trigger.is_empty() || self.rotate.is_some();
        match self.file.extension().and_then(|ending| ending.to_str()) {
            Some("mp4" | "m4v") => Ok(false),
            Some("y4m") if past => {
                let text = "--pre, --trigger and --rotate are for stream lanes: a frame lane keeps \
                            no past";
                Err(Usage(text.into()))
            }
            Some("y4m") => Ok(true),
            _ => Err(Usage(format!("{} ends in neither .mp4 nor .y4m", self.file.display()))),
        }
    }

    fn limits(&self) -> Limits {
        match self.rotate {
            Some(Rotation::Time(time)) => {
                Limits { rotate_ns: u64::try_from(time.as_nanos()).ok(), rotate_bytes: None }
            }
            Some(Rotation::Bytes(bytes)) => Limits { rotate_ns: None, rotate_bytes: Some(bytes) },
            None => Limits::default(),
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wants_frames = args.wants_frames()?;
    let interrupt = Interrupt::listen()?;
    // A limit on the size of files is then an error like a full disk, not the end of the process.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    output::check(&args.file, args.force)?;
    let _metrics = args.metrics.serve(Watched::Named(args.lane.clone()))?;
    if wants_frames {
        return frames::run(args, &interrupt);
    }
    let started = Instant::now();
    let recorder = Recorder::new(args.file.clone(), args.force, args.limits());
    let Some(mut session) = Session::open(args, &interrupt, recorder)? else {
        return Ok(ExitCode::FAILURE);
    };
    let run = session.run();
    session.end_progress();
    let outcome = match run {
        Ok(()) => session.recorder.finish(),
        Err(error) => {
            // What was taken in before may still be written, unless that is what failed.
            let _ = session.recorder.finish();
            Err(error)
        }
    };
    session.recorder.give_up();
    let summary = Summary {
        lane: &args.lane,
        files: &session.recorder.files,
        counts: &session.recorder.counts,
        lapped: session.lapped,
        events: session.events,
        elapsed_ns: started.elapsed().as_nanos() as u64,
        error: outcome.as_ref().err().map(|error| format!("{error:#}")),
    };
    if args.json {
        print::print_json(&summary)?;
    } else {
        print::print(&text(&summary))?;
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

fn text(summary: &Summary<'_>) -> String {
    let mut text = String::new();
    for file in summary.files {
        let pre = file.pre_ns.filter(|&ns| ns > 0);
        let pre = pre.map(|ns| format!(", {} of it before the event", units::time(ns)));
        text += &format!(
            "{}: {} of {}{}, {}, {}\n",
            file.file,
            units::time(file.duration_ns),
            file.codec,
            pre.unwrap_or_default(),
            units::count(file.records, "record"),
            units::size(file.bytes)
        );
    }
    let counts = summary.counts;
    if summary.files.is_empty() {
        text += &format!("{}: nothing was recorded\n", summary.lane);
    }
    text += &format!(
        "{} missed, {} before a key record, {} of another codec\n",
        counts.missed, counts.before_key, counts.other_codec
    );
    text
}
