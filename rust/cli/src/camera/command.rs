//! `framelane camera --source command:…`: what a program writes, into a lane.

use super::{Args, raw};
use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::Watched;
use crate::ring::RingArgs;
use crate::{notify, output, units};
use framelane::{Codec, StreamConfig, StreamWriter};
use framelane_camera::command::{self, CommandOptions, CommandStats};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// Of the source `command` alone.
#[derive(clap::Args)]
#[command(next_help_heading = "Source command:'PROGRAM …', into a stream lane, or with --format \
                               and --size into a frame lane")]
pub struct StreamArgs {
    /// Bytes from one row of its pixels to the next, where it pads rows [default: it does not];
    /// those of chroma follow from it
    #[arg(long, value_name = "BYTES")]
    pub stride: Option<u32>,
    /// Start the program again when it shows no picture for so many seconds; 0: never
    #[arg(long, value_name = "S", value_parser = units::seconds, default_value = "10")]
    silence: Duration,
    #[command(flatten)]
    pub ring: RingArgs,
}

/// What the run came to.
#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    directory: String,
    epoch: String,
    source: &'a str,
    codec: String,
    width: u32,
    height: u32,
    elapsed_ns: u64,
    pictures: u64,
    keys: u64,
    read_bytes: u64,
    written_bytes: u64,
    /// Times something in the stream was given up.
    damaged: u64,
    /// Pictures before the first key picture.
    skipped: u64,
    too_large: u64,
    /// Times the program was started.
    starts: u64,
    /// Bytes the SDK itself copied on this side.
    copied_bytes: u64,
}

pub fn run(args: &Args, command: &str, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    refuse_frame_options(args)?;
    let codec = args.device.codec;
    let options = CommandOptions {
        command: command.to_owned(),
        codec,
        rate: args.picture.fps,
        camera_id: args.camera_id,
        silence: args.stream.silence,
        pictures: args.frames,
    };
    if let Some(format) = args.picture.format {
        return raw::run(args, format, &options, interrupt);
    }
    let config = StreamConfig::new(codec.unwrap_or(Codec::Opaque));
    let lane = args.stream.ring.options(config).access(args.peers.access());
    let writer = StreamWriter::create(args.lane(), lane.trust(args.peers.trust()))?;
    let _metrics = args.metrics.serve(Watched::lane(writer.name(), writer.directory()))?;
    let place = writer.directory().display();
    tracing::info!("stream lane {} is open in {place}", writer.name());
    notify::ready();
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let stats = command::run(&writer, &options, &stop)?;
    let source = args.source.to_string();
    let summary = summary(&writer, &source, &stats, span.elapsed_ns());
    output::summary(args.json, &summary, &text(&summary))?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_frame_options(args: &Args) -> Result<(), Usage> {
    // A command's pictures are passed on as they are; what their format is says what they are.
    let raw = args.picture.format.is_some();
    let given = [
        (args.picture.size.is_some() && !raw, "--size is for pixels, and needs --format"),
        (args.stream.stride.is_some() && !raw, "--stride is for pixels, and needs --format"),
        (args.picture.strip, "--strip is for frames that are made here, not by a command"),
        (args.pool.lossless, "--lossless is for sources that can wait, and a command must not"),
    ];
    match given.into_iter().find(|(given, _)| *given) {
        Some((_, text)) => Err(Usage(text.into())),
        None => Ok(()),
    }
}

fn summary<'a>(
    writer: &'a StreamWriter,
    source: &'a str,
    stats: &CommandStats,
    elapsed_ns: u64,
) -> Summary<'a> {
    let config = writer.config();
    Summary {
        lane: writer.name(),
        directory: writer.directory().display().to_string(),
        epoch: crate::numbers::id(writer.epoch()),
        source,
        codec: crate::numbers::codec(config.codec),
        width: config.width,
        height: config.height,
        elapsed_ns,
        pictures: stats.pictures,
        keys: stats.keys,
        read_bytes: stats.read_bytes,
        written_bytes: stats.bytes,
        damaged: stats.damaged,
        skipped: stats.skipped,
        too_large: stats.too_large,
        starts: stats.starts,
        copied_bytes: writer.report().copied_bytes,
    }
}

fn text(summary: &Summary<'_>) -> String {
    format!(
        "{}: {} pictures, {} of them key, {} of {} in {}; started {}, damaged {}, {} too large\n",
        summary.lane,
        summary.pictures,
        summary.keys,
        units::size(summary.written_bytes),
        summary.codec,
        units::time(summary.elapsed_ns),
        units::count(summary.starts, "time"),
        units::count(summary.damaged, "time"),
        summary.too_large
    )
}
