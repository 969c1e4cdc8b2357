//! Looking at lanes from outside, and facts about this build.

use crate::error::{framelane_error, framelane_status};
use crate::guard::{enter, give, optional_path, text};
use framelane::Report;
use std::ffi::{CString, c_char, c_void};
use std::time::Duration;

/// Called for each lane; return 0 to go on, anything else to stop. Both texts end with the call.
pub type framelane_visit = Option<
    extern "C" fn(user_data: *mut c_void, name: *const c_char, directory: *const c_char) -> i32,
>;

/// Visits the lanes that have a socket, by name. `directory` NULL searches.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_discover(
    directory: *const c_char,
    visit: framelane_visit,
    user_data: *mut c_void,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let visit = visit.ok_or_else(|| crate::error::invalid("visit is NULL"))?;
        let directory = optional_path(directory);
        for lane in framelane::discover(directory)? {
            let place = lane.directory.into_os_string().into_encoded_bytes();
            let (Ok(name), Ok(place)) = (CString::new(lane.name), CString::new(place)) else {
                continue; // neither can hold a zero: names are checked, paths come from the system
            };
            if visit(user_data, name.as_ptr(), place.as_ptr()) != 0 {
                break;
            }
        }
        Ok(())
    })
}

/// Asks a lane's producer how the lane is, within `timeout_ns`. Takes no lease.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_query(
    name: *const c_char,
    directory: *const c_char,
    timeout_ns: u64,
    error: *mut framelane_error,
    report: *mut Report,
) -> framelane_status {
    enter(error, || {
        let directory = optional_path(directory);
        let timeout = Duration::from_nanos(timeout_ns);
        give(framelane::query(text(name, "name")?, directory, timeout)?, report, "report")
    })
}

/// Hash of the byte layout this library was built with; compare it with
/// `FRAMELANE_LAYOUT_HASH` of the header.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_layout_hash() -> u64 {
    framelane::layout::LAYOUT_HASH
}

/// CLOCK_MONOTONIC now, the clock of publish times and deadlines.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_monotonic_ns() -> u64 {
    framelane::monotonic_ns()
}
