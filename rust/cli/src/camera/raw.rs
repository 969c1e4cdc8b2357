//! `framelane camera --source command:… --format …`: pixels of a program, into a frame lane.

use super::{Args, format_name};
use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::Watched;
use crate::{notify, output, units};
use framelane::{FrameLayout, PixelFormat, Producer};
use framelane_camera::command::{self, CommandOptions, RawStats};
use framelane_camera::strided;
use serde::Serialize;
use std::process::ExitCode;

/// What the run came to.
#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    directory: String,
    epoch: String,
    source: &'a str,
    format: String,
    width: u32,
    height: u32,
    elapsed_ns: u64,
    pictures: u64,
    read_bytes: u64,
    /// Pictures that the program did not write to their end.
    torn: u64,
    no_free_slot: u64,
    /// Times the program was started.
    starts: u64,
    /// Bytes the SDK itself copied on this side: from the pipe into the lane.
    copied_bytes: u64,
}

pub fn run(
    args: &Args,
    format: PixelFormat,
    options: &CommandOptions,
    interrupt: &Interrupt,
) -> anyhow::Result<ExitCode> {
    let layout = layout(args, format)?;
    let producer = Producer::create(args.lane(), args.options(layout)?)?;
    let _metrics = args.metrics.serve(Watched::lane(producer.name(), producer.directory()))?;
    let (name, place) = (producer.name(), producer.directory().display());
    let (width, height) = (layout.width, layout.height);
    tracing::info!("lane {name} is open in {place}: {} {width}x{height}", format_name(&layout));
    notify::ready();
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let stats = command::run_raw(&producer, &layout, options, &stop)?;
    let source = args.source.to_string();
    let summary = summary(&producer, &layout, &source, &stats, span.elapsed_ns());
    output::summary(args.json, &summary, &text(&summary))?;
    Ok(ExitCode::SUCCESS)
}

fn layout(args: &Args, format: PixelFormat) -> anyhow::Result<FrameLayout> {
    let Some((width, height)) = args.picture.size else {
        let text = "--format of a command needs --size: nothing in pixels says how many there are";
        return Err(Usage(text.into()).into());
    };
    match args.stream.stride {
        Some(stride) => Ok(strided(format, width, height, stride)?),
        None => Ok(FrameLayout::new(format, width, height)?),
    }
}

fn summary<'a>(
    producer: &'a Producer,
    layout: &FrameLayout,
    source: &'a str,
    stats: &RawStats,
    elapsed_ns: u64,
) -> Summary<'a> {
    Summary {
        lane: producer.name(),
        directory: producer.directory().display().to_string(),
        epoch: crate::numbers::id(producer.epoch()),
        source,
        format: format_name(layout),
        width: layout.width,
        height: layout.height,
        elapsed_ns,
        pictures: stats.pictures,
        read_bytes: stats.read_bytes,
        torn: stats.torn,
        no_free_slot: stats.no_free_slot,
        starts: stats.starts,
        copied_bytes: producer.report().copied_bytes,
    }
}

fn text(summary: &Summary<'_>) -> String {
    format!(
        "{}: {} pictures in {}; started {}, {} torn, {} without a free slot; {} copied by the \
         SDK\n",
        summary.lane,
        summary.pictures,
        units::time(summary.elapsed_ns),
        units::count(summary.starts, "time"),
        summary.torn,
        summary.no_free_slot,
        units::size(summary.copied_bytes)
    )
}
