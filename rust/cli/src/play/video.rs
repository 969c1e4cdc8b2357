//! A file of encoded video into a stream lane.

use super::pace::Pace;
use super::source::{Source, Unit};
use super::{Args, Summary};
use crate::interrupt::Interrupt;
use crate::numbers;
use anyhow::bail;
use framelane::layout::RecordFlag;
use framelane::{ErrorKind, RecordInfo, StreamConfig, StreamWriter, StreamWriterOptions};
use framelane_camera::pace::Monotonic;
use std::time::Duration;

/// How soon a signal is noticed while readers have the writer wait.
const SLICE: Duration = Duration::from_millis(50);
const USUAL_RING: u64 = 8 << 20;
/// Readers see this much of the stream, so that joining and pre-roll have something to find.
const RECORDS_OF_RING: u64 = 4;
/// Bytes of the ring for each entry of the index.
const BYTES_OF_ENTRY: u64 = 8192;

struct Player<'a> {
    args: &'a Args,
    interrupt: &'a Interrupt,
    source: Source,
    writer: StreamWriter,
    pace: Pace<Monotonic>,
    records: u64,
    bytes: u64,
    loops: u64,
    /// Added to the times of the file in the round it is in.
    shift_ns: i64,
}

pub fn play<'a>(args: &'a Args, interrupt: &Interrupt) -> anyhow::Result<Summary<'a>> {
    let mut source = Source::open(args)?;
    let first = source.next()?;
    let Some(config) = first.as_ref().and_then(|first| first.config) else {
        bail!("{}: nothing is in it", args.file.display());
    };
    let writer = StreamWriter::create(&args.lane, options(args, &source, config))?;
    let pace = Pace::new(Monotonic, args.speed);
    let mut player = Player {
        args,
        interrupt,
        source,
        writer,
        pace,
        records: 0,
        bytes: 0,
        loops: 0,
        shift_ns: 0,
    };
    player.run(first)?;
    super::drain(args, interrupt, &|| player.writer.report());
    let config = player.writer.config();
    Ok(Summary {
        file: args.file.display().to_string(),
        lane: &args.lane,
        codec: numbers::codec(config.codec),
        width: config.width,
        height: config.height,
        records: player.records,
        bytes: player.bytes,
        loops: player.loops,
        elapsed_ns: 0,
        cut: player.source.cut(),
    })
}

fn options(args: &Args, source: &Source, config: StreamConfig) -> StreamWriterOptions {
    let least = u64::from(source.largest_bytes()).saturating_mul(2 * RECORDS_OF_RING);
    let ring = args.ring.unwrap_or(USUAL_RING.max(least));
    let entries = u32::try_from(ring / BYTES_OF_ENTRY).unwrap_or(u32::MAX).clamp(1024, 1 << 20);
    StreamWriterOptions::new(config)
        .data_bytes(ring)
        .index_capacity(entries)
        .lossless(args.lossless)
}

impl Player<'_> {
    fn run(&mut self, first: Option<Unit>) -> anyhow::Result<()> {
        super::wait_for_readers(self.args, self.interrupt, &|| self.writer.readers());
        let mut next = first;
        let mut began_again = false;
        loop {
            let Some(unit) = next else {
                if !self.args.again {
                    return Ok(());
                }
                let length = self.source.rewind()?;
                self.shift_ns = self.shift_ns.saturating_add(length.max(1));
                self.loops += 1;
                began_again = true;
                next = self.source.next()?;
                continue;
            };
            if !self.show(&unit, std::mem::take(&mut began_again))? {
                return Ok(());
            }
            next = self.source.next()?;
        }
    }

    /// Writes a record when it is due. False when that was enough.
    fn show(&mut self, unit: &Unit, after_gap: bool) -> anyhow::Result<bool> {
        let interrupt = self.interrupt;
        let enough = self.args.frames.is_some_and(|enough| self.records >= enough);
        if enough || interrupt.asked() {
            return Ok(false);
        }
        let dts_ns = unit.dts_ns.saturating_add(self.shift_ns);
        if !self.args.lossless && !self.pace.wait(dts_ns, &|| interrupt.asked()) {
            return Ok(false);
        }
        if let Some(config) = &unit.config {
            let set = |writer: &StreamWriter| writer.set_config_within(config, SLICE);
            if self.patiently(set)?.is_none() {
                return Ok(false);
            }
        }
        let gap = if after_gap { RecordFlag::DISCONTINUITY } else { 0 };
        let unknown = RecordInfo::new();
        let info = RecordInfo {
            pts_ns: unit.pts_ns.map_or(unknown.pts_ns, |pts| pts.saturating_add(self.shift_ns)),
            dts_ns,
            capture_id: unit.capture_id,
            flags: unit.flags | gap,
            ..unknown
        };
        let write = |writer: &StreamWriter| writer.write_within(&info, &[&unit.bytes], SLICE);
        if self.patiently(write)?.is_none() {
            return Ok(false);
        }
        self.records += 1;
        self.bytes += unit.bytes.len() as u64;
        Ok(true)
    }

    /// Tries until readers have made room; None when interrupted.
    fn patiently<T>(
        &self,
        attempt: impl Fn(&StreamWriter) -> framelane::Result<T>,
    ) -> framelane::Result<Option<T>> {
        loop {
            match attempt(&self.writer) {
                Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
                    if self.interrupt.asked() {
                        return Ok(None);
                    }
                    tracing::debug!("waiting for readers: {error}");
                }
                outcome => return outcome.map(Some),
            }
        }
    }
}
