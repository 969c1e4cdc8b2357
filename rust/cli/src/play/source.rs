//! Files of encoded video, as records to be written.

use super::Args;
use crate::failure::Usage;
use anyhow::bail;
use framelane::layout::RecordFlag;
use framelane::{Codec, StreamConfig};
use framelane_camera::mp4::{Entry, Reader};
use framelane_camera::{Rate, VideoSplitter};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

const CHUNK: usize = 64 << 10;

/// A record of a file.
pub struct Unit {
    pub bytes: Vec<u8>,
    /// Unknown where pictures are shown in another order than they come and nothing says which.
    pub pts_ns: Option<i64>,
    pub dts_ns: i64,
    pub flags: u32,
    pub capture_id: u64,
    /// What this record and those after it are, where that is new.
    pub config: Option<StreamConfig>,
}

pub enum Source {
    Mp4(Box<Mp4>),
    Bytes(Bytes),
}

impl Source {
    /// Opens a file by its ending.
    pub fn open(args: &Args) -> anyhow::Result<Source> {
        let ending = args.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let codec = match ending {
            "h264" | "264" | "avc" => Codec::H264,
            "h265" | "265" | "hevc" => Codec::H265,
            "mjpeg" | "mjpg" => Codec::Jpeg,
            _ if args.fps.is_some() => {
                let text = "--fps is for files without times: .h264, .h265, .mjpeg";
                return Err(Usage(text.into()).into());
            }
            _ => return Ok(Source::Mp4(Box::new(Mp4::open(&args.file)?))),
        };
        Ok(Source::Bytes(Bytes::open(&args.file, codec, args.fps)?))
    }

    /// The next record.
    pub fn next(&mut self) -> anyhow::Result<Option<Unit>> {
        match self {
            Source::Mp4(mp4) => mp4.next(),
            Source::Bytes(bytes) => bytes.next(),
        }
    }

    /// Begins again after the end; how long the file is.
    pub fn rewind(&mut self) -> anyhow::Result<i64> {
        match self {
            Source::Mp4(mp4) => Ok(mp4.rewind()),
            Source::Bytes(bytes) => bytes.rewind(),
        }
    }

    /// Bytes of the largest record, where that is known before.
    pub fn largest_bytes(&self) -> u32 {
        match self {
            Source::Mp4(mp4) => mp4.reader.contents().largest_bytes,
            Source::Bytes(_) => 0,
        }
    }

    /// Why the file ends before it should, if it does.
    pub fn cut(&self) -> Option<String> {
        match self {
            Source::Mp4(mp4) => mp4.reader.contents().cut.clone(),
            Source::Bytes(_) => None,
        }
    }
}

pub struct Mp4 {
    reader: Reader,
    entry: Option<usize>,
}

impl Mp4 {
    fn open(path: &Path) -> anyhow::Result<Mp4> {
        let reader = Reader::open(path)?;
        let (path, contents) = (path.display(), reader.contents());
        if let Some(cut) = &contents.cut {
            tracing::warn!("{path}: plays as far as it is whole: {cut}");
        }
        if contents.other_tracks > 0 {
            let count = contents.other_tracks;
            tracing::warn!("{path}: tracks beside the first video track are left out: {count}");
        }
        Ok(Mp4 { reader, entry: None })
    }

    fn next(&mut self) -> anyhow::Result<Option<Unit>> {
        let Some(unit) = self.reader.next()? else { return Ok(None) };
        let config = (self.entry != Some(unit.entry)).then(|| self.config(unit.entry));
        self.entry = Some(unit.entry);
        let flag = |wanted, flag| if wanted { flag } else { 0 };
        Ok(Some(Unit {
            bytes: unit.bytes,
            pts_ns: Some(unit.pts_ns),
            dts_ns: unit.dts_ns,
            flags: flag(unit.key, RecordFlag::KEY) | flag(unit.carries_sets, RecordFlag::CONFIG),
            capture_id: unit.capture_id,
            config,
        }))
    }

    fn config(&self, entry: usize) -> StreamConfig {
        let entry: &Entry = &self.reader.entries()[entry];
        let (width, height) = entry.size();
        let (frames, seconds) = self.reader.contents().rate.unwrap_or((0, 0));
        let config = StreamConfig::video(entry.codec(), width, height).fps(frames, seconds);
        // Those that do not fit are in the records all the same.
        config.with_parameters(&entry.sets().bytes()).unwrap_or(config)
    }

    fn rewind(&mut self) -> i64 {
        self.reader.rewind();
        i64::try_from(self.reader.contents().duration_ns).unwrap_or(i64::MAX)
    }
}

/// A file of nothing but video, taken apart as it is read.
pub struct Bytes {
    name: String,
    file: File,
    codec: Codec,
    splitter: VideoSplitter,
    ended: bool,
    wanted: Option<Rate>,
    rate: Rate,
    reordered: bool,
    units: u64,
    warned: bool,
}

impl Bytes {
    fn open(path: &Path, codec: Codec, wanted: Option<Rate>) -> anyhow::Result<Bytes> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        Ok(Bytes {
            name,
            file,
            codec,
            splitter: VideoSplitter::new(Some(codec))?,
            ended: false,
            wanted,
            rate: wanted.unwrap_or_default(),
            reordered: false,
            units: 0,
            warned: false,
        })
    }

    fn next(&mut self) -> anyhow::Result<Option<Unit>> {
        let mut chunk = vec![0; CHUNK];
        loop {
            match self.splitter.take() {
                Some(Ok(unit)) => return self.unit(unit).map(Some),
                Some(Err(error)) => self.complain(&error),
                None if self.ended && self.units == 0 => {
                    bail!("{}: no {} picture is in it", self.name, self.codec.name())
                }
                None if self.ended => return Ok(None),
                None => {
                    let read = self.file.read(&mut chunk);
                    let read = read.map_err(|error| anyhow::anyhow!("{}: {error}", self.name))?;
                    match read {
                        0 => {
                            self.splitter.finish();
                            self.ended = true;
                        }
                        count => self.splitter.push(&chunk[..count], 0),
                    }
                }
            }
        }
    }

    fn unit(&mut self, unit: framelane_camera::annexb::AccessUnit) -> anyhow::Result<Unit> {
        let flags = unit.flags();
        let config = match &unit.parameters {
            Some(parameters) => {
                let told =
                    parameters.fps.and_then(|(frames, seconds)| Rate::new(frames, seconds).ok());
                if self.units == 0 {
                    self.rate = self.wanted.or(told).unwrap_or_default();
                }
                self.reordered = parameters.reorder > 0;
                let config = parameters.config()?;
                Some(config.fps(self.rate.frames(), self.rate.seconds()))
            }
            None => None,
        };
        let time = i64::try_from(self.rate.time_ns(self.units)).unwrap_or(i64::MAX);
        self.units += 1;
        let pts_ns = (!self.reordered).then_some(time);
        Ok(Unit { bytes: unit.bytes, pts_ns, dts_ns: time, flags, capture_id: 0, config })
    }

    fn complain(&mut self, error: &impl std::fmt::Display) {
        if !self.warned {
            tracing::warn!("{}: {error}; parts of it are left out", self.name);
            self.warned = true;
        }
    }

    fn rewind(&mut self) -> anyhow::Result<i64> {
        self.file.rewind()?;
        self.splitter = VideoSplitter::new(Some(self.codec))?;
        self.ended = false;
        let length = self.rate.time_ns(std::mem::take(&mut self.units));
        Ok(i64::try_from(length).unwrap_or(i64::MAX))
    }
}
