//! A file of encoded video into a stream lane.

use super::pace::Pace;
use super::{Args, Summary};
use crate::interrupt::Interrupt;
use framelane::layout::RecordFlag;
use framelane::{ErrorKind, RecordInfo, StreamConfig, StreamWriter, StreamWriterOptions};
use framelane_camera::mp4::{Contents, Entry, Reader, Unit};
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
    reader: Reader,
    writer: StreamWriter,
    pace: Pace<Monotonic>,
    entry: usize,
    records: u64,
    bytes: u64,
    loops: u64,
    /// Added to the times of the file in the round it is in.
    shift_ns: i64,
}

pub fn play<'a>(args: &'a Args, interrupt: &Interrupt) -> anyhow::Result<Summary<'a>> {
    let reader = Reader::open(&args.file)?;
    let contents = reader.contents().clone();
    if let Some(cut) = &contents.cut {
        tracing::warn!("{}: plays as far as it is whole: {cut}", args.file.display());
    }
    if contents.other_tracks > 0 {
        let count = contents.other_tracks;
        tracing::warn!("{}: {count} tracks beside the video are left out", args.file.display());
    }
    let writer = StreamWriter::create(&args.lane, options(args, &reader)?)?;
    let pace = Pace::new(Monotonic, args.speed);
    let mut player = Player {
        args,
        interrupt,
        reader,
        writer,
        pace,
        entry: 0,
        records: 0,
        bytes: 0,
        loops: 0,
        shift_ns: 0,
    };
    player.run(&contents)?;
    let entry = &player.reader.entries()[player.entry];
    let (width, height) = entry.size();
    Ok(Summary {
        file: args.file.display().to_string(),
        lane: &args.lane,
        codec: entry.codec().name(),
        width,
        height,
        records: player.records,
        bytes: player.bytes,
        loops: player.loops,
        elapsed_ns: 0,
        cut: contents.cut,
    })
}

fn options(args: &Args, reader: &Reader) -> framelane::Result<StreamWriterOptions> {
    let contents = reader.contents();
    let least = u64::from(contents.largest_bytes).saturating_mul(2 * RECORDS_OF_RING);
    let ring = args.ring.unwrap_or(USUAL_RING.max(least));
    let entries = u32::try_from(ring / BYTES_OF_ENTRY).unwrap_or(u32::MAX).clamp(1024, 1 << 20);
    Ok(StreamWriterOptions::new(config(&reader.entries()[0], contents)?)
        .data_bytes(ring)
        .index_capacity(entries)
        .lossless(args.lossless))
}

fn config(entry: &Entry, contents: &Contents) -> framelane::Result<StreamConfig> {
    let (width, height) = entry.size();
    let config = StreamConfig::video(entry.codec(), width, height);
    let (frames, seconds) = contents.rate.unwrap_or((0, 0));
    let config = config.fps(frames, seconds);
    // Those that do not fit are in the records all the same.
    Ok(config.with_parameters(&entry.sets().bytes()).unwrap_or(config))
}

impl Player<'_> {
    fn run(&mut self, contents: &Contents) -> anyhow::Result<()> {
        super::wait_for_readers(self.args, self.interrupt, &|| self.writer.readers());
        loop {
            if !self.round(contents)? || !self.args.again {
                return Ok(());
            }
            self.loops += 1;
            self.reader.rewind();
            let length = i64::try_from(contents.duration_ns).unwrap_or(i64::MAX);
            self.shift_ns = self.shift_ns.saturating_add(length.max(1));
        }
    }

    /// The file once. False when that was enough.
    fn round(&mut self, contents: &Contents) -> anyhow::Result<bool> {
        let mut first = self.loops > 0;
        while let Some(unit) = self.reader.next()? {
            let enough = self.args.frames.is_some_and(|enough| self.records >= enough);
            if enough || self.interrupt.asked() {
                return Ok(false);
            }
            let dts_ns = unit.dts_ns.saturating_add(self.shift_ns);
            let interrupt = self.interrupt;
            if !self.args.lossless && !self.pace.wait(dts_ns, &|| interrupt.asked()) {
                return Ok(false);
            }
            if unit.entry != self.entry {
                self.entry = unit.entry;
                let config = config(&self.reader.entries()[unit.entry], contents)?;
                let set = |writer: &StreamWriter| writer.set_config_within(&config, SLICE);
                if self.patiently(set)?.is_none() {
                    return Ok(false);
                }
            }
            if !self.write(&unit, first)? {
                return Ok(false);
            }
            first = false;
        }
        Ok(true)
    }

    /// False when interrupted.
    fn write(&mut self, unit: &Unit, after_gap: bool) -> anyhow::Result<bool> {
        let flag = |wanted, flag| if wanted { flag } else { 0 };
        let info = RecordInfo {
            pts_ns: unit.pts_ns.saturating_add(self.shift_ns),
            dts_ns: unit.dts_ns.saturating_add(self.shift_ns),
            capture_id: unit.capture_id,
            flags: flag(unit.key, RecordFlag::KEY)
                | flag(unit.carries_sets, RecordFlag::CONFIG)
                | flag(after_gap, RecordFlag::DISCONTINUITY),
            ..RecordInfo::new()
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
