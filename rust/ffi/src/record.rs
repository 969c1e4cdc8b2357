//! Records that were read.

use crate::error::invalid;
use crate::guard::{at_mut, enter};
use framelane::{Record, RecordInfo, Result, StreamConfig};

/// A record that was read, in storage of the caller's. It may be moved by assignment, but only one
/// of two copies may be used. A zeroed one is empty; releasing it is harmless.
#[repr(C)]
pub struct framelane_record {
    /// Not 0 while it holds a record.
    pub live: u64,
    /// Private.
    pub handle: [u64; 20],
    /// Its bytes, valid until it is released.
    pub data: *const u8,
    /// How many they are.
    pub size_bytes: usize,
    /// What the stream is, from this record to the next change; valid until it is released.
    pub config: *const StreamConfig,
    /// What the record is.
    pub info: RecordInfo,
    /// Writer incarnation the record comes from.
    pub epoch: u64,
    /// Records that passed between the one before and this one. Of an empty one that came with
    /// `FRAMELANE_LAPPED`: records that were overwritten before they were read.
    pub missed: u64,
    /// Not 0 on the first record after the writer was restarted.
    pub new_epoch: u32,
    /// Not 0 on the first record under its config, of those that were read.
    pub new_config: u32,
}

const _: () = assert!(size_of::<Record>() <= 160 && align_of::<Record>() <= 8);

impl framelane_record {
    /// Fills in what `read` gives; whether it gave one. Else, and after an error, it is empty.
    pub(crate) fn fill(
        into: *mut Self,
        read: impl FnOnce() -> Result<Option<Record>>,
    ) -> Result<bool> {
        if into.is_null() {
            return Err(invalid("record is NULL"));
        }
        // SAFETY: not NULL, and by convention room for one, initialised or not, for which all
        // zeroes are valid. A panic below leaves it empty.
        unsafe { into.write(std::mem::zeroed()) };
        // SAFETY: written just now, and by convention nobody else uses it.
        let into = unsafe { &mut *into };
        let read = read().inspect_err(|error| into.missed = error.missed())?;
        let Some(record) = read else { return Ok(false) };
        into.data = record.bytes().as_ptr();
        into.size_bytes = record.bytes().len();
        into.config = record.config();
        into.info = *record.info();
        into.epoch = record.epoch();
        into.missed = record.missed();
        into.new_epoch = record.new_epoch().into();
        into.new_config = record.new_config().into();
        // SAFETY: the handle has room for a Record and its alignment, asserted above. What `data`
        // and `config` point to is on the heap or in lane memory and does not move with it.
        unsafe { into.handle.as_mut_ptr().cast::<Record>().write(record) };
        into.live = 1;
        Ok(true)
    }
}

/// Gives the record back and empties it; a lossless reader's writer may then overwrite it. An empty
/// record and NULL are nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_record_release(record: *mut framelane_record) {
    enter(std::ptr::null_mut(), || {
        let Ok(record) = at_mut(record, "record") else { return Ok(()) };
        if std::mem::take(&mut record.live) == 1 {
            record.data = std::ptr::null();
            record.config = std::ptr::null();
            record.size_bytes = 0;
            // SAFETY: live says that `fill` wrote a Record here; it is read once, live being 0 now.
            drop(unsafe { record.handle.as_ptr().cast::<Record>().read() });
        }
        Ok(())
    });
}
