//! Claimed frames, in storage of the caller's.
#![allow(unsafe_code, reason = "a FrameMut lives in an array that C++ moves bytewise")]

use crate::bridge::ffi::{ClaimedFrame, PlaneSpan};
use crate::status::{enter, invalid};
use framelane::{Error, FrameMut, Result};

const _: () = assert!(size_of::<FrameMut>() <= 24 && align_of::<FrameMut>() <= 8);

impl ClaimedFrame {
    #[inline]
    pub fn hold(&mut self, mut frame: FrameMut) {
        let (descriptor, payload) = frame.split_mut();
        self.descriptor = std::ptr::from_mut(descriptor).cast();
        self.payload_bytes = payload.len();
        self.payload = payload.as_mut_ptr();
        self.live = true;
        // SAFETY: the array has room for a FrameMut and its alignment, asserted above.
        unsafe { self.handle.as_mut_ptr().cast::<FrameMut>().write(frame) };
    }

    fn frame(&mut self) -> Result<&mut FrameMut> {
        if !self.live {
            return Err(empty());
        }
        // SAFETY: live says that `hold` wrote a FrameMut here, and it stays until `take`. Whoever
        // moves the struct clears `live` in the old place.
        Ok(unsafe { &mut *self.handle.as_mut_ptr().cast::<FrameMut>() })
    }

    #[inline]
    pub fn take(&mut self) -> Result<FrameMut> {
        if !std::mem::take(&mut self.live) {
            return Err(empty());
        }
        // SAFETY: live said that `hold` wrote a FrameMut here; it is read once, live being false
        // now.
        Ok(unsafe { self.handle.as_ptr().cast::<FrameMut>().read() })
    }
}

#[cold]
fn empty() -> Error {
    invalid("the frame is empty: it was published, abandoned or moved away")
}

pub fn claimed_plane(frame: &mut ClaimedFrame, index: usize, plane: &mut PlaneSpan) -> u32 {
    enter(|| {
        let frame = frame.frame()?;
        let bytes = frame.plane_mut(index)?;
        let (data, size_bytes) = (bytes.as_mut_ptr(), bytes.len());
        let layout = &frame.descriptor_mut().planes[index];
        let (stride_bytes, rows) = (layout.stride_bytes, layout.rows);
        *plane = PlaneSpan { data, size_bytes, stride_bytes, rows, revocable: false };
        Ok(())
    })
}

pub fn copy_from(frame: &mut ClaimedFrame, bytes: &[u8]) -> u32 {
    enter(|| frame.frame()?.copy_from(bytes))
}

pub fn publish_frame(frame: &mut ClaimedFrame, sequence: &mut u64) -> u32 {
    enter(|| {
        *sequence = frame.take()?.publish()?;
        Ok(())
    })
}

pub fn abandon_frame(frame: &mut ClaimedFrame) {
    enter(|| {
        drop(frame.take().ok());
        Ok(())
    });
}
