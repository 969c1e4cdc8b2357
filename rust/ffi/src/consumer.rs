//! The consumer.

use crate::error::{framelane_error, framelane_status, nothing};
use crate::frame::framelane_frame;
use crate::guard::{at, at_mut, enter, give, give_handle, take, text};
use crate::options::{consumer_options, framelane_consumer_options};
use framelane::{Closer, Consumer, Result};
use rustix::fd::AsRawFd;
use std::ffi::c_char;
use std::time::Duration;

/// Reads a lane. Used by one thread at a time.
pub struct framelane_consumer(Consumer);

/// Closes a consumer or stream reader from any thread.
pub struct framelane_closer(pub(crate) Closer);

/// Attaches to the lane `name`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_open(
    name: *const c_char,
    options: *const framelane_consumer_options,
    error: *mut framelane_error,
    consumer: *mut *mut framelane_consumer,
) -> framelane_status {
    enter(error, || {
        framelane_hobot::register();
        let opened = Consumer::open(text(name, "name")?, consumer_options(options)?)?;
        give_handle(framelane_consumer(opened), consumer, "consumer")
    })
}

/// Stops reading and frees the handle. NULL is nothing. Held frames stay valid.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_close(consumer: *mut framelane_consumer) {
    enter(std::ptr::null_mut(), || {
        take(consumer);
        Ok(())
    });
}

/// The next frame, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an empty frame when there
/// is none.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_next(
    consumer: *mut framelane_consumer,
    timeout_ns: u64,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    let timeout = Duration::from_nanos(timeout_ns);
    read(error, consumer, frame, |consumer| consumer.next(timeout))
}

/// The next frame if there is one now; else `FRAMELANE_TIMED_OUT` and an empty frame, and the
/// descriptor of `framelane_consumer_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_try_next(
    consumer: *mut framelane_consumer,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    read(error, consumer, frame, Consumer::try_next)
}

/// The newest valid frame, also one that was delivered before; else `FRAMELANE_TIMED_OUT` and an
/// empty frame.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_latest(
    consumer: *mut framelane_consumer,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    read(error, consumer, frame, Consumer::latest)
}

fn read(
    error: *mut framelane_error,
    consumer: *mut framelane_consumer,
    frame: *mut framelane_frame,
    how: impl FnOnce(&mut Consumer) -> Result<Option<framelane::Frame>>,
) -> framelane_status {
    let mut found = true;
    let status = enter(error, || {
        found = framelane_frame::fill(frame, || how(&mut at_mut(consumer, "consumer")?.0))?;
        Ok(())
    });
    if found { status } else { nothing(error) }
}

/// Waits up to `timeout_ns` until there is something to read; `ready` is 1 if there is.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_wait(
    consumer: *mut framelane_consumer,
    timeout_ns: u64,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || {
        let timeout = Duration::from_nanos(timeout_ns);
        let found = at_mut(consumer, "consumer")?.0.wait(timeout)?;
        give(found.into(), ready, "ready")
    })
}

/// `ready` is 1 if there is something to read now; else 0, and the descriptor of
/// `framelane_consumer_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_ready(
    consumer: *mut framelane_consumer,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || give(at_mut(consumer, "consumer")?.0.ready()?.into(), ready, "ready"))
}

/// A descriptor that becomes readable when there may be a frame; -1 for NULL. It belongs to the
/// consumer: do not read or close it. Call `framelane_consumer_try_next` until it finds nothing
/// before polling.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_fd(consumer: *mut framelane_consumer) -> i32 {
    at_mut(consumer, "consumer").map_or(-1, |consumer| consumer.0.fd().as_raw_fd())
}

/// Frames delivered; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_received(consumer: *const framelane_consumer) -> u64 {
    at(consumer, "consumer").map_or(0, |consumer| consumer.0.received())
}

/// Frames that passed without being delivered; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_missed(consumer: *const framelane_consumer) -> u64 {
    at(consumer, "consumer").map_or(0, |consumer| consumer.0.missed())
}

/// Random id of the producer attached to now; 0 while there is none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_epoch(consumer: *const framelane_consumer) -> u64 {
    at(consumer, "consumer").map_or(0, |consumer| consumer.0.epoch())
}

/// A handle that closes the consumer from any thread, also after the consumer was freed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_consumer_closer(
    consumer: *const framelane_consumer,
    error: *mut framelane_error,
    closer: *mut *mut framelane_closer,
) -> framelane_status {
    enter(error, || {
        let made = at(consumer, "consumer")?.0.closer();
        give_handle(framelane_closer(made), closer, "closer")
    })
}

/// Closes the consumer: a sleeping read returns `FRAMELANE_CLOSED`, and so does every later one.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_closer_close(closer: *const framelane_closer) {
    enter(std::ptr::null_mut(), || {
        at(closer, "closer")?.0.close();
        Ok(())
    });
}

/// Frees a closer without closing anything. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_closer_free(closer: *mut framelane_closer) {
    enter(std::ptr::null_mut(), || {
        take(closer);
        Ok(())
    });
}
