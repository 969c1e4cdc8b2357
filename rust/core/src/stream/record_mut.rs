//! A record being written.

use super::lane::StreamLane;
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::layout::{ErrorKind, RecordFlag, RecordInfo};
use crate::ring::stream::writer::{Place, Ring};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The open record of a writer: append its bytes, then commit it. Dropping it abandons it.
///
/// Can be sent to another thread.
pub struct RecordMut {
    lane: Arc<StreamLane>,
    place: Place,
    size: u64,
    info: RecordInfo,
    committed: bool,
}

impl RecordMut {
    pub(super) fn new(lane: Arc<StreamLane>, place: Place) -> Self {
        RecordMut { lane, place, size: 0, info: RecordInfo::new(), committed: false }
    }

    /// What the record will say about itself: times, capture id and flags. Everything else is set
    /// at commit.
    pub fn info_mut(&mut self) -> &mut RecordInfo {
        &mut self.info
    }

    /// Whether decoding can start at this record. Where no record depends on another, it can at
    /// each.
    pub fn set_key(&mut self, key: bool) {
        self.info.flags &= !RecordFlag::KEY;
        if key {
            self.info.flags |= RecordFlag::KEY;
        }
    }

    /// Bytes appended so far.
    pub fn len(&self) -> usize {
        self.size as usize
    }

    /// Whether nothing has been appended.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Bytes that can still be appended.
    pub fn room(&self) -> usize {
        (self.place.room - self.size) as usize
    }

    /// Appends bytes; counted as copied by the SDK.
    ///
    /// # Errors
    /// `RecordTooLarge` for more than was asked for at `begin`, and the record stays as it was;
    /// `Forked`.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.lane.refuse_fork()?;
        if bytes.len() > self.room() {
            let text = format!(
                "{} bytes after {} of a record that was begun with room for {}",
                bytes.len(),
                self.size,
                self.place.room
            );
            return Err(Error::new(ErrorKind::RecordTooLarge, text));
        }
        let view = &self.lane.view;
        Ring::append(view, view.shape(), &self.place, self.size, bytes);
        step("append.stored");
        self.size += bytes.len() as u64;
        self.lane.copied_bytes.fetch_add(bytes.len() as u64, Relaxed);
        Ok(())
    }

    /// Makes the record the newest of the lane; its sequence.
    ///
    /// # Errors
    /// `Closed`; `Forked`.
    pub fn commit(mut self) -> Result<u64> {
        let sequence = self.lane.commit(&self.place, self.size, self.info)?;
        self.committed = true;
        Ok(sequence)
    }

    /// Gives the record up.
    pub fn abandon(self) {
        drop(self);
    }
}

impl Drop for RecordMut {
    fn drop(&mut self) {
        // In a forked child the mutex may be held for ever.
        if !self.committed && self.lane.refuse_fork().is_ok() {
            self.lane.abandon();
        }
    }
}
