//! Frames out and back, and the statistics beside them.

use crate::entry::{Answer, board, enter, give, read, vio};
use crate::picture::Picture;
use crate::ring::{Ring, Shown};
use crate::status::{
    DEQUEUE, FORMAT, IMPORT, INPUT, NODE_TYPE, NOT_CONFIGURED, NOT_SUPPORTED, NULL, TIMEOUT,
    UNKNOWN,
};
use framelane_hobot_sys::{AeStatistics, Format, GraphicBuf, Image, node};
use std::sync::Arc;
use std::time::{Duration, Instant};

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
        let seen = vio.seen_by(handle);
        drop(vio);
        give(statistics, seen.statistics(host)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_get_fd(handle: i64, channel: u32, fd: *mut i32) -> i32 {
    enter("hbn_vnode_get_fd", || {
        if fd.is_null() {
            return Err(NULL);
        }
        give(fd, ring(handle, channel)?.fd()?)
    })
}

/// How long a picture may wait for a buffer to be scaled into.
const PATIENCE: Duration = Duration::from_millis(33);

/// Assumed are the numbers for what cannot be scaled, and that an output without a buffer leaves
/// the picture out, unless all of them have none.
#[unsafe(no_mangle)]
pub extern "C" fn hbn_vnode_sendframe(handle: i64, channel: u32, image: *mut Image) -> i32 {
    enter("hbn_vnode_sendframe", || {
        let image = read(image)?;
        let mut vio = vio();
        let node = vio.node(handle)?;
        if node.kind != node::VSE {
            return Err(NOT_SUPPORTED);
        }
        if channel != 0 {
            return Err(INPUT);
        }
        let input = node.input.ok_or(NOT_CONFIGURED)?;
        let rings = vio.to_feed(handle)?;
        drop(vio);
        let picture = in_memory(&image.buffer, input)?;
        let (shown, deadline) = (Shown::Picture(&picture, 100), Instant::now() + PATIENCE);
        loop {
            let taken = rings.iter().filter(|ring| ring.expose(&shown, image.info)).count();
            if taken > 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(TIMEOUT);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    })
}

/// A picture as the hardware finds it in the board's memory.
fn in_memory(buffer: &GraphicBuf, (width, height): (u32, u32)) -> Answer<Picture> {
    let size = (buffer.width as u32, buffer.height as u32);
    if buffer.format != Format::NV12 || size != (width, height) {
        return Err(FORMAT);
    }
    let stride = if buffer.stride == 0 { width } else { buffer.stride as u32 };
    let plane = |index: usize, rows: u32| -> Answer<Vec<u8>> {
        let mut bytes = vec![0; stride as usize * rows as usize];
        let read = board()?.ion.hardware_reads(buffer.phys_addr[index], &mut bytes);
        read.map_err(|_| UNKNOWN)?.ok_or(IMPORT)?;
        Ok(bytes.chunks(stride as usize).flat_map(|row| row[..width as usize].to_vec()).collect())
    };
    Picture::new(width, height, plane(0, height)?, plane(1, height / 2)?).ok_or(FORMAT)
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
