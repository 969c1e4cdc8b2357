//! Looking at lanes from outside.

use crate::bridge::ffi::LaneName;
use crate::status::{enter, place, text};
use crate::types::Report;
use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

pub fn discover(directory: &[u8], lanes: &mut Vec<LaneName>) -> u32 {
    enter(|| {
        lanes.extend(framelane::discover(place(directory))?.into_iter().map(|lane| LaneName {
            name: lane.name,
            directory: lane.directory.into_os_string().into_vec(),
        }));
        Ok(())
    })
}

pub fn query(name: &[u8], directory: &[u8], timeout_ns: u64, report: &mut Report) -> u32 {
    enter(|| {
        let (name, timeout) = (text(name, "the lane's name")?, Duration::from_nanos(timeout_ns));
        report.0 = framelane::query(name, place(directory), timeout)?;
        Ok(())
    })
}

pub fn layout_hash() -> u64 {
    framelane::layout::LAYOUT_HASH
}

pub fn monotonic_ns() -> u64 {
    framelane::monotonic_ns()
}
