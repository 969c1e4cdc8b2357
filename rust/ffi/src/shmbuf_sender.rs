//! The sender of a shmbuf segment.

use crate::error::{framelane_error, framelane_status, full};
use crate::guard::{at, at_mut, enter, give, give_handle, optional_path, take, text};
use crate::record_mut::framelane_bytes;
use crate::shmbuf_options::{framelane_shmbuf_sender_options, shmbuf_sender_options};
use framelane::Result;
use framelane::shmbuf::{self, Sender};
use std::ffi::c_char;
use std::time::Duration;

/// Writes messages into a shmbuf segment, the byte ring of the older shmbuf programs. Used by one
/// thread at a time.
pub struct framelane_shmbuf_sender(Sender);

/// Makes the segment `name`, with or without a slash in front, in place of one that a dead sender
/// has left. `FRAMELANE_ALREADY_EXISTS` while another sender of ours has the name; an upstream one
/// cannot be seen, and loses it.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_create(
    name: *const c_char,
    options: *const framelane_shmbuf_sender_options,
    error: *mut framelane_error,
    sender: *mut *mut framelane_shmbuf_sender,
) -> framelane_status {
    enter(error, || {
        let made = Sender::create(text(name, "name")?, shmbuf_sender_options(options)?)?;
        give_handle(framelane_shmbuf_sender(made), sender, "sender")
    })
}

/// Ends the segment and frees the handle: the name goes unless it is to be kept, an attached
/// receiver can still read what was sent. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_close(sender: *mut framelane_shmbuf_sender) {
    enter(std::ptr::null_mut(), || {
        take(sender);
        Ok(())
    });
}

/// Sends a message if the ring has room for it now; else `FRAMELANE_NO_FREE_SLOT`, and nothing is
/// written. `FRAMELANE_TOO_LARGE` for a message that the ring could never take,
/// `FRAMELANE_INVALID_ARGUMENT` for an empty one, at which upstream receivers would stop for ever.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_try_send(
    sender: *mut framelane_shmbuf_sender,
    data: *const u8,
    size_bytes: usize,
    error: *mut framelane_error,
) -> framelane_status {
    send(error, sender, framelane_bytes { data, size_bytes }, Sender::try_send)
}

/// The same, waiting up to `timeout_ns` for room.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_send(
    sender: *mut framelane_shmbuf_sender,
    data: *const u8,
    size_bytes: usize,
    timeout_ns: u64,
    error: *mut framelane_error,
) -> framelane_status {
    let timeout = Duration::from_nanos(timeout_ns);
    let bytes = framelane_bytes { data, size_bytes };
    send(error, sender, bytes, |sender, message| sender.send(message, timeout))
}

fn send(
    error: *mut framelane_error,
    sender: *mut framelane_shmbuf_sender,
    message: framelane_bytes,
    how: impl FnOnce(&mut Sender, &[u8]) -> Result<bool>,
) -> framelane_status {
    let mut sent = true;
    let status = enter(error, || {
        sent = how(&mut at_mut(sender, "sender")?.0, message.get()?)?;
        Ok(())
    });
    if sent { status } else { full(error) }
}

/// Waits up to `timeout_ns` until everything sent has been read; `drained` is 1 if it has.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_drain(
    sender: *mut framelane_shmbuf_sender,
    timeout_ns: u64,
    error: *mut framelane_error,
    drained: *mut i32,
) -> framelane_status {
    enter(error, || {
        let timeout = Duration::from_nanos(timeout_ns);
        give(at_mut(sender, "sender")?.0.drain(timeout)?.into(), drained, "drained")
    })
}

/// Bytes that wait to be read, the 4 before each message included.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_unread(
    sender: *const framelane_shmbuf_sender,
    error: *mut framelane_error,
    unread_bytes: *mut usize,
) -> framelane_status {
    enter(error, || give(at(sender, "sender")?.0.unread_bytes()?, unread_bytes, "unread_bytes"))
}

/// `attached` is 1 if a receiver of ours reads the segment; upstream ones cannot be seen.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_has_receiver(
    sender: *const framelane_shmbuf_sender,
    error: *mut framelane_error,
    attached: *mut i32,
) -> framelane_status {
    enter(error, || give(at(sender, "sender")?.0.has_receiver()?.into(), attached, "attached"))
}

/// Bytes of the ring, the largest power of two that fits the wish; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_capacity(
    sender: *const framelane_shmbuf_sender,
) -> usize {
    at(sender, "sender").map_or(0, |sender| sender.0.capacity_bytes())
}

/// The longest message that the empty ring can take; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_longest_message(
    sender: *const framelane_shmbuf_sender,
) -> usize {
    at(sender, "sender").map_or(0, |sender| sender.0.longest_message())
}

/// Messages sent; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_sent(sender: *const framelane_shmbuf_sender) -> u64 {
    at(sender, "sender").map_or(0, |sender| sender.0.sent())
}

/// How often `framelane_shmbuf_sender_try_send` found the ring full; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_sender_times_full(
    sender: *const framelane_shmbuf_sender,
) -> u64 {
    at(sender, "sender").map_or(0, |sender| sender.0.times_full())
}

/// Removes a segment by name, as after a crash; `removed` is 0 if there is none, and may be NULL.
/// `directory` NULL: that of POSIX shared memory. `FRAMELANE_ALREADY_EXISTS` while a sender of ours
/// has it.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_remove(
    name: *const c_char,
    directory: *const c_char,
    error: *mut framelane_error,
    removed: *mut i32,
) -> framelane_status {
    enter(error, || {
        let there_was = shmbuf::remove(text(name, "name")?, optional_path(directory))?;
        if removed.is_null() { Ok(()) } else { give(there_was.into(), removed, "removed") }
    })
}
