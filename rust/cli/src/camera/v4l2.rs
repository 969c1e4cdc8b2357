//! `framelane camera --source v4l2`: any camera of Linux.

use super::{Args, Huge};
use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::Watched;
use crate::{notify, output, units};
use framelane::Codec;
use framelane_camera::v4l2::{Buffers, Camera, Config, Content, Found, Stats, list as find};
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// What belongs to cameras of Linux alone.
#[derive(clap::Args)]
#[command(next_help_heading = "Cameras of Linux (v4l2)")]
pub struct DeviceArgs {
    /// List the cameras, with what they offer, and end
    #[arg(long)]
    pub list: bool,
    /// How pictures reach readers: auto, export, import, copy
    #[arg(long, value_name = "HOW", default_value = "auto")]
    buffers: Buffers,
    /// Take compressed pictures, into a stream lane: jpeg, h264 or h265; of a command, what it
    /// writes [default: it is found out]
    #[arg(long, value_name = "CODEC", value_parser = codec, conflicts_with = "format")]
    pub codec: Option<Codec>,
    /// Set a control by its name, as --list has it (may be given several times)
    #[arg(long = "control", value_name = "NAME=VALUE", value_parser = control)]
    controls: Vec<(String, i64)>,
    /// Milliseconds of silence after which the camera is opened again
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    stall_ms: u64,
}

fn codec(text: &str) -> Result<Codec, String> {
    match text.to_ascii_lowercase().as_str() {
        "jpeg" | "mjpeg" | "mjpg" => Ok(Codec::Jpeg),
        "h264" => Ok(Codec::H264),
        "h265" | "hevc" => Ok(Codec::H265),
        _ => Err("there are jpeg, h264 and h265".into()),
    }
}

fn control(text: &str) -> Result<(String, i64), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    let value = value.parse().map_err(|_| format!("{value:?} is no whole number"))?;
    Ok((name.to_owned(), value))
}

/// What the run came to.
#[derive(Serialize)]
struct Summary<'a> {
    lane: &'a str,
    device: PathBuf,
    format: String,
    width: u32,
    height: u32,
    elapsed_ns: u64,
    #[serde(flatten)]
    stats: Stats,
}

pub fn list(json: bool) -> anyhow::Result<ExitCode> {
    let found = find();
    if json {
        output::print_json(&found)?;
    } else {
        output::print(&listing(&found)?)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn listing(found: &Found) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for camera in &found.cameras {
        let (path, card) = (camera.path.display(), &camera.card);
        writeln!(text, "{path}  {card} ({}, {})", camera.driver, camera.bus)?;
        for format in &camera.formats {
            let note = if format.known { "" } else { "  not taken" };
            let sizes = format.sizes.iter().map(|(width, height)| format!(" {width}x{height}"));
            writeln!(text, "  {} {}{note}", format.fourcc, sizes.collect::<String>())?;
        }
        for control in &camera.controls {
            let value = control.value.map_or("-".into(), |value| value.to_string());
            let (name, least, most) = (&control.name, control.minimum, control.maximum);
            writeln!(text, "  {name} = {value}, from {least} to {most}")?;
        }
    }
    for (path, why) in &found.refused {
        writeln!(text, "{}  cannot be opened: {why}", path.display())?;
    }
    if text.is_empty() {
        text.push_str("no camera: there is no /dev/video* that captures pictures\n");
    }
    Ok(text)
}

pub fn run(args: &Args, node: Option<&Path>, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let node = match node {
        Some(node) => node.to_owned(),
        None => first()?,
    };
    let config = config(args, node.clone())?;
    // Before the camera starts, which an address in use need not. Its lane may be made anew.
    let _metrics = args.metrics.serve(Watched::Own)?;
    let mut camera = Camera::open(config)?;
    notify::ready();
    let picture = camera.picture().copied();
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let stats = camera.run(&stop)?;
    let picture = camera.picture().copied().or(picture);
    let summary = Summary {
        lane: args.lane(),
        device: node,
        format: picture.map_or(String::new(), |picture| picture.name()),
        width: picture.map_or(0, |picture| picture.width),
        height: picture.map_or(0, |picture| picture.height),
        elapsed_ns: span.elapsed_ns(),
        stats,
    };
    output::summary(args.json, &summary, &text(&summary))?;
    Ok(ExitCode::SUCCESS)
}

fn first() -> anyhow::Result<PathBuf> {
    let found = find();
    if let Some(camera) = found.cameras.first() {
        return Ok(camera.path.clone());
    }
    let why = match found.refused.first() {
        Some((_, why)) => why.clone(),
        None => "there is no /dev/video* that captures pictures".to_owned(),
    };
    Err(framelane::Error::new(framelane::ErrorKind::NotFound, why).into())
}

fn config(args: &Args, device: PathBuf) -> anyhow::Result<Config> {
    refuse_options_of_slots(args)?;
    let codec = args.device.codec.map(Content::Coded);
    Ok(Config {
        content: args.picture.format.map(Content::Raw).or(codec),
        size: args.picture.size,
        rate: args.picture.fps,
        controls: args.device.controls.clone(),
        buffers: args.device.buffers,
        leases: args.pool.leases,
        history: args.pool.history,
        lease: Duration::from_millis(args.pool.lease_ms),
        stall: Duration::from_millis(args.device.stall_ms),
        camera_id: args.camera_id,
        frames: args.frames,
        access: args.peers.access(),
        trust: args.peers.trust(),
        ..Config::new(args.lane(), device)
    })
}

fn refuse_options_of_slots(args: &Args) -> Result<(), Usage> {
    if args.pool.lossless {
        let text = "a camera waits for nobody: v4l2 lanes admit no lossless readers";
        return Err(Usage(text.into()));
    }
    let (pool, ring) = (&args.pool, &args.stream.ring);
    let given = [
        (args.picture.strip, "--strip"),
        (pool.slots.is_some(), "--slots"),
        (pool.mlock, "--mlock"),
        (!matches!(pool.huge_pages, Huge::Off), "--huge-pages"),
        (pool.numa_node.is_some(), "--numa-node"),
        (ring.ring_mib.is_some(), "--ring-mib"),
        (ring.ring_records.is_some(), "--ring-records"),
    ];
    match given.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => {
            let text = format!("{name} is not for v4l2: its frames are in buffers of the camera's");
            Err(Usage(text))
        }
        None => Ok(()),
    }
}

fn text(summary: &Summary<'_>) -> String {
    let stats = &summary.stats;
    format!(
        "{}: {} frames of {} {}x{} in {}, {} starved, {} missed by the driver, {} damaged, opened \
         again {} times; {}; {} copied by the SDK\n",
        summary.lane,
        stats.published,
        summary.format,
        summary.width,
        summary.height,
        units::time(summary.elapsed_ns),
        stats.starved,
        stats.missed,
        stats.corrupt,
        stats.restarts,
        stats.how,
        units::size(stats.copied_bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn what_is_asked_for_reaches_the_camera() {
        let line = "camera --leases 5 --history 3 --lease-ms 40 --camera-id 7";
        let args = Line::parse_from(line.split(' ')).args;
        let config = config(&args, "/dev/video9".into()).unwrap();
        assert_eq!((config.leases, config.history, config.camera_id), (5, 3, 7));
        assert_eq!(config.lease, Duration::from_millis(40));
    }
}
