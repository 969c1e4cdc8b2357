//! From a program's bytes to records.

use super::child::{Child, Read};
use super::times::Times;
use super::{CommandOptions, CommandStats, Rest, SLICE, Sink};
use crate::annexb::{AccessUnit, VideoParameters};
use crate::error::Result;
use crate::video::VideoSplitter;
use framelane::layout::RecordFlag;
use framelane::{ErrorKind, RecordInfo, StreamWriter, monotonic_ns};
use std::time::{Duration, Instant};

/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;
/// Between two words on damage.
const QUIET: Duration = Duration::from_secs(10);

/// Writes the pictures of a byte stream to a lane.
pub(super) struct Feed<'a> {
    writer: &'a StreamWriter,
    options: &'a CommandOptions,
    splitter: VideoSplitter,
    buffer: Vec<u8>,
    times: Times,
    /// Units come in another order than they are shown.
    reorders: bool,
    /// Something is missing before the next record.
    gap: bool,
    told: Option<Instant>,
    /// What has become of the stream so far.
    pub stats: CommandStats,
}

impl<'a> Feed<'a> {
    /// Into this lane.
    pub fn new(writer: &'a StreamWriter, options: &'a CommandOptions) -> Self {
        let splitter = VideoSplitter::default();
        let stats = CommandStats::default();
        let (buffer, times) = (vec![0; BUFFER], Times::default());
        let (told, reorders, gap) = (None, false, false);
        Feed { writer, options, splitter, buffer, times, reorders, gap, told, stats }
    }

    fn has_enough(&self) -> bool {
        self.options.pictures.is_some_and(|enough| self.stats.pictures >= enough)
    }

    fn write(&mut self) -> Result<()> {
        while let Some(taken) = self.splitter.take() {
            match taken {
                Ok(_) if self.has_enough() => {}
                Ok(unit) => self.record(&unit)?,
                Err(error) => self.damaged(&error.to_string()),
            }
        }
        Ok(())
    }

    fn record(&mut self, unit: &AccessUnit) -> Result<()> {
        if let Some(parameters) = &unit.parameters {
            self.tell_config(parameters)?;
        }
        let mut info = RecordInfo::new();
        let time = self.times.next(unit.stamp, self.options.rate);
        let time = i64::try_from(time).unwrap_or(i64::MAX);
        info.dts_ns = time;
        if !self.reorders {
            info.pts_ns = time;
        }
        info.flags = unit.flags();
        if std::mem::take(&mut self.gap) {
            info.flags |= RecordFlag::DISCONTINUITY;
        }
        match self.writer.write(&info, &[&unit.bytes]) {
            Ok(_) => {
                self.stats.pictures += 1;
                self.stats.keys += u64::from(unit.key);
                self.stats.bytes += unit.bytes.len() as u64;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::RecordTooLarge => {
                (self.gap, self.stats.too_large) = (true, self.stats.too_large + 1);
                self.damaged(&format!("{error}; make the ring larger"));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn tell_config(&mut self, parameters: &VideoParameters) -> Result<()> {
        let VideoParameters { codec, width, height, .. } = *parameters;
        let mut config = parameters.config()?;
        if let Some(rate) = self.options.rate {
            config = config.fps(rate.frames(), rate.seconds());
        }
        config.camera_id = self.options.camera_id;
        self.writer.set_config(&config)?;
        self.reorders = parameters.reorder > 0;
        tracing::info!("pictures are {} of {width}x{height}", codec.name());
        if self.reorders {
            tracing::warn!("pictures are reordered, so that only decoding times are known");
        }
        Ok(())
    }

    /// Counts damage, and says so now and then.
    fn damaged(&mut self, what: &str) {
        self.stats.damaged += 1;
        if self.told.is_none_or(|told| told.elapsed() > QUIET) {
            self.told = Some(Instant::now());
            tracing::warn!("the stream is damaged ({} times so far): {what}", self.stats.damaged);
        }
    }
}

impl Sink for Feed<'_> {
    fn begin(&mut self) -> Result<()> {
        self.splitter = VideoSplitter::new(self.options.codec)?;
        self.times = Times::default();
        self.gap = self.stats.pictures > 0;
        self.stats.starts += 1;
        Ok(())
    }

    fn read(&mut self, child: &mut Child) -> Result<Read> {
        let read = child.read(&mut self.buffer, SLICE)?;
        if let Read::Bytes(count) = read {
            self.stats.read_bytes += count as u64;
            self.splitter.push(&self.buffer[..count], monotonic_ns());
            self.write()?;
        }
        Ok(read)
    }

    fn end(&mut self, rest: Rest) -> Result<()> {
        if rest == Rest::Whole {
            self.splitter.finish();
            self.write()?;
        }
        self.stats.skipped += self.splitter.skipped();
        Ok(())
    }

    fn pictures(&self) -> u64 {
        self.stats.pictures
    }

    fn starts(&self) -> u64 {
        self.stats.starts
    }
}
