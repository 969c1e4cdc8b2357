//! A record that was read.

use super::attach::StreamAttachment;
use super::spare::Piece;
use crate::layout::{RecordInfo, StreamConfig};
use std::ops::Range;
use std::sync::Arc;

/// A record: a copy of its own of what a live reader read, or of a lossless one the bytes in
/// place, which stay as they are until it is released or dropped.
///
/// Can be sent to and used from other threads, and outlives its reader and its writer.
pub struct Record {
    pub(super) info: RecordInfo,
    pub(super) bytes: Bytes,
    pub(super) config: Arc<StreamConfig>,
    pub(super) new_config: bool,
    pub(super) missed: u64,
    pub(super) epoch: u64,
    pub(super) new_epoch: bool,
}

pub(super) enum Bytes {
    Copied(Piece),
    InPlace(InPlace),
}

/// The bytes of a record that a cursor holds.
pub(super) struct InPlace {
    pub(super) attachment: Arc<StreamAttachment>,
    pub(super) sequence: u64,
    pub(super) range: Range<usize>,
}

impl Record {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Copied(bytes) => bytes,
            Bytes::InPlace(held) => held.attachment.view.held_bytes(held.range.clone()),
        }
    }

    /// Number of the record in its epoch, from 1.
    pub fn sequence(&self) -> u64 {
        self.info.sequence
    }

    /// What the record is.
    pub fn info(&self) -> &RecordInfo {
        &self.info
    }

    /// What the stream is, from this record to the next change.
    pub fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// Whether this is the first record under its config, of those that were read.
    pub fn new_config(&self) -> bool {
        self.new_config
    }

    /// Whether decoding can start here.
    pub fn is_key(&self) -> bool {
        self.info.is_key()
    }

    /// Records that passed between the one before and this one, those left out that a `Lapped` has
    /// told of, and those that a seek has passed over.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Writer incarnation the record comes from.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether this is the first record after the writer was restarted.
    pub fn new_epoch(&self) -> bool {
        self.new_epoch
    }

    /// Lets the writer have the bytes of a record that is held in place; dropping it does the same.
    pub fn release(self) {
        drop(self);
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        if self.attachment.refuse_fork().is_ok() {
            self.attachment.release(self.sequence);
        }
    }
}
