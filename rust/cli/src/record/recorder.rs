//! From records to files: which record goes where, and what became of all of them.

use super::Limits;
use super::names::numbered;
use super::output::Output;
use framelane::layout::RecordFlag;
use framelane::{Codec, Error, ErrorKind, Record};
use serde::Serialize;
use std::path::PathBuf;

/// Files of one recording.
const MOST: u64 = 1_000_000;

/// A file that is finished.
#[derive(Clone, Debug, Serialize)]
pub struct Written {
    pub file: String,
    pub codec: &'static str,
    pub records: u64,
    pub bytes: u64,
    pub duration_ns: u64,
    /// How long before the event its first record was published; null where it goes on from the
    /// file before.
    pub pre_ns: Option<u64>,
}

/// What became of the records.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// In files.
    pub records: u64,
    pub bytes: u64,
    /// Before the first key record of a file: nothing could be decoded.
    pub before_key: u64,
    /// Of a codec that the file cannot hold.
    pub other_codec: u64,
    /// Overwritten, or passed over, before they were read.
    pub missed: u64,
    /// Records said that something is missing before them.
    pub discontinuities: u64,
    /// Writers after the first.
    pub restarts: u64,
}

pub struct Recorder {
    given: PathBuf,
    force: bool,
    limits: Limits,
    number: u64,
    output: Option<Output>,
    /// When the event was that the next file begins with.
    event_ns: Option<u64>,
    pre_ns: Option<u64>,
    codec: &'static str,
    pub counts: Counts,
    pub files: Vec<Written>,
}

impl Recorder {
    pub fn new(given: PathBuf, force: bool, limits: Limits) -> Self {
        Recorder {
            given,
            force,
            limits,
            number: 0,
            output: None,
            event_ns: None,
            pre_ns: None,
            codec: "",
            counts: Counts::default(),
            files: Vec::new(),
        }
    }

    /// Something happened; the next record begins a file.
    pub fn begin(&mut self, event_ns: u64) {
        self.event_ns = Some(event_ns);
    }

    /// The file being written.
    pub fn output(&self) -> Option<&Output> {
        self.output.as_ref()
    }

    /// Records in files so far.
    pub fn records(&self) -> u64 {
        self.counts.records + self.output.as_ref().map_or(0, |output| output.records)
    }

    /// How long before the event the file begins, once that is known.
    pub fn pre_ns(&self) -> Option<u64> {
        self.pre_ns
    }

    /// Takes a record in. Whether it is in a file.
    pub fn take(&mut self, record: &Record) -> anyhow::Result<bool> {
        self.counts.missed += record.missed();
        self.counts.restarts += u64::from(record.new_epoch());
        let flags = record.info().flags;
        self.counts.discontinuities += u64::from(flags & RecordFlag::DISCONTINUITY != 0);
        let known = matches!(record.config().known_codec(), Some(Codec::H264 | Codec::H265));
        if !known && self.number > 0 {
            self.counts.other_codec += 1;
            return Ok(false);
        }
        if self.output.as_ref().is_some_and(|output| self.is_over(output, record)) {
            self.finish()?;
        }
        if self.output.is_none() && (known && !record.is_key()) {
            self.counts.before_key += 1;
            return Ok(false);
        }
        if self.output.is_none() {
            self.open(record)?;
        }
        let Some(output) = &mut self.output else { return Ok(false) };
        output.take(record)?;
        Ok(true)
    }

    /// Whether the file ends before this record.
    fn is_over(&self, output: &Output, record: &Record) -> bool {
        let Limits { rotate_ns, rotate_bytes } = self.limits;
        if !record.is_key() {
            // One of another config or writer needs what the file does not say.
            return record.new_epoch() || (record.new_config() && !output.fits(record));
        }
        !output.fits(record)
            || rotate_ns.is_some_and(|limit| output.duration_ns() >= limit)
            || rotate_bytes.is_some_and(|limit| output.bytes >= limit)
    }

    fn open(&mut self, record: &Record) -> anyhow::Result<()> {
        self.output = Some(self.create(record)?);
        let publish_ns = record.info().publish_ns;
        self.pre_ns = self.event_ns.take().map(|event| event.saturating_sub(publish_ns));
        self.codec = record.config().known_codec().map_or("", Codec::name);
        Ok(())
    }

    /// The next file. Later ones pass over numbers that an earlier run has taken: they must not end
    /// the recording.
    fn create(&mut self, record: &Record) -> anyhow::Result<Output> {
        loop {
            self.number += 1;
            let path = numbered(&self.given, self.number);
            match Output::create(&path, self.force, record) {
                Err(error) if self.number > 1 && self.number < MOST && is_taken(&error) => {}
                outcome => return outcome,
            }
        }
    }

    /// Ends the file being written, if any.
    pub fn finish(&mut self) -> anyhow::Result<()> {
        let Some(mut output) = self.output.take() else { return Ok(()) };
        let finished = output.finish();
        self.enter(&output);
        finished
    }

    /// After a failure: what is written counts.
    pub fn give_up(&mut self) {
        if let Some(output) = self.output.take() {
            self.enter(&output);
        }
    }

    fn enter(&mut self, output: &Output) {
        if output.records == 0 {
            output.remove_if_empty();
            return;
        }
        self.counts.records += output.records;
        self.counts.bytes += output.bytes;
        self.files.push(Written {
            file: output.path().display().to_string(),
            codec: self.codec,
            records: output.records,
            bytes: output.bytes,
            duration_ns: output.duration_ns(),
            pre_ns: self.pre_ns.take(),
        });
    }
}

fn is_taken(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Error>().is_some_and(|error| error.kind() == ErrorKind::AlreadyExists)
}
