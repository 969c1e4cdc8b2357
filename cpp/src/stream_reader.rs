//! The reader of a stream lane, and the records it has read.
#![allow(unsafe_code, reason = "handles and records in storage of C++")]

use crate::bridge::ffi::HeldRecord;
use crate::consumer::Closer;
use crate::status::{enter, make, text};
use crate::types::{RecordInfo, StreamReaderOptions};
use framelane::{Record, Result};
use rustix::fd::AsRawFd;
use std::time::Duration;

pub struct StreamReader(framelane::StreamReader);

pub fn open_stream(name: &[u8], options: &StreamReaderOptions) -> *mut StreamReader {
    make(|| {
        let options = framelane_ffi::stream_reader_options(&options.0)?;
        let name = text(name, "the lane's name")?;
        Ok(StreamReader(framelane::StreamReader::open(name, options)?))
    })
}

/// # Safety
/// A pointer that `open_stream` returned and that was not dropped before.
pub unsafe fn drop_stream_reader(reader: *mut StreamReader) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(reader) });
        Ok(())
    });
}

/// Success with an empty record says that there is nothing.
fn read(record: &mut HeldRecord, find: impl FnOnce() -> Result<Option<Record>>) -> u32 {
    enter(|| {
        if let Some(found) = find()? {
            record.hold(found);
        }
        Ok(())
    })
}

impl StreamReader {
    pub fn next(&mut self, timeout_ns: u64, record: &mut HeldRecord) -> u32 {
        read(record, || self.0.next(Duration::from_nanos(timeout_ns)))
    }

    pub fn try_next(&mut self, record: &mut HeldRecord) -> u32 {
        read(record, || self.0.try_next())
    }

    pub fn wait(&mut self, timeout_ns: u64, ready: &mut bool) -> u32 {
        enter(|| {
            *ready = match timeout_ns {
                0 => self.0.ready()?,
                time => self.0.wait(Duration::from_nanos(time))?,
            };
            Ok(())
        })
    }

    pub fn seek(&mut self, place: u8, age_ns: u64) -> u32 {
        enter(|| {
            self.0.seek(framelane_ffi::stream_start(place.into())?, Duration::from_nanos(age_ns))
        })
    }

    pub fn request_key_frame(&mut self) -> u32 {
        enter(|| self.0.request_key_frame())
    }

    pub fn fd(&mut self) -> i32 {
        self.0.fd().as_raw_fd()
    }

    pub fn received(&self) -> u64 {
        self.0.received()
    }

    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn held(&self) -> u32 {
        self.0.held()
    }

    pub fn closer(&self) -> Box<Closer> {
        Box::new(Closer(self.0.closer()))
    }
}

const _: () = assert!(size_of::<Record>() <= 160 && align_of::<Record>() <= 8);

const fn usable_from_several_threads<T: Send + Sync>() {}
const _: () = usable_from_several_threads::<Record>();

impl HeldRecord {
    fn hold(&mut self, record: Record) {
        self.info = RecordInfo(*record.info());
        self.config = std::ptr::from_ref(record.config()).cast();
        self.data = record.bytes().as_ptr();
        self.size_bytes = record.bytes().len();
        self.epoch = record.epoch();
        self.missed = record.missed();
        self.new_epoch = record.new_epoch();
        self.new_config = record.new_config();
        self.live = true;
        // SAFETY: the array has room for a Record and its alignment, asserted above. What `data`
        // and `config` point to is on the heap or in lane memory and does not move with it.
        unsafe { self.handle.as_mut_ptr().cast::<Record>().write(record) };
    }
}

pub fn drop_record(record: &mut HeldRecord) {
    enter(|| {
        if std::mem::take(&mut record.live) {
            // SAFETY: live said that `hold` wrote a Record here, which is dropped once. Whoever
            // moves the struct clears `live` in the old place.
            unsafe { record.handle.as_mut_ptr().cast::<Record>().drop_in_place() };
        }
        Ok(())
    });
}
