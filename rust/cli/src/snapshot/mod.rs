//! `framelane snapshot`

mod color;
mod encode;
mod kind;
pub mod picture;
mod save;
pub mod y4m;

use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::reader::Reader;
use crate::{numbers, output, units};
use anyhow::bail;
use framelane::{ConsumerOptions, ErrorKind, Frame, Mode, monotonic_ns};
use kind::Kind;
use picture::Picture;
use serde::Serialize;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How soon a signal is noticed while no frame comes.
const SLICE: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
#[command(after_help = "\
The file's ending chooses what is written: .png, .jpg, .y4m, or the bytes as they are with rows
packed tightly: .raw for any format, and .nv12 .i420 .yuv .yuyv .rgb24 .bgr24 .grey for lanes of
just that. Colour matrix and range are the frame's; unspecified means BT.601 below 720 rows and
BT.709 from there on, limited range for YUV and full range for grey.")]
pub struct Args {
    /// Name of the lane
    pub lane: String,
    /// File to write, or - for standard output [default: LANE.png]
    file: Option<PathBuf>,
    /// The same as FILE
    #[arg(short, long, value_name = "FILE", conflicts_with = "file")]
    output: Option<PathBuf>,
    /// What to write, where the ending does not say
    #[arg(long)]
    format: Option<Kind>,
    /// Wait for the next frame instead of taking the newest
    #[arg(long)]
    next: bool,
    /// Seconds to wait for a frame
    #[arg(long, value_name = "S", default_value = "5", value_parser = units::seconds)]
    timeout: Duration,
    /// Quality of a JPEG
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Print one JSON object about what was written
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Written {
    lane: String,
    /// Null for standard output.
    file: Option<String>,
    kind: &'static str,
    bytes: usize,
    epoch: String,
    sequence: u64,
    age_ns: u64,
    capture_id: u64,
    format: Option<String>,
    width: u32,
    height: u32,
    /// The ones that were used.
    color_matrix: &'static str,
    color_range: &'static str,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let named = args.output.as_ref().or(args.file.as_ref());
    let file = named.cloned().unwrap_or_else(|| format!("{}.png", args.lane).into());
    let standard_output = file == Path::new("-");
    if standard_output && args.json {
        return Err(Usage("--json and -o - both want standard output".into()).into());
    }
    let kind = Kind::choose(args.format, (!standard_output).then_some(&file))?;
    if standard_output && std::io::stdout().is_terminal() {
        return Err(Usage(
            "a picture would garble the terminal: redirect it, or name a file".into(),
        )
        .into());
    }
    let (picture, mut written) = take(args)?;
    kind.refuse_other_format(picture.format)?;
    let bytes = encode::encode(&picture, kind, args.quality)?;
    written.kind = kind.name();
    written.bytes = bytes.len();
    if standard_output {
        output::print_bytes(&bytes)?;
    } else {
        save::save(&file, &bytes)?;
        written.file = Some(file.display().to_string());
    }
    eprintln!("{}", told(&written));
    if args.json {
        output::print_json(&written)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// One frame, out of the lane: the lease is over before anything is encoded.
fn take(args: &Args) -> anyhow::Result<(Picture, Written)> {
    let interrupt = Interrupt::listen()?;
    let options = ConsumerOptions::new(Mode::Latest).wants_writable(true);
    let mut consumer = Reader::open(&args.lane, options)?;
    let started_ns = monotonic_ns();
    let until = Instant::now() + args.timeout.min(Duration::from_secs(86_400));
    loop {
        if interrupt.asked() {
            bail!("interrupted before a frame came");
        }
        // The first read delivers the newest frame, however old it is.
        let frame = consumer.next(until.saturating_duration_since(Instant::now()).min(SLICE))?;
        let wanted = |frame: &Frame| !args.next || frame.descriptor().publish_ns >= started_ns;
        if let Some(frame) = frame.filter(wanted) {
            match Picture::copy(&frame) {
                Ok(picture) => {
                    let written = about(&args.lane, &frame, &picture);
                    return Ok((picture, written));
                }
                // The device took it back meanwhile: another will come.
                Err(error) if is_revoked(&error) => {}
                Err(error) => return Err(error),
            }
        }
        if Instant::now() >= until {
            let (lane, time) = (&args.lane, args.timeout.as_secs_f64());
            bail!("lane {lane:?} has had no frame for {time} s: see framelane info {lane}");
        }
    }
}

fn is_revoked(error: &anyhow::Error) -> bool {
    error.downcast_ref::<framelane::Error>().is_some_and(|e| e.kind() == ErrorKind::Revoked)
}

fn about(lane: &str, frame: &Frame, picture: &Picture) -> Written {
    let descriptor = frame.descriptor();
    Written {
        lane: lane.to_owned(),
        file: None,
        kind: "",
        bytes: 0,
        epoch: numbers::id(frame.epoch()),
        sequence: frame.sequence(),
        age_ns: monotonic_ns().saturating_sub(descriptor.publish_ns),
        capture_id: descriptor.capture_id,
        format: numbers::pixel_format(descriptor.fourcc),
        width: picture.width,
        height: picture.height,
        color_matrix: picture.matrix.name(),
        color_range: picture.range.name(),
    }
}

fn told(written: &Written) -> String {
    format!(
        "{}: frame {} of lane {}, {} {}x{}, {} old; {}",
        written.file.as_deref().unwrap_or("standard output"),
        written.sequence,
        written.lane,
        written.format.as_deref().unwrap_or("-"),
        written.width,
        written.height,
        units::time(written.age_ns),
        units::size(written.bytes as u64)
    )
}
