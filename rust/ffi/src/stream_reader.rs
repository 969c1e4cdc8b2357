//! The reader of a stream lane.

use crate::consumer::framelane_closer;
use crate::error::{framelane_error, framelane_status, nothing};
use crate::guard::{at, at_mut, enter, give, give_handle, take, text};
use crate::record::framelane_record;
use crate::stream_options::{framelane_stream_reader_options, stream_reader_options, stream_start};
use framelane::{Record, Result, StreamReader};
use rustix::fd::AsRawFd;
use std::ffi::c_char;
use std::time::Duration;

/// Reads a stream lane. Used by one thread at a time.
pub struct framelane_stream_reader(StreamReader);

/// Attaches to the stream lane `name`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_open(
    name: *const c_char,
    options: *const framelane_stream_reader_options,
    error: *mut framelane_error,
    reader: *mut *mut framelane_stream_reader,
) -> framelane_status {
    enter(error, || {
        let opened = StreamReader::open(text(name, "name")?, stream_reader_options(options)?)?;
        give_handle(framelane_stream_reader(opened), reader, "reader")
    })
}

/// Stops reading and frees the handle. NULL is nothing. Records stay valid until released.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_close(reader: *mut framelane_stream_reader) {
    enter(std::ptr::null_mut(), || {
        take(reader);
        Ok(())
    });
}

/// The next record, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an empty record when
/// there is none. `FRAMELANE_LAPPED` when records were overwritten before
/// they were read: `record->missed` says how many, and the next call goes on at a key record.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_next(
    reader: *mut framelane_stream_reader,
    timeout_ns: u64,
    error: *mut framelane_error,
    record: *mut framelane_record,
) -> framelane_status {
    let timeout = Duration::from_nanos(timeout_ns);
    read(error, reader, record, |reader| reader.next(timeout))
}

/// The next record if there is one now; else `FRAMELANE_TIMED_OUT` and an empty record, and the
/// descriptor of `framelane_stream_reader_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_try_next(
    reader: *mut framelane_stream_reader,
    error: *mut framelane_error,
    record: *mut framelane_record,
) -> framelane_status {
    read(error, reader, record, StreamReader::try_next)
}

fn read(
    error: *mut framelane_error,
    reader: *mut framelane_stream_reader,
    record: *mut framelane_record,
    how: impl FnOnce(&mut StreamReader) -> Result<Option<Record>>,
) -> framelane_status {
    let mut found = true;
    let status = enter(error, || {
        found = framelane_record::fill(record, || how(&mut at_mut(reader, "reader")?.0))?;
        Ok(())
    });
    if found { status } else { nothing(error) }
}

/// Waits up to `timeout_ns` until there may be something to read; `ready` is 1 if there is.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_wait(
    reader: *mut framelane_stream_reader,
    timeout_ns: u64,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || {
        let timeout = Duration::from_nanos(timeout_ns);
        give(at_mut(reader, "reader")?.0.wait(timeout)?.into(), ready, "ready")
    })
}

/// `ready` is 1 if there may be something to read now; else 0, and the descriptor of
/// `framelane_stream_reader_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_ready(
    reader: *mut framelane_stream_reader,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || give(at_mut(reader, "reader")?.0.ready()?.into(), ready, "ready"))
}

/// Goes to a place of the stream, a number of `framelane_stream_start`; `age_ns` is what key before
/// means. `FRAMELANE_NO_KEY_FRAME` when there is none: the reader stays, and one is asked for.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_seek(
    reader: *mut framelane_stream_reader,
    place: u32,
    age_ns: u64,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let age = Duration::from_nanos(age_ns);
        at_mut(reader, "reader")?.0.seek(stream_start(place)?, age)
    })
}

/// Asks the writer for a key record.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_request_key_frame(
    reader: *mut framelane_stream_reader,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || at_mut(reader, "reader")?.0.request_key_frame())
}

/// A descriptor that becomes readable when there may be a record; -1 for NULL. It belongs to the
/// reader: do not read or close it. Call `framelane_stream_reader_try_next` until it finds nothing
/// before polling.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_fd(reader: *mut framelane_stream_reader) -> i32 {
    at_mut(reader, "reader").map_or(-1, |reader| reader.0.fd().as_raw_fd())
}

/// Records delivered; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_received(reader: *const framelane_stream_reader) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.received())
}

/// Records that passed without being delivered, seeks left out; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_missed(reader: *const framelane_stream_reader) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.missed())
}

/// Random id of the writer attached to now; 0 while there is none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_epoch(reader: *const framelane_stream_reader) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.epoch())
}

/// Records that are held in place; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_held(reader: *const framelane_stream_reader) -> u32 {
    at(reader, "reader").map_or(0, |reader| reader.0.held())
}

/// A handle that closes the reader from any thread, also after the reader was freed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_closer(
    reader: *const framelane_stream_reader,
    error: *mut framelane_error,
    closer: *mut *mut framelane_closer,
) -> framelane_status {
    enter(error, || {
        let made = at(reader, "reader")?.0.closer();
        give_handle(framelane_closer(made), closer, "closer")
    })
}
