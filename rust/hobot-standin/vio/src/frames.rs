//! Frames out and back, and the statistics beside them.

use crate::entry::{Answer, board, enter, give, read, vio};
use crate::ring::Ring;
use crate::status::{DEQUEUE, NODE_TYPE, NOT_SUPPORTED, NULL, UNKNOWN};
use framelane_hobot_sys::{AeStatistics, Image, node};
use std::sync::Arc;
use std::time::Duration;

/// The ring of a running output.
fn ring(handle: i64, channel: u32) -> Answer<Arc<Ring>> {
    let mut vio = vio();
    let node = vio.node(handle)?;
    if node.kind != node::VSE {
        return Err(NOT_SUPPORTED);
    }
    let output = node.outputs.get(&channel).ok_or(NOT_SUPPORTED)?;
    output.ring.clone().ok_or(DEQUEUE)
}

/// What the library makes of a time in ms.
fn patience(timeout_ms: u32) -> Duration {
    Duration::from_millis(if (1..=1000).contains(&timeout_ms) { timeout_ms.into() } else { 4000 })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_getframe(
    handle: i64,
    channel: u32,
    timeout_ms: u32,
    image: *mut Image,
) -> i32 {
    enter("hbn_vnode_getframe", || {
        if image.is_null() {
            return Err(NULL);
        }
        let frame = ring(handle, channel)?.take(patience(timeout_ms))?;
        give(image, frame)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_releaseframe(handle: i64, channel: u32, image: *mut Image) -> i32 {
    enter("hbn_vnode_releaseframe", || {
        let index = read(image)?.info.bufferindex;
        ring(handle, channel)?.give_back(index)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_isp_get_ae_statistics(handle: i64, statistics: *mut AeStatistics) -> i32 {
    enter("hbn_isp_get_ae_statistics", || {
        let mut vio = vio();
        if vio.node(handle)?.kind != node::ISP {
            return Err(NODE_TYPE);
        }
        let host = vio.host_of(handle).ok_or(NODE_TYPE)?;
        drop(vio);
        let scene = board()?.ion.scene(host).map_err(|_| UNKNOWN)?;
        let mut told = AeStatistics::zeroed();
        told.exposure = [scene.brightness; 4096];
        give(statistics, told)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_and_too_much_are_four_seconds() {
        let ms = |timeout_ms| patience(timeout_ms).as_millis();
        assert_eq!([0, 1, 1000, 1001, 2000].map(ms), [4000, 1, 1000, 4000, 4000]);
    }
}
