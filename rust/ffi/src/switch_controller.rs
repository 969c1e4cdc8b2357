//! The controller of a switch.

use crate::error::{framelane_error, framelane_status};
use crate::guard::{at, enter, give, give_handle, optional_path, take, text};
use crate::options::{access, check_size, trust};
use framelane::{Report, Result, SwitchChoice, SwitchController, SwitchControllerOptions};
use std::ffi::c_char;
use std::time::Duration;

/// Owns a switch. Usable from several threads at once.
pub struct framelane_switch_controller(SwitchController);

/// How to make a switch. Fill it with `framelane_switch_controller_options_init` first.
#[repr(C)]
pub struct framelane_switch_controller_options {
    /// Size of this struct, set by the init function; tells versions apart.
    pub struct_bytes: u32,
    /// Index of the lane that is active first (0).
    pub active: u32,
    /// Who may follow the switch: 0 the controller's user, 1 a group, 2 everyone.
    pub access: u32,
    /// The group, where access is 1.
    pub access_group: u32,
    /// 0 peers of the same user share bells, 1 only that user is admitted, 2 nobody is trusted.
    pub trust: u32,
    /// Zero.
    pub reserved: u32,
    /// Runtime directory; NULL searches.
    pub directory: *const c_char,
}

/// Fills the options with their defaults.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_options_init(
    options: *mut framelane_switch_controller_options,
) -> framelane_status {
    enter(std::ptr::null_mut(), || {
        let defaults = framelane_switch_controller_options {
            struct_bytes: size_of::<framelane_switch_controller_options>() as u32,
            active: 0,
            access: 0,
            access_group: 0,
            trust: 0,
            reserved: 0,
            directory: std::ptr::null(),
        };
        give(defaults, options, "options")
    })
}

/// The options that a struct of C stands for.
pub fn switch_controller_options(
    options: *const framelane_switch_controller_options,
) -> Result<SwitchControllerOptions> {
    let c = at(options, "options")?;
    check_size(c.struct_bytes, size_of::<framelane_switch_controller_options>())?;
    Ok(SwitchControllerOptions::new()
        .active(c.active as usize)
        .access(access(c.access, c.access_group)?)
        .trust(trust(c.trust)?)
        .directory(optional_path(c.directory).map(Into::into)))
}

/// Makes the switch `name`, behind which the `count` frame lanes `lanes` stand, and starts to admit
/// readers. The lanes need not be there yet.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_create(
    name: *const c_char,
    lanes: *const *const c_char,
    count: usize,
    options: *const framelane_switch_controller_options,
    error: *mut framelane_error,
    controller: *mut *mut framelane_switch_controller,
) -> framelane_status {
    enter(error, || {
        at(lanes, "lanes")?;
        // SAFETY: not NULL, and by convention an array of `count` texts.
        let lanes = unsafe { std::slice::from_raw_parts(lanes, count) };
        let lanes: Vec<&str> =
            lanes.iter().map(|&lane| text(lane, "a lane")).collect::<Result<_>>()?;
        let options = switch_controller_options(options)?;
        let made = SwitchController::create(text(name, "name")?, &lanes, options)?;
        give_handle(framelane_switch_controller(made), controller, "controller")
    })
}

/// Ends the switch and frees the handle. NULL is nothing. Readers go on with the lane that is
/// active.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_close(controller: *mut framelane_switch_controller) {
    enter(std::ptr::null_mut(), || {
        take(controller);
        Ok(())
    });
}

/// Ends the switch while other threads still use the handle, which stays: their waits and later
/// calls fail with closed, and the name is free. NULL is nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_end(controller: *const framelane_switch_controller) {
    enter(std::ptr::null_mut(), || {
        if !controller.is_null() {
            at(controller, "controller")?.0.end();
        }
        Ok(())
    });
}

/// Makes a lane active. The choice stands against a policy until it is taken back. `switch_epoch`
/// may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_select(
    controller: *const framelane_switch_controller,
    index: u32,
    error: *mut framelane_error,
    switch_epoch: *mut u64,
) -> framelane_status {
    enter(error, || {
        let epoch = at(controller, "controller")?.0.select(index as usize)?;
        give_if_wanted(epoch, switch_epoch)
    })
}

/// The same, by the name of the lane.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_select_lane(
    controller: *const framelane_switch_controller,
    lane: *const c_char,
    error: *mut framelane_error,
    switch_epoch: *mut u64,
) -> framelane_status {
    enter(error, || {
        let epoch = at(controller, "controller")?.0.select_lane(text(lane, "lane")?)?;
        give_if_wanted(epoch, switch_epoch)
    })
}

fn give_if_wanted<T>(value: T, into: *mut T) -> Result<()> {
    if into.is_null() { Ok(()) } else { give(value, into, "an output") }
}

/// What a policy wants: makes a lane active unless somebody has chosen. `active` is 1 if it is, and
/// may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_propose(
    controller: *const framelane_switch_controller,
    index: u32,
    error: *mut framelane_error,
    active: *mut i32,
) -> framelane_status {
    enter(error, || {
        let is_active = at(controller, "controller")?.0.propose(index as usize)?;
        give_if_wanted(is_active.into(), active)
    })
}

/// Takes a choice back: from now on a policy chooses.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_set_automatic(
    controller: *const framelane_switch_controller,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || at(controller, "controller")?.0.set_automatic())
}

/// 1 when somebody has chosen and no policy is to choose otherwise; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_is_held(
    controller: *const framelane_switch_controller,
) -> i32 {
    at(controller, "controller").is_ok_and(|controller| controller.0.is_held()).into()
}

/// Index of the active lane; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_active(
    controller: *const framelane_switch_controller,
) -> u32 {
    at(controller, "controller").map_or(0, |controller| controller.0.active() as u32)
}

/// How many-th selection this is, from 1; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_switch_epoch(
    controller: *const framelane_switch_controller,
) -> u64 {
    at(controller, "controller").map_or(0, |controller| controller.0.switch_epoch())
}

/// Waits up to `timeout_ns` while the switch epoch is `switch_epoch`; `now` is the epoch of now,
/// the same when the time is over.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_wait_switched(
    controller: *const framelane_switch_controller,
    switch_epoch: u64,
    timeout_ns: u64,
    error: *mut framelane_error,
    now: *mut u64,
) -> framelane_status {
    enter(error, || {
        let timeout = Duration::from_nanos(timeout_ns);
        let found = at(controller, "controller")?.0.wait_switched(switch_epoch, timeout)?;
        give(found, now, "now")
    })
}

/// Number of readers attached now; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_readers(
    controller: *const framelane_switch_controller,
) -> usize {
    at(controller, "controller").map_or(0, |controller| controller.0.readers())
}

/// Random id of this controller incarnation; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_epoch(
    controller: *const framelane_switch_controller,
) -> u64 {
    at(controller, "controller").map_or(0, |controller| controller.0.epoch())
}

/// How the switch is: lanes, selection, counts and readers.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_switch_controller_report(
    controller: *const framelane_switch_controller,
    error: *mut framelane_error,
    report: *mut Report,
) -> framelane_status {
    enter(error, || give(at(controller, "controller")?.0.report(), report, "report"))
}

/// Selects a lane of a switch whose controller is another process, within `timeout_ns`; `lane` NULL
/// takes an earlier choice back instead. `active` and `switch_epoch` may be NULL. `directory` NULL
/// searches. Only the controller's user and root may.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_select(
    switch_name: *const c_char,
    lane: *const c_char,
    directory: *const c_char,
    timeout_ns: u64,
    error: *mut framelane_error,
    active: *mut u32,
    switch_epoch: *mut u64,
) -> framelane_status {
    enter(error, || {
        let choice = match lane.is_null() {
            true => SwitchChoice::Automatic,
            false => SwitchChoice::Lane(text(lane, "lane")?.to_owned()),
        };
        let name = text(switch_name, "switch_name")?;
        select(name, &choice, directory, timeout_ns, (active, switch_epoch))
    })
}

/// The same, by the index of the lane.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_select_index(
    switch_name: *const c_char,
    index: u32,
    directory: *const c_char,
    timeout_ns: u64,
    error: *mut framelane_error,
    active: *mut u32,
    switch_epoch: *mut u64,
) -> framelane_status {
    enter(error, || {
        let (name, choice) = (text(switch_name, "switch_name")?, SwitchChoice::Index(index));
        select(name, &choice, directory, timeout_ns, (active, switch_epoch))
    })
}

fn select(
    name: &str,
    choice: &SwitchChoice,
    directory: *const c_char,
    timeout_ns: u64,
    into: (*mut u32, *mut u64),
) -> Result<()> {
    let timeout = Duration::from_nanos(timeout_ns);
    let (active, epoch) = framelane::select(name, choice, optional_path(directory), timeout)?;
    give_if_wanted(active as u32, into.0)?;
    give_if_wanted(epoch, into.1)
}
