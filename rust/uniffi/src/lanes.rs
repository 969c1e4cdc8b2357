//! Looking at lanes from outside, and facts about this build.

use crate::failure::Result;
use crate::options;
use framelane::FrameDescriptor;
use std::time::Duration;
use zerocopy::IntoBytes;

/// A lane that has a socket.
#[derive(uniffi::Record)]
pub struct LaneEntry {
    /// Name of the lane.
    pub name: String,
    /// Runtime directory its socket is in.
    pub directory: String,
}

/// Lanes in a runtime directory, or in all that are searched, by name.
#[uniffi::export]
pub fn discover(directory: Option<String>) -> Result<Vec<LaneEntry>> {
    let lanes = framelane::discover(options::directory(directory).as_deref())?;
    let entry = |lane: framelane::LaneEntry| {
        let directory = lane.directory.to_string_lossy().into_owned();
        LaneEntry { name: lane.name, directory }
    };
    Ok(lanes.into_iter().map(entry).collect())
}

/// Asks a lane's producer how the lane is, a `Report`.
#[uniffi::export]
pub fn query(name: String, directory: Option<String>, timeout_ns: u64) -> Result<Vec<u8>> {
    let directory = options::directory(directory);
    let timeout = Duration::from_nanos(timeout_ns);
    Ok(framelane::query(&name, directory.as_deref(), timeout)?.as_bytes().to_vec())
}

/// A `FrameDescriptor` that lays out one picture in one block of memory.
#[uniffi::export]
pub fn picture(format: u32, width: u32, height: u32, stride_align: u32) -> Result<Vec<u8>> {
    let mut what = FrameDescriptor::ZERO;
    options::layout(format, width, height, stride_align)?.apply(&mut what);
    Ok(what.as_bytes().to_vec())
}

/// CLOCK_MONOTONIC now, the clock of publish times.
#[uniffi::export]
pub fn monotonic_ns() -> u64 {
    framelane::monotonic_ns()
}

/// Hash of the byte layout that this build was made with.
#[uniffi::export]
pub fn layout_hash() -> u64 {
    framelane::layout::LAYOUT_HASH
}
