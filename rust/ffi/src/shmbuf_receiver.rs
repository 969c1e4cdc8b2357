//! The receiver of a shmbuf segment.

use crate::error::{framelane_error, framelane_status, invalid, nothing};
use crate::guard::{at, at_mut, enter, give, give_handle, take, text};
use crate::shmbuf_options::{framelane_shmbuf_receiver_options, shmbuf_receiver_options};
use framelane::Result;
use framelane::shmbuf::Receiver;
use std::ffi::c_char;
use std::time::Duration;

/// Reads the messages of a shmbuf segment. Used by one thread at a time.
pub struct framelane_shmbuf_receiver(Receiver);

/// Attaches to the segment `name`, with or without a slash in front. `FRAMELANE_NOT_FOUND`,
/// `FRAMELANE_TIMED_OUT` for one without a header, `FRAMELANE_TOO_MANY` while another receiver of
/// ours reads it, `FRAMELANE_PROTOCOL` for one that is no ring.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_open(
    name: *const c_char,
    options: *const framelane_shmbuf_receiver_options,
    error: *mut framelane_error,
    receiver: *mut *mut framelane_shmbuf_receiver,
) -> framelane_status {
    enter(error, || {
        let opened = Receiver::open(text(name, "name")?, shmbuf_receiver_options(options)?)?;
        give_handle(framelane_shmbuf_receiver(opened), receiver, "receiver")
    })
}

/// Stops reading and frees the handle; the segment stays. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_close(receiver: *mut framelane_shmbuf_receiver) {
    enter(std::ptr::null_mut(), || {
        take(receiver);
        Ok(())
    });
}

/// Size of the next message, waiting up to `timeout_ns` for it; it stays where it is.
/// `FRAMELANE_TIMED_OUT` when there is none. `FRAMELANE_PROTOCOL` when the segment says something
/// impossible; `FRAMELANE_DISCONNECTED` when the sender is gone and everything is read, where
/// re-attaching is off.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_wait(
    receiver: *mut framelane_shmbuf_receiver,
    timeout_ns: u64,
    error: *mut framelane_error,
    size_bytes: *mut usize,
) -> framelane_status {
    let wait = |receiver: &mut Receiver| match timeout_ns {
        0 => receiver.next_bytes(),
        time => receiver.wait(Duration::from_nanos(time)),
    };
    read(error, receiver, size_bytes, wait)
}

/// Receives into memory of the caller's if there is a message now, else `FRAMELANE_TIMED_OUT`.
/// `FRAMELANE_TOO_LARGE` when the message does not fit; it stays where it is, to be received
/// elsewhere or skipped.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_try_recv(
    receiver: *mut framelane_shmbuf_receiver,
    into: *mut u8,
    room_bytes: usize,
    error: *mut framelane_error,
    size_bytes: *mut usize,
) -> framelane_status {
    read(error, receiver, size_bytes, |receiver| receiver.try_recv_into(room(into, room_bytes)?))
}

/// The same, waiting up to `timeout_ns` for a message.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_recv(
    receiver: *mut framelane_shmbuf_receiver,
    into: *mut u8,
    room_bytes: usize,
    timeout_ns: u64,
    error: *mut framelane_error,
    size_bytes: *mut usize,
) -> framelane_status {
    read(error, receiver, size_bytes, |receiver| {
        let into = room(into, room_bytes)?;
        match receiver.wait(Duration::from_nanos(timeout_ns))? {
            Some(_) => receiver.try_recv_into(into),
            None => Ok(None),
        }
    })
}

/// Drops the next message unread; `FRAMELANE_TIMED_OUT` when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_skip(
    receiver: *mut framelane_shmbuf_receiver,
    error: *mut framelane_error,
) -> framelane_status {
    let mut skipped = true;
    let status = enter(error, || {
        skipped = at_mut(receiver, "receiver")?.0.skip()?;
        Ok(())
    });
    if skipped { status } else { nothing(error) }
}

fn read(
    error: *mut framelane_error,
    receiver: *mut framelane_shmbuf_receiver,
    size_bytes: *mut usize,
    how: impl FnOnce(&mut Receiver) -> Result<Option<usize>>,
) -> framelane_status {
    let mut found = None;
    let status = enter(error, || {
        if size_bytes.is_null() {
            return Err(invalid("size_bytes is NULL")); // before a message is taken
        }
        found = Some(how(&mut at_mut(receiver, "receiver")?.0)?);
        found.flatten().map_or(Ok(()), |size| give(size, size_bytes, "size_bytes"))
    });
    if found == Some(None) { nothing(error) } else { status }
}

fn room<'a>(into: *mut u8, bytes: usize) -> Result<&'a mut [u8]> {
    if bytes == 0 {
        return Ok(&mut []);
    }
    at(into, "into")?;
    // SAFETY: not NULL, and by convention so many bytes that nobody else uses during the call.
    Ok(unsafe { std::slice::from_raw_parts_mut(into, bytes) })
}

/// Bytes of the ring; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_capacity(
    receiver: *const framelane_shmbuf_receiver,
) -> usize {
    at(receiver, "receiver").map_or(0, |receiver| receiver.0.capacity_bytes())
}

/// Messages received; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_received(
    receiver: *const framelane_shmbuf_receiver,
) -> u64 {
    at(receiver, "receiver").map_or(0, |receiver| receiver.0.received())
}

/// Empty messages that were stepped over; ours never send one. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_empty(
    receiver: *const framelane_shmbuf_receiver,
) -> u64 {
    at(receiver, "receiver").map_or(0, |receiver| receiver.0.empty())
}

/// How often another segment was found at the name: the sender had been restarted. 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_shmbuf_receiver_restarts(
    receiver: *const framelane_shmbuf_receiver,
) -> u64 {
    at(receiver, "receiver").map_or(0, |receiver| receiver.0.restarts())
}
