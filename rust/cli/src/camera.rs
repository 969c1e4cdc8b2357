//! `framelane camera`: pictures of a source into a lane.

mod command;
mod hb_vio;
mod raw;
mod v4l2;

use crate::failure::Usage;
use crate::interrupt::Interrupt;
use crate::metrics::{self, Watched};
use crate::{notify, output, units};
use clap::ValueEnum;
use framelane::{
    Access, ErrorKind, FrameLayout, HugePages, PixelFormat, Producer, ProducerOptions, Trust,
};
use framelane_camera::hb_vio::Readers;
use framelane_camera::pace::Monotonic;
use framelane_camera::pump::{self, PumpOptions, PumpStats};
use framelane_camera::{FrameSource, Rate, SourceOptions, SourceSpec};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(clap::Args)]
pub struct Args {
    /// Name of the lane [default: camera]
    #[arg(value_name = "LANE")]
    positional: Option<String>,
    /// The same as LANE
    #[arg(long, value_name = "LANE", conflicts_with = "positional")]
    lane: Option<String>,
    /// What to show: pattern, y4m:FILE, images:FILE-OR-FOLDER, command:'PROGRAM …', v4l2[:NODE],
    /// hb_vio
    #[arg(long, value_name = "SOURCE", default_value = "pattern")]
    source: SourceSpec,
    /// The cameras and lanes of hb_vio
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lane", "positional", "frames"])]
    config: Option<PathBuf>,
    #[command(flatten)]
    picture: PictureArgs,
    #[command(flatten)]
    device: v4l2::DeviceArgs,
    #[command(flatten)]
    pool: PoolArgs,
    #[command(flatten)]
    peers: PeerArgs,
    #[command(flatten)]
    stream: command::StreamArgs,
    #[command(flatten)]
    metrics: metrics::Options,
    /// Number of this camera in its frames
    #[arg(long, value_name = "N", default_value_t = 0)]
    camera_id: u32,
    /// Stop after so many frames
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    duration: Option<Duration>,
    /// Print one JSON object, at the end and on one line
    #[arg(long)]
    json: bool,
}

/// What the pictures are like.
#[derive(clap::Args)]
#[command(next_help_heading = "Pictures")]
struct PictureArgs {
    /// Width and height [default: 640x480; a clip has its own]
    #[arg(long, value_name = "WxH", value_parser = units::picture_size)]
    size: Option<(u32, u32)>,
    /// Frames a second: 30, 12.5, 30000/1001 [default: 30, or the clip's own]
    #[arg(long)]
    fps: Option<Rate>,
    /// nv12, i420, yuyv, rgb24, bgr24 or grey [default: nv12, or grey for a clip without colour]
    #[arg(long, value_parser = PixelFormat::parse)]
    format: Option<PixelFormat>,
    /// Stamp number, time and checksum over the top rows; the pattern always has them
    #[arg(long)]
    strip: bool,
}

/// The lane's memory.
#[derive(clap::Args)]
#[command(next_help_heading = "Memory")]
struct PoolArgs {
    /// Frames that all readers together may hold
    #[arg(long, value_name = "N", default_value_t = 8)]
    leases: u32,
    /// Slots in all, instead of leases: 2 + history of them are the camera's own
    #[arg(long, value_name = "N", conflicts_with = "leases")]
    slots: Option<u32>,
    /// Frames before the newest that stay reachable
    #[arg(long, value_name = "N", default_value_t = 1)]
    history: u32,
    /// Milliseconds a frame in a camera's own buffer is guaranteed [default: as long as it is
    /// held]; sources that fill lane memory, which is never taken back, refuse anything but 0
    #[arg(long, value_name = "MS", default_value_t = 0)]
    lease_ms: u64,
    /// Admit lossless readers, and wait for them
    #[arg(long)]
    lossless: bool,
    /// Huge pages
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = Huge::Off)]
    huge_pages: Huge,
    /// Lock the lane into memory where the limits allow it
    #[arg(long)]
    mlock: bool,
    /// Bind the lane to a NUMA node
    #[arg(long, value_name = "NODE")]
    numa_node: Option<u32>,
}

/// Who may read.
#[derive(clap::Args)]
#[command(next_help_heading = "Readers")]
pub struct PeerArgs {
    /// Trust no reader: each gets a bell of its own
    #[arg(long, conflicts_with = "trusted_only")]
    untrusted: bool,
    /// Admit no other user, whatever the socket's mode
    #[arg(long)]
    trusted_only: bool,
    /// Let a group connect, by name or number
    #[arg(long, value_name = "GROUP", value_parser = units::group, conflicts_with = "everyone")]
    group: Option<u32>,
    /// Let every user connect
    #[arg(long)]
    everyone: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Huge {
    /// Ordinary pages
    Off,
    /// Where enough are free
    Try,
    /// Or fail
    Require,
}

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
    /// As a fraction or number: "30", "30000/1001".
    rate_fps: String,
    elapsed_ns: u64,
    published: u64,
    /// Deadlines that passed while an earlier picture was being made.
    late: u64,
    /// Pictures given up because every slot was held.
    no_free_slot: u64,
    /// Time to make a picture.
    fill_mean_ns: u64,
    fill_max_ns: u64,
    /// Bytes the SDK itself copied on this side.
    copied_bytes: u64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.device.list {
        return v4l2::list(args.json);
    }
    let interrupt = Interrupt::listen()?;
    match (&args.source, &args.config) {
        (SourceSpec::V4l2(node), None) => return v4l2::run(args, node.as_deref(), &interrupt),
        (SourceSpec::HbVio, Some(config)) => return hb_vio::run(args, config, &interrupt),
        (SourceSpec::HbVio, None) => {
            return Err(Usage("hb_vio needs --config FILE".into()).into());
        }
        (_, Some(_)) => return Err(Usage("--config is for --source hb_vio".into()).into()),
        (SourceSpec::Command(command), None) => return command::run(args, command, &interrupt),
        (_, None) => {}
    }
    let PictureArgs { size, fps, format, strip } = args.picture;
    let mut source = args.source.open(&SourceOptions { size, format, rate: fps, strip })?;
    let info = source.info().clone();
    let producer = Producer::create(args.lane(), args.options(info.layout)?)?;
    let _metrics = args.metrics.serve(Watched::lane(producer.name(), producer.directory()))?;
    announce(&*source, &producer);
    notify::ready();
    let options = PumpOptions {
        rate: info.rate,
        camera_id: args.camera_id,
        pictures: args.frames,
        lossless: args.pool.lossless,
    };
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let stats = pump::run(&mut *source, &producer, &options, Monotonic, &stop)?;
    let summary = summary(&*source, &producer, &stats, span.elapsed_ns());
    output::summary(args.json, &summary, &text(&summary))?;
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// Name of the lane.
    pub fn lane(&self) -> &str {
        self.positional.as_deref().or(self.lane.as_deref()).unwrap_or("camera")
    }

    fn options(&self, layout: FrameLayout) -> framelane::Result<ProducerOptions> {
        let PoolArgs { leases, slots, history, lease_ms, lossless, mlock, numa_node, .. } =
            self.pool;
        let own = history.saturating_add(2);
        let leases = match slots {
            None => leases,
            Some(slots) => slots.checked_sub(own).filter(|&leases| leases > 0).ok_or_else(|| {
                let text = format!(
                    "{slots} slots leave none to lease: {own} are the camera's own (1 to fill, 1 \
                     newest, {history} before it)"
                );
                framelane::Error::new(ErrorKind::InvalidArgument, text)
            })?,
        };
        let huge_pages = match self.pool.huge_pages {
            Huge::Off => HugePages::Off,
            Huge::Try => HugePages::Try,
            Huge::Require => HugePages::Require,
        };
        Ok(ProducerOptions::new()
            .layout(layout)
            .lease_budget(leases)
            .history(history)
            .lease(Duration::from_millis(lease_ms))
            .lossless(lossless)
            .huge_pages(huge_pages)
            .lock_memory(mlock)
            .numa_node(numa_node)
            .access(self.peers.access())
            .trust(self.peers.trust()))
    }
}

impl PeerArgs {
    pub fn access(&self) -> Access {
        self.readers().access()
    }

    pub fn trust(&self) -> Trust {
        self.readers().trust()
    }

    fn readers(&self) -> Readers {
        let PeerArgs { group, everyone, untrusted, trusted_only } = *self;
        Readers { group, everyone, untrusted, trusted_only }
    }
}

/// One line for the log, once readers can come.
fn announce(source: &dyn FrameSource, producer: &Producer) {
    let info = source.info();
    let report = producer.report();
    let (width, height) = (info.layout.width, info.layout.height);
    tracing::info!(
        "lane {} is open in {}: {} as {} {width}x{height} at {} fps, {} slots of {}",
        producer.name(),
        producer.directory().display(),
        info.label,
        format_name(&info.layout),
        info.rate,
        report.slot_count,
        units::size(report.payload_bytes)
    );
}

fn format_name(layout: &FrameLayout) -> String {
    let known = PixelFormat::from_number(layout.fourcc);
    known.map_or_else(|| layout.fourcc.to_string(), |format| format.label().to_owned())
}

fn summary<'a>(
    source: &'a dyn FrameSource,
    producer: &'a Producer,
    stats: &PumpStats,
    elapsed_ns: u64,
) -> Summary<'a> {
    let info = source.info();
    Summary {
        lane: producer.name(),
        directory: producer.directory().display().to_string(),
        epoch: crate::numbers::id(producer.epoch()),
        source: &info.label,
        format: format_name(&info.layout),
        width: info.layout.width,
        height: info.layout.height,
        rate_fps: info.rate.to_string(),
        elapsed_ns,
        published: stats.published,
        late: stats.late,
        no_free_slot: stats.no_free_slot,
        fill_mean_ns: stats.fill_ns / stats.published.max(1),
        fill_max_ns: stats.fill_max_ns,
        copied_bytes: producer.report().copied_bytes,
    }
}

fn text(summary: &Summary<'_>) -> String {
    format!(
        "{}: {} frames in {}, {} late, {} without a free slot; made in {} on average, {} at most; \
         {} copied by the SDK\n",
        summary.lane,
        summary.published,
        units::time(summary.elapsed_ns),
        summary.late,
        summary.no_free_slot,
        units::time(summary.fill_mean_ns),
        units::time(summary.fill_max_ns),
        units::size(summary.copied_bytes)
    )
}
