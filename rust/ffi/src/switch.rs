//! The reader of a switch.

use crate::consumer::framelane_closer;
use crate::error::{framelane_error, framelane_status, invalid, nothing};
use crate::frame::framelane_frame;
use crate::guard::{at, at_mut, enter, give, give_handle, take, text};
use crate::options::{consumer_options, framelane_consumer_options};
use framelane::{ErrorKind, Result, Switch};
use rustix::fd::AsRawFd;
use std::ffi::c_char;
use std::time::Duration;

/// Reads the active lane of a switch. Used by one thread at a time.
pub struct framelane_switch(Switch);

/// How a switch is, as its reader sees it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_switch_status {
    /// Random id of the controller seen last.
    pub controller_epoch: u64,
    /// Switch epoch of the selection seen last.
    pub switch_epoch: u64,
    /// Index of the active lane; -1 for none.
    pub active: i32,
    /// Lanes behind the switch.
    pub lane_count: u32,
    /// Not 0 while there is a controller. Without one the lane that was active stays so.
    pub controlled: u32,
    /// Status with which a controller that is there refuses; 0: it does not.
    pub problem: framelane_status,
}

/// One lane behind a switch, as its reader sees it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_switch_lane {
    /// Its name, ended by zero.
    pub name: [c_char; 72],
    /// Not 0 while its producer is there.
    pub attached: u32,
    /// Status with which a producer that is there refuses; 0: it does not.
    pub problem: framelane_status,
}

/// Attaches to the switch `name` and to the lanes behind it, with the options of each lane's
/// consumer. The lanes need not be there; `wait_for_lane_ns` waits for the controller.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_open(
    name: *const c_char,
    options: *const framelane_consumer_options,
    error: *mut framelane_error,
    reader: *mut *mut framelane_switch,
) -> framelane_status {
    enter(error, || {
        framelane_hobot::register();
        let opened = Switch::open(text(name, "name")?, consumer_options(options)?)?;
        give_handle(framelane_switch(opened), reader, "reader")
    })
}

/// Stops reading and frees the handle. NULL is nothing. Held frames stay valid.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_close(reader: *mut framelane_switch) {
    enter(std::ptr::null_mut(), || {
        take(reader);
        Ok(())
    });
}

/// The next frame of the active lane, waiting up to `timeout_ns`. `FRAMELANE_TIMED_OUT` and an
/// empty frame when there is none.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_next(
    reader: *mut framelane_switch,
    timeout_ns: u64,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    let timeout = Duration::from_nanos(timeout_ns);
    read(error, reader, frame, |switch| switch.next(timeout))
}

/// The next frame if there is one now; else `FRAMELANE_TIMED_OUT` and an empty frame, and the
/// descriptor of `framelane_switch_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_try_next(
    reader: *mut framelane_switch,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    read(error, reader, frame, Switch::try_next)
}

/// The newest valid frame of the active lane, also one that was delivered before; else
/// `FRAMELANE_TIMED_OUT` and an empty frame.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_latest(
    reader: *mut framelane_switch,
    error: *mut framelane_error,
    frame: *mut framelane_frame,
) -> framelane_status {
    read(error, reader, frame, Switch::latest)
}

fn read(
    error: *mut framelane_error,
    reader: *mut framelane_switch,
    frame: *mut framelane_frame,
    how: impl FnOnce(&mut Switch) -> Result<Option<framelane::Frame>>,
) -> framelane_status {
    let mut found = true;
    let status = enter(error, || {
        found = framelane_frame::fill(frame, || how(&mut at_mut(reader, "reader")?.0))?;
        Ok(())
    });
    if found { status } else { nothing(error) }
}

/// Waits up to `timeout_ns` until there may be something to read; `ready` is 1 if there may.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_wait(
    reader: *mut framelane_switch,
    timeout_ns: u64,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || {
        let found = at_mut(reader, "reader")?.0.wait(Duration::from_nanos(timeout_ns))?;
        give(found.into(), ready, "ready")
    })
}

/// `ready` is 1 if there may be something to read now; else 0, and the descriptor of
/// `framelane_switch_fd` is drained and armed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_ready(
    reader: *mut framelane_switch,
    error: *mut framelane_error,
    ready: *mut i32,
) -> framelane_status {
    enter(error, || give(at_mut(reader, "reader")?.0.ready()?.into(), ready, "ready"))
}

/// A descriptor that becomes readable when there may be a frame or a switch; -1 for NULL. It
/// belongs to the reader: do not read or close it. Call `framelane_switch_try_next` until it finds
/// nothing before polling.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_fd(reader: *mut framelane_switch) -> i32 {
    at_mut(reader, "reader").map_or(-1, |reader| reader.0.fd().as_raw_fd())
}

/// How the switch is.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_get_status(
    reader: *const framelane_switch,
    error: *mut framelane_error,
    status: *mut framelane_switch_status,
) -> framelane_status {
    enter(error, || {
        let now = at(reader, "reader")?.0.status();
        let found = framelane_switch_status {
            controller_epoch: now.controller_epoch,
            switch_epoch: now.switch_epoch,
            active: now.active.map_or(-1, |index| index as i32),
            lane_count: now.lanes.len() as u32,
            controlled: now.controlled.into(),
            problem: number(now.problem.as_ref()),
        };
        give(found, status, "status")
    })
}

/// One of the lanes, below `lane_count`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_get_lane(
    reader: *const framelane_switch,
    index: u32,
    error: *mut framelane_error,
    lane: *mut framelane_switch_lane,
) -> framelane_status {
    enter(error, || {
        let mut lanes = at(reader, "reader")?.0.status().lanes;
        let count = lanes.len();
        if index as usize >= count {
            return Err(invalid(&format!("lane {index} of a switch with {count}")));
        }
        let found = lanes.swap_remove(index as usize);
        let mut name = [0; 72];
        for (into, byte) in name.iter_mut().zip(found.name.bytes()) {
            *into = byte as c_char;
        }
        let problem = number(found.problem.as_ref());
        give(framelane_switch_lane { name, attached: found.attached.into(), problem }, lane, "lane")
    })
}

fn number(problem: Option<&framelane::Error>) -> framelane_status {
    problem.map_or(ErrorKind::Ok, framelane::Error::kind).number()
}

/// Frames delivered; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_received(reader: *const framelane_switch) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.received())
}

/// Frames that passed without being delivered while their lane was active; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_missed(reader: *const framelane_switch) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.missed())
}

/// Frames not delivered because they were older than the one before the switch, or of the lane that
/// was switched away from; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_dropped(reader: *const framelane_switch) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.dropped())
}

/// Switches this reader has followed; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_switches(reader: *const framelane_switch) -> u64 {
    at(reader, "reader").map_or(0, |reader| reader.0.switches())
}

/// A handle that closes the reader from any thread, also after the reader was freed.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_closer(
    reader: *const framelane_switch,
    error: *mut framelane_error,
    closer: *mut *mut framelane_closer,
) -> framelane_status {
    enter(error, || {
        let made = at(reader, "reader")?.0.closer();
        give_handle(framelane_closer(made), closer, "closer")
    })
}
