//! Claimed frames, in storage of the caller's.
#![allow(unsafe_code, reason = "a FrameMut lives in an array that C++ moves bytewise")]

use crate::bridge::ffi::{ClaimedFrame, PlaneSpan};
use crate::status::{enter, invalid};
use framelane::{Error, FrameMut, Result};

const _: () = assert!(size_of::<FrameMut>() <= 24 && align_of::<FrameMut>() <= 8);

impl ClaimedFrame {
    /// Written where C++ reads it at once: a copy on the way would cost as much as the claim.
    #[inline(always)]
    pub fn hold(&mut self, frame: FrameMut) {
        let place = self.handle.as_mut_ptr().cast::<FrameMut>();
        // SAFETY: the array has room for a FrameMut and its alignment, asserted above. Nobody else
        // has a reference to what was just written.
        let held = unsafe {
            place.write(frame);
            &mut *place
        };
        let (descriptor, payload) = held.split_mut();
        self.descriptor = std::ptr::from_mut(descriptor).cast();
        self.payload_bytes = payload.len();
        self.payload = payload.as_mut_ptr();
        self.live = true;
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
        (plane.data, plane.size_bytes) = (bytes.as_mut_ptr(), bytes.len());
        let layout = &frame.descriptor_mut().planes[index];
        (plane.stride_bytes, plane.rows) = (layout.stride_bytes, layout.rows);
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
