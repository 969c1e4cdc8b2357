//! Records being written.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at, at_mut, enter, give};
use framelane::{RecordInfo, RecordMut, Result};

/// A record being written, in storage of the caller's. It may be moved by assignment, but only one
/// of two copies may be used. Commit or abandon it exactly once, which empties it; an empty one is
/// refused.
#[repr(C)]
pub struct framelane_record_mut {
    /// Not 0 while it holds a record.
    pub live: u64,
    /// Private.
    pub handle: [u64; 16],
    /// What the record will say about itself: times, capture id and flags; the rest is set at
    /// commit.
    pub info: RecordInfo,
}

/// Bytes of the caller's.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_bytes {
    /// First byte; may be NULL where there are none.
    pub data: *const u8,
    /// How many they are.
    pub size_bytes: usize,
}

const _: () = assert!(size_of::<RecordMut>() <= 128 && align_of::<RecordMut>() <= 8);

impl framelane_bytes {
    pub(crate) fn get<'a>(self) -> Result<&'a [u8]> {
        if self.size_bytes == 0 {
            return Ok(&[]);
        }
        at(self.data, "data")?;
        // SAFETY: not NULL, and by convention so many readable bytes that live through the call.
        Ok(unsafe { std::slice::from_raw_parts(self.data, self.size_bytes) })
    }
}

impl framelane_record_mut {
    /// Fills in what `begin` gives, or leaves it empty.
    pub(crate) fn fill(into: *mut Self, begin: impl FnOnce() -> Result<RecordMut>) -> Result<()> {
        if into.is_null() {
            return Err(invalid("record is NULL"));
        }
        // SAFETY: not NULL, and by convention room for one, initialised or not, for which all
        // zeroes are valid. A panic below leaves it empty.
        unsafe { into.write(std::mem::zeroed()) };
        let mut record = begin()?;
        // SAFETY: written just now, and by convention nobody else uses it.
        let into = unsafe { &mut *into };
        into.info = *record.info_mut();
        // SAFETY: the handle has room for a RecordMut and its alignment, asserted above.
        unsafe { into.handle.as_mut_ptr().cast::<RecordMut>().write(record) };
        into.live = 1;
        Ok(())
    }

    fn record(&mut self) -> Result<&mut RecordMut> {
        if self.live != 1 {
            return Err(invalid("the record is empty: begin one first"));
        }
        // SAFETY: live says that `fill` wrote a RecordMut here, and it stays until `take`.
        Ok(unsafe { &mut *self.handle.as_mut_ptr().cast::<RecordMut>() })
    }

    fn take(&mut self) -> Result<RecordMut> {
        if std::mem::take(&mut self.live) != 1 {
            return Err(invalid("the record is empty: begin one first"));
        }
        // SAFETY: live says that `fill` wrote a RecordMut here; it is read once, live being 0 now.
        Ok(unsafe { self.handle.as_ptr().cast::<RecordMut>().read() })
    }
}

/// Appends bytes. `FRAMELANE_RECORD_TOO_LARGE` for more than the record was begun with, which
/// leaves it as it was.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_record_mut_append(
    record: *mut framelane_record_mut,
    data: *const u8,
    size_bytes: usize,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let bytes = framelane_bytes { data, size_bytes }.get()?;
        at_mut(record, "record")?.record()?.append(bytes)
    })
}

/// Makes the record the newest of its lane and empties it. `sequence` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_record_mut_commit(
    record: *mut framelane_record_mut,
    error: *mut framelane_error,
    sequence: *mut u64,
) -> framelane_status {
    enter(error, || {
        let record = at_mut(record, "record")?;
        let mut taken = record.take()?;
        *taken.info_mut() = record.info;
        let committed = taken.commit()?;
        if sequence.is_null() { Ok(()) } else { give(committed, sequence, "sequence") }
    })
}

/// Gives the record up and empties it. An empty record and NULL are nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_record_mut_abandon(record: *mut framelane_record_mut) {
    enter(std::ptr::null_mut(), || {
        if let Ok(record) = at_mut(record, "record") {
            drop(record.take());
        }
        Ok(())
    });
}
