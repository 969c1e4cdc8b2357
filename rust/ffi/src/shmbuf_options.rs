//! How shmbuf segments are made and attached to.

use crate::error::framelane_status;
use crate::guard::{at, enter, give, optional_path};
use crate::options::check_size;
use framelane::Result;
use framelane::shmbuf::{ReceiverOptions, SenderOptions};
use std::ffi::c_char;
use std::time::Duration;

/// How to make a shmbuf segment. Fill it with `framelane_shmbuf_sender_options_init` first.
#[repr(C)]
pub struct framelane_shmbuf_sender_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Permissions of the segment, whatever the umask (0600). A receiver needs to write, too.
    pub mode: u32,
    /// Bytes wanted: the ring is the largest power of two that fits. To be set. A message needs 4
    /// bytes beside its own.
    pub capacity_bytes: u64,
    /// Not 0: the name stays when this sender goes (0).
    pub keep: u32,
    /// Not 0: the receiver is upstream's Python one, which goes deaf after 4 GiB; the counters are
    /// set back in time (0). Never with a C++ receiver, which would read far outside its memory.
    pub python_receiver: u32,
    /// Not 0: wake a receiver of ours that asks for the same, and be woken (0).
    pub bell: u32,
    /// Zero.
    pub reserved: u32,
    /// Sleep between two looks at a peer that rings no bell (1 ms), at most 50 ms.
    pub poll_interval_ns: u64,
    /// Folder of the segment; NULL: that of POSIX shared memory.
    pub directory: *const c_char,
}

/// How to attach to a shmbuf segment. Fill it with `framelane_shmbuf_receiver_options_init` first.
#[repr(C)]
pub struct framelane_shmbuf_receiver_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Not 0: go on with the next segment of the name when the sender was restarted (1).
    pub reattach: u32,
    /// How long to wait for a segment that can be read (0).
    pub wait_for_sender_ns: u64,
    /// Not 0: wake a sender of ours that asks for the same, and be woken (0).
    pub bell: u32,
    /// Zero.
    pub reserved: u32,
    /// Sleep between two looks at a peer that rings no bell (1 ms), at most 50 ms.
    pub poll_interval_ns: u64,
    /// Folder of the segment; NULL: that of POSIX shared memory.
    pub directory: *const c_char,
}

const POLL_NS: u64 = 1_000_000;

/// Fills the options with their defaults; `capacity_bytes` is to be set.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_options_init(
    options: *mut framelane_shmbuf_sender_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_shmbuf_sender_options {
            struct_bytes: size_of::<framelane_shmbuf_sender_options>() as u32,
            mode: 0o600,
            capacity_bytes: 0,
            keep: 0,
            python_receiver: 0,
            bell: 0,
            reserved: 0,
            poll_interval_ns: POLL_NS,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_options_init(
    options: *mut framelane_shmbuf_receiver_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_shmbuf_receiver_options {
            struct_bytes: size_of::<framelane_shmbuf_receiver_options>() as u32,
            reattach: 1,
            wait_for_sender_ns: 0,
            bell: 0,
            reserved: 0,
            poll_interval_ns: POLL_NS,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// The options that a struct of C stands for.
pub fn shmbuf_sender_options(
    options: *const framelane_shmbuf_sender_options,
) -> Result<SenderOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_shmbuf_sender_options>())?;
    Ok(SenderOptions::new(c.capacity_bytes)
        .mode(c.mode)
        .keep(c.keep != 0)
        .python_receiver(c.python_receiver != 0)
        .bell(c.bell != 0)
        .poll_interval(Duration::from_nanos(c.poll_interval_ns))
        .directory(optional_path(c.directory).map(Into::into)))
}

/// The options that a struct of C stands for.
pub fn shmbuf_receiver_options(
    options: *const framelane_shmbuf_receiver_options,
) -> Result<ReceiverOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_shmbuf_receiver_options>())?;
    Ok(ReceiverOptions::new()
        .wait_for_sender(Duration::from_nanos(c.wait_for_sender_ns))
        .reattach(c.reattach != 0)
        .bell(c.bell != 0)
        .poll_interval(Duration::from_nanos(c.poll_interval_ns))
        .directory(optional_path(c.directory).map(Into::into)))
}
