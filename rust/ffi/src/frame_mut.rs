//! Claimed frames.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at_mut, enter, give};
use framelane::{FrameDescriptor, FrameMut, Result};

/// A claimed frame, in storage of the caller's: no call allocates. It may be moved by assignment,
/// but only one of two copies may be used. Publish or abandon it exactly once (doing so empties it,
/// and an empty one is refused).
#[repr(C)]
pub struct framelane_frame_mut {
    /// Not 0 while it holds a frame.
    pub live: u64,
    /// Private.
    pub handle: [u64; 3],
    /// What the frame will say about itself, to be filled in place.
    pub descriptor: *mut FrameDescriptor,
    /// Payload of the slot.
    pub payload: *mut u8,
    /// Size of the payload.
    pub payload_bytes: usize,
}

/// One plane of a claimed frame, to be filled in place. Valid until the frame is published or
/// abandoned.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_plane_mut {
    /// First byte.
    pub data: *mut u8,
    /// Size in bytes.
    pub size_bytes: usize,
    /// From one row to the next.
    pub stride_bytes: u32,
    /// Rows.
    pub rows: u32,
}

const _: () = assert!(size_of::<FrameMut>() <= 24 && align_of::<FrameMut>() <= 8);

impl framelane_frame_mut {
    /// Fills in what `claim` gives, or leaves it empty. Written in place, for the caller reads it
    /// at once and every copy on the way would cost as much as the claim.
    pub(crate) fn fill(into: *mut Self, claim: impl FnOnce() -> Result<FrameMut>) -> Result<()> {
        if into.is_null() {
            return Err(invalid("frame is NULL"));
        }
        // SAFETY: not NULL, and by convention room for one, initialised or not. A panic below
        // leaves it empty.
        unsafe { (&raw mut (*into).live).write(0) };
        let frame = claim().inspect_err(|_| Self::clear(into))?;
        // SAFETY: as above; the handle has room for a FrameMut and its alignment, asserted above.
        // Nobody else has a reference to what was just written.
        unsafe {
            let held = (&raw mut (*into).handle).cast::<FrameMut>();
            held.write(frame);
            let (descriptor, payload) = (*held).split_mut();
            (&raw mut (*into).descriptor).write(descriptor);
            (&raw mut (*into).payload).write(payload.as_mut_ptr());
            (&raw mut (*into).payload_bytes).write(payload.len());
            (&raw mut (*into).live).write(1);
        }
        Ok(())
    }

    #[cold]
    fn clear(into: *mut Self) {
        // SAFETY: the only caller has looked for NULL; by convention there is room for one, for
        // which all zeroes are valid.
        unsafe { into.write(std::mem::zeroed()) };
    }

    fn frame(&mut self) -> Result<&mut FrameMut> {
        if self.live != 1 {
            return Err(invalid("the frame is empty: claim one first"));
        }
        // SAFETY: live says that `fill` wrote a FrameMut here, and it stays until `take`.
        Ok(unsafe { &mut *self.handle.as_mut_ptr().cast::<FrameMut>() })
    }

    pub(crate) fn take(&mut self) -> Result<FrameMut> {
        if std::mem::take(&mut self.live) != 1 {
            return Err(invalid("the frame is empty: claim one first"));
        }
        self.descriptor = std::ptr::null_mut();
        self.payload = std::ptr::null_mut();
        self.payload_bytes = 0;
        // SAFETY: live says that `fill` wrote a FrameMut here; it is read once, live being 0 now.
        Ok(unsafe { self.handle.as_ptr().cast::<FrameMut>().read() })
    }
}

/// One plane of the frame, as its descriptor lays it out now.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_mut_plane(
    frame: *mut framelane_frame_mut,
    index: usize,
    error: *mut framelane_error,
    plane: *mut framelane_plane_mut,
) -> framelane_status {
    enter(error, || {
        let frame = at_mut(frame, "frame")?.frame()?;
        let bytes = frame.plane_mut(index)?;
        let (data, size_bytes) = (bytes.as_mut_ptr(), bytes.len());
        let laid = frame.descriptor_mut().planes[index];
        let (stride_bytes, rows) = (laid.stride_bytes, laid.rows);
        give(framelane_plane_mut { data, size_bytes, stride_bytes, rows }, plane, "plane")
    })
}

/// Makes the frame the newest of its lane and empties it. `sequence` may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_mut_publish(
    frame: *mut framelane_frame_mut,
    error: *mut framelane_error,
    sequence: *mut u64,
) -> framelane_status {
    enter(error, || {
        let published = at_mut(frame, "frame")?.take()?.publish()?;
        if sequence.is_null() { Ok(()) } else { give(published, sequence, "sequence") }
    })
}

/// Gives the slot back unpublished and empties the frame. An empty frame and NULL are nothing.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_mut_abandon(frame: *mut framelane_frame_mut) {
    enter(std::ptr::null_mut(), || {
        if let Ok(frame) = at_mut(frame, "frame") {
            drop(frame.take());
        }
        Ok(())
    });
}

/// Copies bytes to the start of the payload, counted as bytes the SDK copied.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_mut_copy_from(
    frame: *mut framelane_frame_mut,
    bytes: *const u8,
    count: usize,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let frame = at_mut(frame, "frame")?.frame()?;
        crate::guard::at(bytes, "bytes")?;
        // SAFETY: not NULL, and by convention `count` readable bytes.
        frame.copy_from(unsafe { std::slice::from_raw_parts(bytes, count) })
    })
}
