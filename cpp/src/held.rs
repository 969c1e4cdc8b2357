//! Frames under lease, in storage of the caller's.
#![allow(unsafe_code, reason = "a Frame lives in an array that C++ moves bytewise")]

use crate::bridge::ffi::{HeldFrame, PlaneSpan};
use crate::status::{enter, invalid};
use crate::types::FrameDescriptor;
use framelane::{Frame, MemoryKind, Result};

const _: () = assert!(size_of::<Frame>() <= 48 && align_of::<Frame>() <= 8);

const fn usable_from_several_threads<T: Send + Sync>() {}
const _: () = usable_from_several_threads::<Frame>();

impl HeldFrame {
    #[inline(always)]
    pub fn hold(&mut self, frame: Frame) {
        self.sequence = frame.sequence();
        self.epoch = frame.epoch();
        self.missed = frame.missed();
        self.slot = frame.slot() as u32;
        self.new_epoch = frame.new_epoch();
        self.switch_epoch = frame.switch_epoch();
        self.lane_index = frame.lane_index() as u32;
        self.switched = frame.switched();
        self.live = true;
        // SAFETY: the array has room for a Frame and its alignment, asserted above.
        unsafe { self.handle.as_mut_ptr().cast::<Frame>().write(frame) };
    }

    fn frame(&self) -> Result<&Frame> {
        if !self.live {
            return Err(invalid("the frame is empty: it was released or moved away"));
        }
        // SAFETY: live says that `hold` wrote a Frame here, and it stays until `take`. Whoever
        // moves the struct clears `live` in the old place.
        Ok(unsafe { &*self.handle.as_ptr().cast::<Frame>() })
    }

    fn take(&mut self) -> Option<Frame> {
        if !std::mem::take(&mut self.live) {
            return None;
        }
        // SAFETY: live said that `hold` wrote a Frame here; it is read once, live being false now.
        Some(unsafe { self.handle.as_ptr().cast::<Frame>().read() })
    }

    /// Drops the frame where it lies: moving it costs as much as its lease.
    #[inline(always)]
    fn drop_in_place(&mut self) {
        if std::mem::take(&mut self.live) {
            // SAFETY: as for `take`.
            unsafe { self.handle.as_mut_ptr().cast::<Frame>().drop_in_place() };
        }
    }
}

/// NULL for an empty frame.
pub fn frame_info(frame: &HeldFrame) -> *const FrameDescriptor {
    let mut found: *const framelane::FrameDescriptor = std::ptr::null();
    enter(|| {
        found = frame.frame()?.descriptor();
        Ok(())
    });
    found.cast()
}

pub fn held_plane(frame: &HeldFrame, index: usize, plane: &mut PlaneSpan) -> u32 {
    enter(|| {
        let frame = frame.frame()?;
        let info = frame.descriptor();
        plane.revocable = info.memory_kind != MemoryKind::Inline.number();
        if plane.revocable {
            let bytes = frame.revocable_plane(index)?;
            (plane.data, plane.size_bytes) = (bytes.address.cast_mut(), bytes.len);
        } else {
            let bytes = frame.plane(index)?;
            // C++ hands it out as const.
            (plane.data, plane.size_bytes) = (bytes.as_ptr().cast_mut(), bytes.len());
        }
        let layout = &info.planes[index];
        (plane.stride_bytes, plane.rows) = (layout.stride_bytes, layout.rows);
        Ok(())
    })
}

/// Owned by the caller, who takes it off `fd` when this succeeds.
pub fn held_plane_fd(frame: &HeldFrame, index: usize, fd: &mut i32) -> u32 {
    enter(|| {
        *fd = std::os::fd::IntoRawFd::into_raw_fd(frame.frame()?.plane_fd(index)?);
        Ok(())
    })
}

pub fn copy_plane(frame: &HeldFrame, index: usize, into: &mut [u8]) -> u32 {
    enter(|| frame.frame()?.copy_to(index, into))
}

pub fn check_frame(frame: &HeldFrame) -> bool {
    let mut intact = false;
    enter(|| {
        intact = frame.frame()?.check();
        Ok(())
    });
    intact
}

pub fn release_frame(frame: &mut HeldFrame) -> u32 {
    enter(|| {
        if frame.live && !frame.frame()?.check() {
            return frame.take().map_or(Ok(()), Frame::release);
        }
        frame.drop_in_place();
        Ok(())
    })
}

pub fn drop_frame(frame: &mut HeldFrame) {
    enter(|| {
        frame.drop_in_place();
        Ok(())
    });
}
