//! The writer of a stream lane, and the record it has open.
#![allow(unsafe_code, reason = "handles and records in storage of C++")]

use crate::bridge::ffi::OpenRecord;
use crate::status::{enter, invalid, make, text};
use crate::types::{RecordInfo, Report, StreamConfig, StreamWriterOptions};
use framelane::{Error, RecordMut, Result};
use std::time::Duration;

pub struct StreamWriter(framelane::StreamWriter);

pub fn create_stream(
    name: &[u8],
    config: &StreamConfig,
    options: &StreamWriterOptions,
) -> *mut StreamWriter {
    make(|| {
        let options = framelane_ffi::stream_writer_options(&config.0, &options.0)?;
        let name = text(name, "the lane's name")?;
        Ok(StreamWriter(framelane::StreamWriter::create(name, options)?))
    })
}

/// # Safety
/// A pointer that `create_stream` returned and that was not dropped before.
pub unsafe fn drop_stream_writer(writer: *mut StreamWriter) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(writer) });
        Ok(())
    });
}

impl StreamWriter {
    pub fn begin(&self, room: usize, timeout_ns: u64, record: &mut OpenRecord) -> u32 {
        enter(|| {
            record.hold(match timeout_ns {
                0 => self.0.begin(room)?,
                time => self.0.begin_within(room, Duration::from_nanos(time))?,
            });
            Ok(())
        })
    }

    pub fn set_config(&self, config: &StreamConfig, timeout_ns: u64, id: &mut u32) -> u32 {
        enter(|| {
            *id = match timeout_ns {
                0 => self.0.set_config(&config.0)?,
                time => self.0.set_config_within(&config.0, Duration::from_nanos(time))?,
            };
            Ok(())
        })
    }

    pub fn key_frame_wanted(&self, timeout_ns: u64) -> bool {
        let mut wanted = false;
        enter(|| {
            wanted = match timeout_ns {
                0 => self.0.key_frame_wanted(),
                time => self.0.wait_key_frame_wanted(Duration::from_nanos(time)),
            };
            Ok(())
        });
        wanted
    }

    pub fn report(&self, report: &mut Report) {
        report.0 = self.0.report();
    }

    pub fn record_limit(&self) -> usize {
        self.0.record_limit_bytes()
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn readers(&self) -> usize {
        self.0.readers()
    }
}

const _: () = assert!(size_of::<RecordMut>() <= 128 && align_of::<RecordMut>() <= 8);

impl OpenRecord {
    fn hold(&mut self, mut record: RecordMut) {
        self.info = RecordInfo(*record.info_mut());
        self.live = true;
        // SAFETY: the array has room for a RecordMut and its alignment, asserted above.
        unsafe { self.handle.as_mut_ptr().cast::<RecordMut>().write(record) };
    }

    fn take(&mut self) -> Result<RecordMut> {
        if !std::mem::take(&mut self.live) {
            return Err(empty());
        }
        // SAFETY: live said that `hold` wrote a RecordMut here; it is read once, live being false
        // now. Whoever moves the struct clears `live` in the old place.
        Ok(unsafe { self.handle.as_ptr().cast::<RecordMut>().read() })
    }
}

fn empty() -> Error {
    invalid("the record is empty: it was committed, abandoned or moved away")
}

pub fn append_record(record: &mut OpenRecord, bytes: &[u8]) -> u32 {
    enter(|| {
        if !record.live {
            return Err(empty());
        }
        // SAFETY: live says that `hold` wrote a RecordMut here, and it stays until `take`.
        unsafe { &mut *record.handle.as_mut_ptr().cast::<RecordMut>() }.append(bytes)
    })
}

pub fn commit_record(record: &mut OpenRecord, sequence: &mut u64) -> u32 {
    enter(|| {
        let mut taken = record.take()?;
        *taken.info_mut() = record.info.0;
        *sequence = taken.commit()?;
        Ok(())
    })
}

pub fn abandon_record(record: &mut OpenRecord) {
    enter(|| {
        drop(record.take().ok());
        Ok(())
    });
}
