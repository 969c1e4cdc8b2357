//! `framelane play`

mod frames;
mod pace;
mod source;
mod video;

use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::{self, Watched};
use crate::{numbers, output, units};
use framelane::{Mode, PixelFormat, Report};
use framelane_camera::Rate;
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
#[command(after_help = "\
Plays the first H.264 or H.265 track of an MP4 file, fragmented or plain, whoever made it: each
picture becomes a record in Annex B form, with parameter sets at each key picture. Files of other
codecs, and edit lists that leave out, repeat or slow pictures, are refused. A fragmented file that
was cut short plays as far as it is whole.

Files ending in .h264, .h265 (or .264, .avc, .265, .hevc) and .mjpeg hold nothing but pictures,
which are counted for their times. A .y4m file goes into a frame lane.")]
pub struct Args {
    /// File to play
    file: PathBuf,
    /// Lane to make
    pub lane: String,
    /// As fast as readers go, who may have the writer wait, instead of by the clock
    #[arg(long)]
    lossless: bool,
    /// Begin again at the end
    #[arg(long = "loop")]
    again: bool,
    /// So many times as fast
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, conflicts_with = "lossless")]
    speed: f64,
    /// Wait for so many readers before the first record [default: 1 with --lossless, else none]
    #[arg(long, value_name = "N")]
    readers: Option<usize>,
    /// Size of the lane's ring, of which a record takes half at most [default: 8 MiB, or more
    /// where the file needs it]
    #[arg(long, value_name = "SIZE", value_parser = units::bytes)]
    ring: Option<u64>,
    /// Pictures a second of a file without times [default: what its parameter sets say, or 30]
    #[arg(long, value_name = "FPS")]
    fps: Option<Rate>,
    /// Pixel format of the frames of a .y4m: nv12, i420, yuyv, rgb24, bgr24, grey [default: nv12,
    /// or grey for a clip without colour]
    #[arg(long, value_parser = PixelFormat::parse)]
    format: Option<PixelFormat>,
    /// End after so many records or frames
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    #[command(flatten)]
    metrics: metrics::Options,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

/// What the run came to.
#[derive(Serialize)]
struct Summary<'a> {
    file: String,
    lane: &'a str,
    codec: String,
    width: u32,
    height: u32,
    records: u64,
    bytes: u64,
    /// Times it began again.
    loops: u64,
    elapsed_ns: u64,
    /// Why the file ends before it should; null where it does not.
    cut: Option<String>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !(args.speed.is_finite() && args.speed > 0.0) {
        return Err(Usage(format!("{} is no speed", args.speed)).into());
    }
    let _metrics = args.metrics.serve(Watched::Named(args.lane.clone()))?;
    let interrupt = Interrupt::listen()?;
    let started = Instant::now();
    let raw = args.file.extension().is_some_and(|ending| ending == "y4m");
    if raw && args.fps.is_some() {
        return Err(Usage("--fps is for .h264, .h265 and .mjpeg: a clip has its own".into()).into());
    }
    if !raw && args.format.is_some() {
        return Err(Usage("--format is for .y4m: video goes as it is".into()).into());
    }
    let mut summary = match raw {
        true => frames::play(args, &interrupt)?,
        false => video::play(args, &interrupt)?,
    };
    summary.elapsed_ns = started.elapsed().as_nanos() as u64;
    if args.json {
        output::print_json(&summary)?;
    } else {
        output::print(&text(&summary))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Until as many read as asked for; gives up when interrupted.
fn wait_for_readers(args: &Args, interrupt: &Interrupt, readers: &dyn Fn() -> usize) {
    let wanted = args.readers.unwrap_or(usize::from(args.lossless));
    while readers() < wanted && !interrupt.asked() {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Until lossless readers have taken all there is: with the lane, what they have not attached to
/// yet would go.
fn drain(args: &Args, interrupt: &Interrupt, report: &dyn Fn() -> Report) {
    let behind = |report: Report| {
        let readers = &report.consumers[..report.consumer_count as usize];
        let lossless = readers.iter().filter(|one| one.mode == Mode::Lossless.number());
        lossless.into_iter().any(|reader| reader.cursor <= numbers::newest(&report))
    };
    while args.lossless && !interrupt.asked() && behind(report()) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn text(summary: &Summary<'_>) -> String {
    format!(
        "{}: {} of {} {}x{}, {} in {}\n",
        summary.lane,
        units::count(summary.records, "record"),
        summary.codec,
        summary.width,
        summary.height,
        units::size(summary.bytes),
        units::time(summary.elapsed_ns)
    )
}
