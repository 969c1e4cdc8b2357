//! Video of any program that writes it to its standard output.
//!
//! Encoded video goes into a stream lane: the program's bytes are taken apart into pictures
//! ([`VideoSplitter`](crate::VideoSplitter)), and each becomes a record. Pixels go into a frame
//! lane, read from the pipe straight into its slots. The program is never made to wait for a
//! reader. One that ends, or falls silent, is started again after a while that grows with each
//! attempt; the lane and its readers stay, and what comes first after that says that something is
//! missing.

mod backoff;
mod child;
mod feed;
mod raw;
mod times;

pub use raw::RawStats;

use crate::error::{Result, invalid};
use crate::rate::Rate;
use backoff::Backoff;
use child::{Child, Read};
use feed::Feed;
use framelane::{Codec, Error, ErrorKind, FrameLayout, Producer, StreamWriter};
use raw::Pixels;
use std::time::{Duration, Instant};

/// Longest wait without looking whether to stop.
pub(crate) const SLICE: Duration = Duration::from_millis(50);
/// A program that never showed a picture is started so many times before that is an error.
const ATTEMPTS: u32 = 3;

/// Which program, and what to make of its output.
#[derive(Clone, Debug)]
pub struct CommandOptions {
    /// A shell command.
    pub command: String,
    /// What it writes, if that is encoded; None recognises it.
    pub codec: Option<Codec>,
    /// Pictures a second, for their times; None takes the times when they arrive.
    pub rate: Option<Rate>,
    /// Number of this camera in the stream's config.
    pub camera_id: u32,
    /// A program that shows no picture for so long is started again; zero waits for ever.
    pub silence: Duration,
    /// End after so many pictures.
    pub pictures: Option<u64>,
}

/// What became of the program's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Pictures written to the lane.
    pub pictures: u64,
    /// Key pictures among them.
    pub keys: u64,
    /// Bytes read from the program.
    pub read_bytes: u64,
    /// Bytes of records.
    pub bytes: u64,
    /// Times something in the stream was given up.
    pub damaged: u64,
    /// Pictures passed over for want of a key picture before them.
    pub skipped: u64,
    /// Pictures too large for the ring.
    pub too_large: u64,
    /// Times the program was started.
    pub starts: u64,
}

/// Why a program is no longer read.
enum Ended {
    /// Somebody asked, or enough pictures have come.
    Enough,
    /// It closed its output.
    Closed,
    /// It showed no picture for too long.
    Silent,
}

/// What came last of a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Nothing is missing after it.
    Whole,
    /// The program failed, maybe within a picture.
    Cut,
    /// It was we who did not read on.
    Unread,
}

/// What a program's output goes into.
trait Sink {
    /// Another run of the program begins.
    fn begin(&mut self) -> Result<()>;
    /// Takes what there is, waiting for a moment.
    fn read(&mut self, child: &mut Child) -> Result<Read>;
    /// The run has ended.
    fn end(&mut self, rest: Rest) -> Result<()>;
    /// Pictures so far.
    fn pictures(&self) -> u64;
    /// Runs so far.
    fn starts(&self) -> u64;
}

/// Runs the program and fills the lane of `writer` until `stop` says so or enough pictures have
/// come. The program and all that it started end with this call, and with this process even if that
/// is killed.
///
/// # Errors
/// `InvalidArgument` for a command that is not there or cannot be run; `System` for one that ended
/// three times without having shown a single picture, with its last words; what writing the stream
/// fails with.
pub fn run(
    writer: &StreamWriter,
    options: &CommandOptions,
    stop: &dyn Fn() -> bool,
) -> Result<CommandStats> {
    let mut feed = Feed::new(writer, options);
    supervise(&mut feed, options, stop)?;
    Ok(feed.stats)
}

/// As [`run`], with a program that writes pixels: pictures of `layout`, one directly after the
/// other, which is also the layout of the lane of `producer`.
///
/// # Errors
/// As [`run`].
pub fn run_raw(
    producer: &Producer,
    layout: &FrameLayout,
    options: &CommandOptions,
    stop: &dyn Fn() -> bool,
) -> Result<RawStats> {
    let mut pixels = Pixels::new(producer, *layout, options);
    supervise(&mut pixels, options, stop)?;
    Ok(pixels.stats)
}

/// Starts the program, and starts it again, until enough has come.
fn supervise(sink: &mut dyn Sink, options: &CommandOptions, stop: &dyn Fn() -> bool) -> Result<()> {
    let mut backoff = Backoff::default();
    while !stop() && !has_enough(sink, options) {
        let before = sink.pictures();
        sink.begin()?;
        let mut child = Child::start(&options.command)?;
        let ended = read(&mut child, sink, options, stop);
        let (status, last_words) = child.end();
        sink.end(match &ended {
            // What fails has hardly got to the end of its picture.
            Ok(Ended::Closed) if !status.success() => Rest::Cut,
            Ok(Ended::Closed | Ended::Silent) => Rest::Whole,
            Ok(Ended::Enough) | Err(_) => Rest::Unread,
        })?;
        let why = match ended? {
            Ended::Enough => break,
            Ended::Closed => status.to_string(),
            Ended::Silent => format!("no picture for {} s", options.silence.as_secs_f32()),
        };
        let worked = sink.pictures() > before;
        let ended = format!("{:?} ended: {why}{last_words}", options.command);
        if matches!(status.code(), Some(126 | 127)) && sink.pictures() == 0 {
            return Err(invalid(ended));
        }
        if sink.pictures() == 0 && sink.starts() >= u64::from(ATTEMPTS) {
            let text = format!("{ended}; {ATTEMPTS} times, and not one picture came");
            return Err(Error::new(ErrorKind::System, text));
        }
        let pause = backoff.after(worked);
        tracing::warn!("{ended}; it is started again in {} ms", pause.as_millis());
        wait(pause, stop);
    }
    Ok(())
}

/// Reads one run of the program.
fn read(
    child: &mut Child,
    sink: &mut dyn Sink,
    options: &CommandOptions,
    stop: &dyn Fn() -> bool,
) -> Result<Ended> {
    let mut seen = (sink.pictures(), Instant::now());
    loop {
        if stop() || has_enough(sink, options) {
            return Ok(Ended::Enough);
        }
        if let Read::End = sink.read(child)? {
            return Ok(Ended::Closed);
        }
        if sink.pictures() != seen.0 {
            seen = (sink.pictures(), Instant::now());
        } else if !options.silence.is_zero() && seen.1.elapsed() > options.silence {
            return Ok(Ended::Silent);
        }
    }
}

fn has_enough(sink: &dyn Sink, options: &CommandOptions) -> bool {
    options.pictures.is_some_and(|enough| sink.pictures() >= enough)
}

fn wait(time: Duration, stop: &dyn Fn() -> bool) {
    let end = Instant::now() + time;
    while !stop() && Instant::now() < end {
        std::thread::sleep(SLICE.min(end.saturating_duration_since(Instant::now())));
    }
}
