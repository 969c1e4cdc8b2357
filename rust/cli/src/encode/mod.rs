//! `framelane encode`: the frames of a lane into a stream lane.

mod summary;

use crate::camera::PeerArgs;
use crate::interrupt::Interrupt;
use crate::metrics::{self, Watched};
use crate::reader::Reader;
use crate::ring::RingArgs;
use crate::{notify, output, units};
use clap::ValueEnum;
use framelane::{Codec, ConsumerOptions, ErrorKind, Mode, StreamConfig, StreamWriter};
use framelane_camera::Rate;
use framelane_camera::encode::{self, EncodeOptions, EncoderKind, EncoderOptions, Profile};
use std::process::ExitCode;
use std::time::Duration;
use summary::Summary;

/// How long to look for a lane before looking whether to stop.
const SLICE: Duration = Duration::from_millis(200);

#[derive(clap::Args)]
pub struct Args {
    /// Frame lane or switch to encode; it is waited for
    pub lane: String,
    /// Stream lane to make
    stream: String,
    /// auto, openh264 or hobot
    #[arg(long, value_name = "NAME", default_value = "auto")]
    encoder: EncoderKind,
    /// Codec of the stream
    #[arg(long, value_enum, default_value_t = VideoCodec::H264)]
    codec: VideoCodec,
    /// Bits a second: 800k, 2.5M [default: a tenth of a bit for each pixel]
    #[arg(long, value_name = "BITS", value_parser = units::bits)]
    bitrate: Option<u32>,
    /// Pictures from one key picture to the next [default: two seconds of them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    gop: Option<u32>,
    /// baseline, main or high [default: the encoder's]
    #[arg(long, value_name = "NAME")]
    profile: Option<Profile>,
    /// Frames a second that the lane brings, for the bit rate: 30, 12.5, 30000/1001
    #[arg(long, default_value_t = Rate::DEFAULT)]
    fps: Rate,
    /// Encode nothing while nobody reads the stream
    #[arg(long)]
    idle_when_unread: bool,
    /// Stop after so many pictures
    #[arg(long, value_name = "N")]
    frames: Option<u64>,
    /// Stop after so many seconds
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    duration: Option<Duration>,
    /// Print one JSON object at the end, on one line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    ring: RingArgs,
    #[command(flatten)]
    peers: PeerArgs,
    #[command(flatten)]
    metrics: metrics::Options,
}

#[derive(Clone, Copy, ValueEnum)]
enum VideoCodec {
    H264,
    H265,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let codec = match args.codec {
        VideoCodec::H264 => Codec::H264,
        VideoCodec::H265 => Codec::H265,
    };
    let lane = args.ring.options(StreamConfig::new(codec)).access(args.peers.access());
    let writer = StreamWriter::create(&args.stream, lane.trust(args.peers.trust()))?;
    let _metrics = args.metrics.serve(Watched::lane(writer.name(), writer.directory()))?;
    let place = writer.directory().display();
    tracing::info!("stream lane {} is open in {place}", writer.name());
    notify::ready();
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let options = EncodeOptions {
        kind: args.encoder,
        encoder: EncoderOptions {
            codec,
            bits_per_second: args.bitrate,
            gop: args.gop,
            profile: args.profile,
            rate: args.fps,
        },
        idle_when_unread: args.idle_when_unread,
        units: args.frames,
    };
    let stats = match open(args, &stop)? {
        Some(mut reader) => {
            encode::run(&mut |timeout| reader.next(timeout), &writer, &options, &stop)?
        }
        None => encode::EncodeStats::default(),
    };
    let summary = Summary::new(&args.lane, &writer, &stats, span.elapsed_ns());
    output::summary(args.json, &summary, &summary.text())?;
    Ok(ExitCode::SUCCESS)
}

/// Attaches to the lane when it is there; None when asked to stop before.
fn open(args: &Args, stop: &dyn Fn() -> bool) -> framelane::Result<Option<Reader>> {
    let options =
        ConsumerOptions::new(Mode::Ordered).leases(args.encoder.leases()).wait_for_lane(SLICE);
    let mut told = false;
    while !stop() {
        match Reader::open(&args.lane, options.clone()) {
            Ok(reader) => return Ok(Some(reader)),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if !std::mem::replace(&mut told, true) {
                    tracing::info!("lane {:?} is not there yet; waiting for it", args.lane);
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
