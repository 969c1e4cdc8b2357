//! The producer.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::frame_mut::framelane_frame_mut;
use crate::guard::{at, enter, give, give_handle, take, text};
use crate::options::{framelane_producer_options, producer_options};
use framelane::{FrameDescriptor, Producer, Report, Result, Returned};
use std::ffi::{c_char, c_void};
use std::time::Duration;

/// Owns a lane. Usable from several threads at once.
pub struct framelane_producer(Producer);

/// Runs when the buffer of an external frame may be used again, once, on the producer's return
/// thread or in `framelane_producer_reclaim`. `revoked` is not 0 when it was taken from a consumer.
pub type framelane_owner =
    Option<extern "C" fn(user_data: *mut c_void, sequence: u64, revoked: i32)>;

/// What an owner is called with; by convention it may be used on another thread.
struct UserData(*mut c_void);

// SAFETY: the header says that owners run on another thread and get this pointer there.
unsafe impl Send for UserData {}

/// Makes the lane `name` and starts to admit consumers.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_create(
    name: *const c_char,
    options: *const framelane_producer_options,
    error: *mut framelane_error,
    producer: *mut *mut framelane_producer,
) -> framelane_status {
    enter(error, || {
        let made = Producer::create(text(name, "name")?, producer_options(options)?)?;
        give_handle(framelane_producer(made), producer, "producer")
    })
}

/// Ends the lane and frees the handle. NULL is nothing. Frames still claimed may be published or
/// abandoned afterwards; publishing then fails with `FRAMELANE_CLOSED`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_close(producer: *mut framelane_producer) {
    enter(std::ptr::null_mut(), || {
        take(producer);
        Ok(())
    });
}

/// Claims a slot at once. On failure `frame` is empty; `FRAMELANE_NO_FREE_SLOT` names the holders.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_claim(
    producer: *const framelane_producer,
    error: *mut framelane_error,
    frame: *mut framelane_frame_mut,
) -> framelane_status {
    enter(error, || framelane_frame_mut::fill(frame, || at(producer, "producer")?.0.claim()))
}

/// Claims a slot, waiting for a lossless consumer or an own frame up to `timeout_ns`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_claim_within(
    producer: *const framelane_producer,
    timeout_ns: u64,
    error: *mut framelane_error,
    frame: *mut framelane_frame_mut,
) -> framelane_status {
    let timeout = Duration::from_nanos(timeout_ns);
    let claim = || at(producer, "producer")?.0.claim_within(timeout);
    enter(error, || framelane_frame_mut::fill(frame, claim))
}

/// Publishes `count` claimed frames in order with one wake-up and empties them. `last_sequence` may
/// be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_publish_batch(
    producer: *const framelane_producer,
    frames: *mut framelane_frame_mut,
    count: usize,
    error: *mut framelane_error,
    last_sequence: *mut u64,
) -> framelane_status {
    enter(error, || {
        let producer = at(producer, "producer")?;
        at(frames, "frames")?;
        // SAFETY: not NULL, and by convention an array of `count` frames nobody else uses.
        let frames = unsafe { std::slice::from_raw_parts_mut(frames, count) };
        if frames.iter().any(|frame| frame.live != 1) {
            return Err(invalid("a frame of the batch is empty: claim it first"));
        }
        let batch = frames.iter_mut().map(framelane_frame_mut::take).collect::<Result<_>>()?;
        let last = producer.0.publish_batch(batch)?;
        if last_sequence.is_null() { Ok(()) } else { give(last, last_sequence, "last_sequence") }
    })
}

/// Publishes a frame that lives in device memory. `owner` may be NULL; it does not run when this
/// fails. `sequence` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_publish_external(
    producer: *const framelane_producer,
    descriptor: *const FrameDescriptor,
    owner: framelane_owner,
    user_data: *mut c_void,
    error: *mut framelane_error,
    sequence: *mut u64,
) -> framelane_status {
    enter(error, || {
        let user_data = UserData(user_data);
        let give_back = move |returned: Returned| {
            let user_data = user_data; // the whole wrapper moves, not the bare pointer in it
            if let Some(owner) = owner {
                owner(user_data.0, returned.sequence, returned.revoked.into());
            }
        };
        let descriptor = at(descriptor, "descriptor")?;
        let published =
            at(producer, "producer")?.0.publish_external(descriptor, Box::new(give_back))?;
        if sequence.is_null() { Ok(()) } else { give(published, sequence, "sequence") }
    })
}

/// Runs the owners of returned buffers, on lanes made with `reclaim` 1. `count` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_reclaim(
    producer: *const framelane_producer,
    error: *mut framelane_error,
    count: *mut usize,
) -> framelane_status {
    enter(error, || {
        let ran = at(producer, "producer")?.0.reclaim();
        if count.is_null() { Ok(()) } else { give(ran, count, "count") }
    })
}

/// Takes back the device frames that nobody holds, the newest included.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_recall(
    producer: *const framelane_producer,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        at(producer, "producer")?.0.recall();
        Ok(())
    })
}

/// How the lane is: geometry, counts, consumers and what they hold.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_report(
    producer: *const framelane_producer,
    error: *mut framelane_error,
    report: *mut Report,
) -> framelane_status {
    enter(error, || give(at(producer, "producer")?.0.report(), report, "report"))
}

/// Random id of this producer incarnation; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_epoch(producer: *const framelane_producer) -> u64 {
    at(producer, "producer").map_or(0, |producer| producer.0.epoch())
}

/// Number of consumers attached now; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_producer_consumers(producer: *const framelane_producer) -> usize {
    at(producer, "producer").map_or(0, |producer| producer.0.consumers())
}
