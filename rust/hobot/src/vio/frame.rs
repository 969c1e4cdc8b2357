//! A frame of the camera, given back to the hardware once.

use super::bring_up::Running;
use crate::describe::describe_picture;
use crate::error::{Error, Result, vio};
use framelane::{ErrorKind, FrameDescriptor};
use framelane_hobot_sys::{GraphicBuf, Image};
use std::sync::Arc;

/// A frame that this process has from the hardware; dropping it gives the buffer back, from
/// whatever thread, and the hardware may overwrite it at once.
pub struct VioFrame {
    from: Arc<Running>,
    channel: u32,
    image: Image,
}

impl VioFrame {
    pub(crate) fn new(from: Arc<Running>, channel: u32, image: Image) -> Self {
        VioFrame { from, channel, image }
    }

    /// Number of the exposure, the same on all channels of a camera, from the start of its flow.
    pub fn frame_id(&self) -> u32 {
        self.image.info.frame_id
    }

    /// Which buffer of the channel's ring it is in.
    pub fn buffer_index(&self) -> i32 {
        self.image.info.bufferindex
    }

    /// The buffer's description, as this process has it.
    pub fn buffer(&self) -> &GraphicBuf {
        &self.image.buffer
    }

    /// A frame's descriptor with geometry, planes and the vendor's words.
    ///
    /// # Errors
    /// `Unsupported` for a format that has no name there.
    pub fn describe(&self) -> Result<FrameDescriptor> {
        describe_picture(&self.image.buffer)
    }

    /// The bytes of one plane.
    ///
    /// # Errors
    /// `InvalidArgument` for a plane the frame has not.
    pub fn plane(&self, plane: usize) -> Result<&[u8]> {
        let buffer = &self.image.buffer;
        let size = buffer.size.get(plane).copied().unwrap_or(0);
        let address = buffer.virt_addr.get(plane).copied().unwrap_or(0);
        if size == 0 || address == 0 {
            let text = format!("the frame has no plane {plane}");
            return Err(framelane::Error::new(ErrorKind::InvalidArgument, text).into());
        }
        // SAFETY: libvpf keeps the plane mapped while its flow runs, which this frame keeps. The
        // hardware does not write there before the frame is given back, and readers have it
        // mapped for reading only.
        Ok(unsafe { std::slice::from_raw_parts(address as *const u8, size as usize) })
    }
}

impl Drop for VioFrame {
    fn drop(&mut self) {
        if self.from.vio.memory().is_foreign() {
            return; // the frame is the parent's
        }
        let release = self.from.vio.vpf.hbn_vnode_releaseframe().map_err(Error::from);
        let released = release.and_then(|release| {
            // SAFETY: a frame that came from this channel and was not given back before.
            let code = unsafe { release(self.from.vse(), self.channel, &mut self.image) };
            vio("hbn_vnode_releaseframe", code)
        });
        if let Err(error) = released {
            // Of a flow that was stopped the hardware has them all back already.
            tracing::debug!(%error, channel = self.channel, "a frame could not be given back");
        }
    }
}
