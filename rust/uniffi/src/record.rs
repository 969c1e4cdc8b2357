//! Records of a stream: those that were read, and the one being written.

use crate::failure::{Result, invalid, structure};
use crate::frame::{Live, Span};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use zerocopy::IntoBytes;

/// A record as it was read: all there is to know in one call.
#[derive(uniffi::Record)]
pub struct Read {
    /// Keeps the bytes.
    pub record: Arc<Record>,
    /// Number of the record in its epoch, from 1.
    pub sequence: u64,
    /// Writer incarnation the record comes from.
    pub epoch: u64,
    /// Records that passed between the one before and this one.
    pub missed: u64,
    /// Whether this is the first record after the writer was restarted.
    pub new_epoch: bool,
    /// Whether decoding can start here.
    pub is_key: bool,
    /// Whether this is the first record read under its config.
    pub new_config: bool,
    /// Where its `RecordInfo` is.
    pub info: Span,
    /// Where its bytes are.
    pub bytes: Span,
}

/// A record: its own copy, or of a lossless reader the bytes in place.
#[derive(uniffi::Object)]
pub struct Record {
    held: Mutex<Option<framelane::Record>>,
    _live: Live,
}

impl Read {
    pub fn new(record: framelane::Record) -> Self {
        let held = Arc::new(Record { held: Mutex::new(Some(record)), _live: Live::new() });
        let guard = held.held.lock().unwrap_or_else(PoisonError::into_inner);
        let record = guard.as_ref().expect("just put there");
        Read {
            record: held.clone(),
            sequence: record.sequence(),
            epoch: record.epoch(),
            missed: record.missed(),
            new_epoch: record.new_epoch(),
            is_key: record.is_key(),
            new_config: record.new_config(),
            info: Span::of(record.info().as_bytes()),
            bytes: Span::of(record.bytes()),
        }
    }
}

#[uniffi::export]
impl Record {
    /// What the stream is, from this record to the next change, a `StreamConfig`.
    pub fn config(&self) -> Result<Vec<u8>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let record = held.as_ref().ok_or_else(|| invalid("the record was released"))?;
        Ok(record.config().as_bytes().to_vec())
    }

    /// Gives the record back. Does nothing a second time.
    pub fn release(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(held); // after the guard: it may ring the writer
    }
}

/// The open record of a writer.
#[derive(uniffi::Object)]
pub struct RecordMut {
    open: Mutex<Option<framelane::RecordMut>>,
    _live: Live,
}

fn done() -> crate::failure::Failure {
    invalid("the record was committed or abandoned")
}

impl RecordMut {
    pub fn new(record: framelane::RecordMut) -> Arc<Self> {
        Arc::new(RecordMut { open: Mutex::new(Some(record)), _live: Live::new() })
    }

    fn open(&self) -> Result<MutexGuard<'_, Option<framelane::RecordMut>>> {
        match self.open.try_lock() {
            Ok(open) => Ok(open),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid("another thread appends to the record")),
        }
    }
}

#[uniffi::export]
impl RecordMut {
    /// Bytes that can still be appended.
    pub fn room(&self) -> Result<u64> {
        Ok(self.open()?.as_ref().ok_or_else(done)?.room() as u64)
    }

    /// Appends bytes.
    pub fn append(&self, bytes: &[u8]) -> Result<()> {
        Ok(self.open()?.as_mut().ok_or_else(done)?.append(bytes)?)
    }

    /// Makes the record the newest of the lane, with times, capture id and flags of a `RecordInfo`;
    /// its sequence.
    pub fn commit(&self, info: Vec<u8>) -> Result<u64> {
        let info = structure(&info, "RecordInfo")?;
        let mut record = self.open()?.take().ok_or_else(done)?;
        *record.info_mut() = info;
        Ok(record.commit()?)
    }

    /// Gives the record up. Does nothing a second time.
    pub fn abandon(&self) {
        if let Ok(mut open) = self.open() {
            let open = open.take();
            drop(open);
        }
    }
}
