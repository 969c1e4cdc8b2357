//! One file of a recording. What was written plays, whatever happens to the rest.

use super::timeline::Timeline;
use anyhow::Context;
use framelane::{Error, ErrorKind, Record};
use framelane_camera::mp4::{Entry, Muxer, Sample, TIMESCALE};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A fragment is written at the latest when it holds this much: what a kill -9 can cost.
const FRAGMENT_UNITS: u64 = TIMESCALE as u64 / 2;
const FRAGMENT_BYTES: usize = 8 << 20;

/// A file that is being written. It is there from its first fragment on, under its own name.
pub struct Output {
    path: PathBuf,
    file: File,
    entry: Entry,
    muxer: Muxer,
    timeline: Timeline,
    fragment: Vec<Sample>,
    fragment_bytes: usize,
    /// Whole fragments are in the file up to here.
    pub bytes: u64,
    /// Records in the file or in the fragment.
    pub records: u64,
    /// Where the last fragment in the file ends.
    end: u64,
    /// Of the record taken last.
    last_dts: u64,
    last_step: u32,
}

impl Output {
    /// Makes the file of a key record, which is not in it yet. With `force` one that is there goes.
    pub fn create(path: &Path, force: bool, record: &Record) -> anyhow::Result<Output> {
        let entry = Entry::of_key(record.config(), record.bytes())
            .map_err(|error| error.context(format!("record {}", record.sequence())))?;
        let mut timeline = Timeline::default();
        // Its offset has to be known before anything else.
        let first = timeline.place(record.info(), false);
        let (muxer, head) = Muxer::new(&entry, first.offset, SystemTime::now())?;
        let file = open(path, force)?;
        let mut output = Output {
            path: path.to_owned(),
            file,
            entry,
            muxer,
            timeline: Timeline::default(),
            fragment: Vec::new(),
            fragment_bytes: 0,
            bytes: 0,
            records: 0,
            end: 0,
            last_dts: 0,
            last_step: usual_step(record),
        };
        if let Err(error) = output.append(&head) {
            output.remove_if_empty();
            return Err(full(path, &error, 0));
        }
        Ok(output)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a key record belongs into this file, or into a new one.
    pub fn fits(&self, record: &Record) -> bool {
        self.entry.fits(record.config(), record.bytes())
    }

    /// Length so far.
    pub fn duration_ns(&self) -> u64 {
        let end = self.last_dts + u64::from(self.last_step);
        end * (1_000_000_000 / u64::from(TIMESCALE))
    }

    /// Takes a record in; the first is the key record that the file was made for.
    pub fn take(&mut self, record: &Record) -> anyhow::Result<()> {
        let restarted = record.new_epoch() && self.records > 0;
        let spot = self.timeline.place(record.info(), restarted);
        if let Some(before) = self.fragment.last_mut() {
            before.duration = u32::try_from(spot.dts - before.dts).unwrap_or(u32::MAX);
            self.last_step = before.duration;
        }
        let begun = self.fragment.first().map_or(spot.dts, |first| first.dts);
        let full = spot.dts - begun >= FRAGMENT_UNITS || self.fragment_bytes >= FRAGMENT_BYTES;
        if record.is_key() || full {
            self.flush()?;
        }
        let bytes = self.entry.to_sample(record.bytes());
        self.fragment_bytes += bytes.len();
        self.fragment.push(Sample {
            bytes,
            dts: spot.dts,
            offset: spot.offset,
            duration: self.last_step,
            key: record.is_key(),
            capture_id: record.info().capture_id,
        });
        self.last_dts = spot.dts;
        self.records += 1;
        Ok(())
    }

    /// Writes what has been taken since the last fragment.
    fn flush(&mut self) -> anyhow::Result<()> {
        let samples = std::mem::take(&mut self.fragment);
        self.fragment_bytes = 0;
        // Not in the file before it is written.
        self.records -= samples.len() as u64;
        let fragment = self.muxer.fragment(&samples)?;
        self.append(&fragment.bytes).map_err(|error| full(&self.path, &error, self.records))?;
        self.muxer.wrote(fragment);
        self.records += samples.len() as u64;
        self.end = samples.last().map_or(self.end, |last| last.dts + u64::from(last.duration));
        Ok(())
    }

    /// Writes whole, or takes back what it wrote: a file ends with a whole fragment.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let written = self.file.write_all_at(bytes, self.bytes);
        match written {
            Ok(()) => self.bytes += bytes.len() as u64,
            // Where this fails too, players still read up to what is cut off.
            Err(_) => drop(self.file.set_len(self.bytes)),
        }
        written
    }

    /// Ends the file: what is left, an index, the length; and all of it on the disk.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        let (at, length) = (self.muxer.length_at(), self.end.to_be_bytes());
        let failed = || format!("writing {}", self.path.display());
        if self.file.metadata().with_context(failed)?.is_file() {
            self.file.write_all_at(&length, at).with_context(failed)?;
            let index = self.muxer.index()?;
            self.append(&index).map_err(|error| full(&self.path, &error, self.records))?;
            let failed = || format!("writing {}", self.path.display());
            self.file.sync_data().with_context(failed)?;
        }
        Ok(())
    }

    /// Of a file that failed: no picture is in it, so it goes.
    pub fn remove_if_empty(&self) {
        if self.records == 0 && self.file.metadata().is_ok_and(|found| found.is_file()) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// How long a picture lasts as far as the config says.
fn usual_step(record: &Record) -> u32 {
    let config = record.config();
    let (rate, seconds) = (config.fps_numerator, config.fps_denominator);
    match (rate, seconds) {
        (0, _) | (_, 0) => TIMESCALE / 30,
        _ => {
            let step = u64::from(TIMESCALE) * u64::from(seconds) / u64::from(rate);
            u32::try_from(step.max(1)).unwrap_or(u32::MAX)
        }
    }
}

/// A new file, or with `force` one that is there, emptied.
pub fn open(path: &Path, force: bool) -> anyhow::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(force).create_new(!force);
    options.open(path).map_err(|error| refused(path, &error))
}

/// Says at once what would be found out only when an event comes.
pub fn check(path: &Path, force: bool) -> anyhow::Result<()> {
    if !force && path.symlink_metadata().is_ok() {
        return Err(refused(path, &io::ErrorKind::AlreadyExists.into()));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    folder.metadata().map_err(|error| refused(path, &error)).map(drop)
}

fn refused(path: &Path, error: &io::Error) -> anyhow::Error {
    let path = path.display();
    let (kind, text) = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            (ErrorKind::AlreadyExists, format!("{path} is there already; --force replaces it"))
        }
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::PermissionDenied, format!("{path}: {error}"))
        }
        io::ErrorKind::NotFound => (ErrorKind::InvalidArgument, format!("{path}: {error}")),
        _ => (ErrorKind::System, format!("{path}: {error}")),
    };
    Error::new(kind, text).into()
}

/// A file that does not grow any more.
pub fn full(path: &Path, error: &io::Error, records: u64) -> anyhow::Error {
    let path = path.display();
    let what = match records {
        0 => "nothing of it was written".into(),
        _ => format!("the {records} written before play"),
    };
    Error::new(ErrorKind::System, format!("{path}: {error}; {what}")).into()
}
