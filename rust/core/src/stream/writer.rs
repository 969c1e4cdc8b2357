//! The writer: one process that owns a stream lane.

use super::lane::StreamLane;
use super::options::StreamWriterOptions;
use super::record_mut::RecordMut;
use super::{create, report};
use crate::clock::{Deadline, monotonic_ns};
use crate::error::Result;
use crate::failpoint::step;
use crate::layout::{RecordInfo, Report, StreamConfig};
use crate::producer::name::NameHold;
use crate::producer::service;
use crate::runtime_dir::{self, RuntimeDir};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Owns a stream lane and writes its records, one after the other.
///
/// Usable from several threads at once, though only one record is open at a time. Never waits for
/// a live reader; for lossless ones, where the lane admits them, as long as it is given time.
/// Dropping it ends the lane: readers are told, and read what is left.
pub struct StreamWriter {
    lane: Arc<StreamLane>,
    directory: PathBuf,
    service: Option<JoinHandle<()>>,
}

impl StreamWriter {
    /// Makes the lane `name` and starts to admit readers.
    ///
    /// # Errors
    /// `InvalidName`, `InvalidArgument`, `TooLarge`; `AlreadyExists` when another producer owns the
    /// name; `OutOfMemory` with the sizes; `PermissionDenied` when no runtime directory can be
    /// used; `Unsupported` for a NUMA node the machine lacks; `TooMany` for too few descriptors.
    pub fn create(name: &str, options: StreamWriterOptions) -> Result<StreamWriter> {
        crate::name::validate(name)?;
        let places = runtime_dir::places(options.directory.as_deref());
        let dir = RuntimeDir::for_producer(&places)?;
        let hold = NameHold::take(dir, name, options.access)?;
        let directory = hold.directory().to_owned();
        let lane = create::create(name, &options)
            .map_err(|e| e.context(format!("making lane {name:?}")))?;
        step("create.made");
        let lane = Arc::new(lane);
        let service = Some(service::start(lane.clone(), hold)?);
        Ok(StreamWriter { lane, directory, service })
    }

    /// Begins a record of up to `room` bytes. Room is made for all of them at once, and the oldest
    /// records go for it, whatever becomes of this one; what it does not use stays free.
    ///
    /// # Errors
    /// `RecordTooLarge` for more than half of the ring; `NoFreeSlot` when a record is open already,
    /// or names the lossless reader that holds what would be overwritten; `Closed`; `Forked`.
    pub fn begin(&self, room: usize) -> Result<RecordMut> {
        let place = self.lane.begin(room as u64, None)?;
        Ok(RecordMut::new(self.lane.clone(), place))
    }

    /// Begins a record, waiting up to `timeout` for lossless readers or for the open record.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); `NoFreeSlot` when the time is over.
    pub fn begin_within(&self, room: usize, timeout: Duration) -> Result<RecordMut> {
        let place = self.lane.begin(room as u64, Some(Deadline::after(timeout)))?;
        Ok(RecordMut::new(self.lane.clone(), place))
    }

    /// Writes a record from its pieces at once; its sequence. Of `info` count the times, the
    /// capture id and the flags.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub fn write(&self, info: &RecordInfo, pieces: &[&[u8]]) -> Result<u64> {
        self.fill(self.begin(total(pieces))?, info, pieces)
    }

    /// As [`write`](Self::write), waiting up to `timeout`.
    ///
    /// # Errors
    /// As [`begin_within`](Self::begin_within).
    pub fn write_within(
        &self,
        info: &RecordInfo,
        pieces: &[&[u8]],
        timeout: Duration,
    ) -> Result<u64> {
        self.fill(self.begin_within(total(pieces), timeout)?, info, pieces)
    }

    fn fill(&self, mut record: RecordMut, info: &RecordInfo, pieces: &[&[u8]]) -> Result<u64> {
        *record.info_mut() = *info;
        pieces.iter().try_for_each(|piece| record.append(piece))?;
        record.commit()
    }

    /// Says what the records to come are; the number of that config. Readers get it before the
    /// first record that needs it. Saying the same again changes nothing.
    ///
    /// # Errors
    /// `InvalidArgument`; as [`begin`](Self::begin): the ninth config back is given up, with every
    /// record that needs it.
    pub fn set_config(&self, config: &StreamConfig) -> Result<u32> {
        self.lane.set_config(*config, None)
    }

    /// As [`set_config`](Self::set_config), waiting up to `timeout`.
    ///
    /// # Errors
    /// As [`set_config`](Self::set_config).
    pub fn set_config_within(&self, config: &StreamConfig, timeout: Duration) -> Result<u32> {
        self.lane.set_config(*config, Some(Deadline::after(timeout)))
    }

    /// What the records to come are; all zero in a forked child.
    pub fn config(&self) -> StreamConfig {
        match self.lane.refuse_fork() {
            Ok(()) => self.lane.lock().config,
            Err(_) => StreamConfig::ZERO,
        }
    }

    /// Whether a reader wants a key record. Says so at most once per interval, for a wish that was
    /// not granted as for a new one. An encoder asks before each picture.
    pub fn key_frame_wanted(&self) -> bool {
        self.lane.key_frame_wanted(None)
    }

    /// As [`key_frame_wanted`](Self::key_frame_wanted), waiting up to `timeout` for it.
    pub fn wait_key_frame_wanted(&self, timeout: Duration) -> bool {
        self.lane.key_frame_wanted(Some(Deadline::after(timeout)))
    }

    /// Largest record, in bytes: half of the ring.
    pub fn record_limit_bytes(&self) -> usize {
        self.lane.view.shape().record_limit as usize
    }

    /// How the lane is: sizes, counts and readers. A forked child sees the sizes only.
    pub fn report(&self) -> Report {
        report::report(&self.lane, monotonic_ns())
    }

    /// Number of readers attached now; 0 in a forked child.
    pub fn readers(&self) -> usize {
        match self.lane.refuse_fork() {
            Ok(()) => self.lane.lock().members.len(),
            Err(_) => 0,
        }
    }

    /// Random id of this writer incarnation.
    pub fn epoch(&self) -> u64 {
        self.lane.facts.epoch
    }

    /// Name of the lane.
    pub fn name(&self) -> &str {
        &self.lane.facts.name
    }

    /// Runtime directory the lane's socket is in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends the lane. Dropping the writer does the same.
    pub fn close(self) {
        drop(self);
    }
}

fn total(pieces: &[&[u8]]) -> usize {
    pieces.iter().fold(0, |sum: usize, piece| sum.saturating_add(piece.len()))
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        if self.lane.refuse_fork().is_err() {
            // The lane is the parent's, and its thread is not here to be let go of.
            std::mem::forget(self.service.take());
            return;
        }
        self.lane.close();
        if let Some(service) = self.service.take() {
            let _ = service.join();
        }
    }
}
