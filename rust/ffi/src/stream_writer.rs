//! The writer of a stream lane.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at, enter, give, give_handle, take, text};
use crate::record_mut::{framelane_bytes, framelane_record_mut};
use crate::stream_options::{framelane_stream_writer_options, stream_writer_options};
use framelane::{RecordInfo, Report, Result, StreamConfig, StreamWriter};
use std::ffi::c_char;
use std::time::Duration;

/// Owns a stream lane. Usable from several threads at once.
pub struct framelane_stream_writer(StreamWriter);

/// Makes the stream lane `name`, whose records begin with `config`, and starts to admit readers.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_create(
    name: *const c_char,
    config: *const StreamConfig,
    options: *const framelane_stream_writer_options,
    error: *mut framelane_error,
    writer: *mut *mut framelane_stream_writer,
) -> framelane_status {
    enter(error, || {
        let options = stream_writer_options(config, options)?;
        let made = StreamWriter::create(text(name, "name")?, options)?;
        give_handle(framelane_stream_writer(made), writer, "writer")
    })
}

/// Ends the lane and frees the handle. NULL is nothing. A record still open may be abandoned
/// afterwards; committing it then fails with `FRAMELANE_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_close(writer: *mut framelane_stream_writer) {
    enter(std::ptr::null_mut(), || {
        take(writer);
        Ok(())
    });
}

/// Begins a record of up to `room_bytes`, waiting up to `timeout_ns` for lossless readers or for
/// the open record. `FRAMELANE_NO_FREE_SLOT` names who holds what would be overwritten.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_begin(
    writer: *const framelane_stream_writer,
    room_bytes: usize,
    timeout_ns: u64,
    error: *mut framelane_error,
    record: *mut framelane_record_mut,
) -> framelane_status {
    let begin = || {
        let writer = &at(writer, "writer")?.0;
        match timeout_ns {
            0 => writer.begin(room_bytes),
            time => writer.begin_within(room_bytes, Duration::from_nanos(time)),
        }
    };
    enter(error, || framelane_record_mut::fill(record, begin))
}

/// Writes a record from its pieces at once. `info` says its times, capture id and flags.
/// `sequence` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_write(
    writer: *const framelane_stream_writer,
    info: *const RecordInfo,
    pieces: *const framelane_bytes,
    count: usize,
    timeout_ns: u64,
    error: *mut framelane_error,
    sequence: *mut u64,
) -> framelane_status {
    enter(error, || {
        let (writer, info) = (&at(writer, "writer")?.0, at(info, "info")?);
        let pieces = all(pieces, count)?;
        let written = match timeout_ns {
            0 => writer.write(info, &pieces)?,
            time => writer.write_within(info, &pieces, Duration::from_nanos(time))?,
        };
        if sequence.is_null() { Ok(()) } else { give(written, sequence, "sequence") }
    })
}

fn all<'a>(pieces: *const framelane_bytes, count: usize) -> Result<Vec<&'a [u8]>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if pieces.is_null() {
        return Err(invalid("pieces is NULL"));
    }
    // SAFETY: not NULL, and by convention an array of `count` that lives through the call.
    let pieces = unsafe { std::slice::from_raw_parts(pieces, count) };
    pieces.iter().map(|piece| piece.get()).collect()
}

/// Says what the records to come are, waiting up to `timeout_ns` for lossless readers of the oldest
/// config. `id` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_set_config(
    writer: *const framelane_stream_writer,
    config: *const StreamConfig,
    timeout_ns: u64,
    error: *mut framelane_error,
    id: *mut u32,
) -> framelane_status {
    enter(error, || {
        let (writer, config) = (&at(writer, "writer")?.0, at(config, "config")?);
        let given = match timeout_ns {
            0 => writer.set_config(config)?,
            time => writer.set_config_within(config, Duration::from_nanos(time))?,
        };
        if id.is_null() { Ok(()) } else { give(given, id, "id") }
    })
}

/// `wanted` is 1 when a reader wants a key record, as often as the options allow; waits up to
/// `timeout_ns` for it.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_key_frame_wanted(
    writer: *const framelane_stream_writer,
    timeout_ns: u64,
    error: *mut framelane_error,
    wanted: *mut i32,
) -> framelane_status {
    enter(error, || {
        let writer = &at(writer, "writer")?.0;
        let is_wanted = match timeout_ns {
            0 => writer.key_frame_wanted(),
            time => writer.wait_key_frame_wanted(Duration::from_nanos(time)),
        };
        give(is_wanted.into(), wanted, "wanted")
    })
}

/// How the lane is: sizes, counts and readers.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_report(
    writer: *const framelane_stream_writer,
    error: *mut framelane_error,
    report: *mut Report,
) -> framelane_status {
    enter(error, || give(at(writer, "writer")?.0.report(), report, "report"))
}

/// Largest record, half of the ring; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_record_limit(
    writer: *const framelane_stream_writer,
) -> usize {
    at(writer, "writer").map_or(0, |writer| writer.0.record_limit_bytes())
}

/// Random id of this writer incarnation; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_epoch(writer: *const framelane_stream_writer) -> u64 {
    at(writer, "writer").map_or(0, |writer| writer.0.epoch())
}

/// Number of readers attached now; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_readers(writer: *const framelane_stream_writer) -> usize {
    at(writer, "writer").map_or(0, |writer| writer.0.readers())
}
