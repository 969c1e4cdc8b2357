//! How stream lanes are made and opened.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at, enter, give, optional_path};
use crate::options::{access, check_size, trust};
use framelane::{
    Codec, RecordInfo, Result, StreamConfig, StreamReaderOptions, StreamStart, StreamWriterOptions,
};
use std::ffi::c_char;
use std::time::Duration;

/// How to make a stream lane. Fill it with `framelane_stream_writer_options_init` first.
#[repr(C)]
pub struct framelane_stream_writer_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Records the lane keeps at most, rounded up to a power of two (1024).
    pub index_capacity: u32,
    /// Bytes of the data ring, rounded up to whole pages (8 MiB); half of it is the largest record.
    pub data_bytes: u64,
    /// How often at most a wish for a key record is reported (1 s).
    pub key_request_interval_ns: u64,
    /// Not 0: lossless readers are admitted, for which writing waits.
    pub lossless: u32,
    /// Not 0: lock the lane into memory where the limits allow it.
    pub lock_memory: u32,
    /// NUMA node to bind the lane to; -1: none.
    pub numa_node: i32,
    /// 0 the writer's user, 1 a group, 2 everyone.
    pub access: u32,
    /// The group, where access is 1.
    pub access_group: u32,
    /// 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
    pub trust: u32,
    /// Runtime directory; NULL searches.
    pub directory: *const c_char,
}

/// How to open a stream lane. Fill it with `framelane_stream_reader_options_init` first.
#[repr(C)]
pub struct framelane_stream_reader_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Where to begin: a number of `framelane_stream_start` (newest key).
    pub start: u32,
    /// How long ago the record was published that key before means.
    pub start_age_ns: u64,
    /// Where to go on after having been overtaken: newest key or oldest key (newest key).
    pub after_lap: u32,
    /// Not 0: every record, in place; the writer waits.
    pub lossless: u32,
    /// How long to wait for a writer (0).
    pub wait_for_lane_ns: u64,
    /// Not 0: attach to the next writer when this one is gone (1).
    pub reattach: u32,
    /// Not 0: a blocking read ends early when a signal arrives (0).
    pub return_on_signal: u32,
    /// Runtime directory; NULL searches.
    pub directory: *const c_char,
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_writer_options_init(
    options: *mut framelane_stream_writer_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_stream_writer_options {
            struct_bytes: size_of::<framelane_stream_writer_options>() as u32,
            index_capacity: 1024,
            data_bytes: 8 << 20,
            key_request_interval_ns: 1_000_000_000,
            lossless: 0,
            lock_memory: 0,
            numa_node: -1,
            access: 0,
            access_group: 0,
            trust: 0,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_reader_options_init(
    options: *mut framelane_stream_reader_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_stream_reader_options {
            struct_bytes: size_of::<framelane_stream_reader_options>() as u32,
            start: StreamStart::NewestKey.number().into(),
            start_age_ns: 0,
            after_lap: StreamStart::NewestKey.number().into(),
            lossless: 0,
            wait_for_lane_ns: 0,
            reattach: 1,
            return_on_signal: 0,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// Fills a config of this codec, a number of `framelane_codec`; everything else is 0, to be filled
/// in.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_stream_config_init(
    codec: u32,
    error: *mut framelane_error,
    config: *mut StreamConfig,
) -> framelane_status {
    enter(error, || {
        let known = u8::try_from(codec).ok().and_then(Codec::from_number);
        let known = known.ok_or_else(|| invalid(&format!("{codec} is no codec")))?;
        give(StreamConfig::new(known), config, "config")
    })
}

/// Fills what is said of a record: no time known, no flag set.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_record_info_init(info: *mut RecordInfo) -> framelane_status {
    enter(std::ptr::null_mut(), || give(RecordInfo::new(), info, "info"))
}

/// The place of a stream that a number stands for.
pub fn stream_start(number: u32) -> Result<StreamStart> {
    let start = u8::try_from(number).ok().and_then(StreamStart::from_number);
    start.ok_or_else(|| invalid(&format!("{number} is no place of a stream")))
}

/// The options that a struct of C stands for.
pub fn stream_writer_options(
    config: *const StreamConfig,
    options: *const framelane_stream_writer_options,
) -> Result<StreamWriterOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_stream_writer_options>())?;
    Ok(StreamWriterOptions::new(*at(config, "config")?)
        .data_bytes(c.data_bytes)
        .index_capacity(c.index_capacity)
        .lossless(c.lossless != 0)
        .key_request_interval(Duration::from_nanos(c.key_request_interval_ns))
        .lock_memory(c.lock_memory != 0)
        .numa_node(u32::try_from(c.numa_node).ok())
        .access(access(c.access, c.access_group)?)
        .trust(trust(c.trust)?)
        .directory(optional_path(c.directory).map(Into::into)))
}

/// The options that a struct of C stands for.
pub fn stream_reader_options(
    options: *const framelane_stream_reader_options,
) -> Result<StreamReaderOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_stream_reader_options>())?;
    Ok(StreamReaderOptions::new()
        .start(stream_start(c.start)?)
        .start_age(Duration::from_nanos(c.start_age_ns))
        .after_lap(stream_start(c.after_lap)?)
        .lossless(c.lossless != 0)
        .wait_for_lane(Duration::from_nanos(c.wait_for_lane_ns))
        .reattach(c.reattach != 0)
        .return_on_signal(c.return_on_signal != 0)
        .directory(optional_path(c.directory).map(Into::into)))
}
