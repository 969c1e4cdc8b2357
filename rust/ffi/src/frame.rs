//! Frames under lease.

use crate::error::{framelane_error, framelane_status, invalid};
use crate::guard::{at, at_mut, enter, give};
use framelane::{Frame, FrameDescriptor, Result};

/// A frame under lease, in storage of the caller's: no call allocates. It may be moved by
/// assignment, but only one of two copies may be used. A zeroed one is empty; releasing it is
/// harmless, reading it is refused.
#[repr(C)]
pub struct framelane_frame {
    /// Not 0 while it holds a frame.
    pub live: u64,
    /// Private.
    pub handle: [u64; 6],
    /// Number of the frame in its epoch, from 1.
    pub sequence: u64,
    /// Producer incarnation the frame comes from.
    pub epoch: u64,
    /// Frames that passed between the one before and this one.
    pub missed: u64,
    /// Slot the frame is in; a small number to key caches by.
    pub slot: u32,
    /// Not 0 on the first frame after the producer was restarted.
    pub new_epoch: u32,
    /// Of a switch, the switch epoch under which the frame was read; 0 otherwise.
    pub switch_epoch: u64,
    /// Of a switch, the index of the lane that the frame comes from; 0 otherwise.
    pub lane_index: u32,
    /// Not 0 on the first frame that a switch delivers under another selection.
    pub switched: u32,
}

/// One plane of a frame, read in place. Valid until the frame is released.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct framelane_plane_view {
    /// First byte.
    pub data: *const u8,
    /// Size in bytes.
    pub size_bytes: usize,
    /// From one row to the next.
    pub stride_bytes: u32,
    /// Rows.
    pub rows: u32,
    /// Not 0 where the bytes are device memory that can be taken back after the descriptor's
    /// `valid_until_ns`: what was derived from them counts if `framelane_frame_check` says so
    /// afterwards.
    pub revocable: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<Frame>() <= 48 && align_of::<Frame>() <= 8);

impl framelane_frame {
    /// Fills in what `read` gives; whether it gave one. Else, and after an error, it is empty.
    /// Written in place, for every copy on the way would cost as much as the lease.
    pub(crate) fn fill(
        into: *mut Self,
        read: impl FnOnce() -> Result<Option<Frame>>,
    ) -> Result<bool> {
        if into.is_null() {
            return Err(invalid("frame is NULL"));
        }
        // SAFETY: not NULL, and by convention room for one, initialised or not. A panic below
        // leaves it empty.
        unsafe { (&raw mut (*into).live).write(0) };
        let Some(frame) = read().inspect_err(|_| Self::clear(into))? else {
            Self::clear(into);
            return Ok(false);
        };
        // SAFETY: as above; the handle has room for a Frame and its alignment, asserted above.
        unsafe {
            (&raw mut (*into).sequence).write(frame.sequence());
            (&raw mut (*into).epoch).write(frame.epoch());
            (&raw mut (*into).missed).write(frame.missed());
            (&raw mut (*into).slot).write(frame.slot() as u32);
            (&raw mut (*into).new_epoch).write(frame.new_epoch().into());
            (&raw mut (*into).switch_epoch).write(frame.switch_epoch());
            (&raw mut (*into).lane_index).write(frame.lane_index() as u32);
            (&raw mut (*into).switched).write(frame.switched().into());
            (&raw mut (*into).handle).cast::<Frame>().write(frame);
            (&raw mut (*into).live).write(1);
        }
        Ok(true)
    }

    #[cold]
    fn clear(into: *mut Self) {
        // SAFETY: the only caller has looked for NULL; by convention there is room for one, for
        // which all zeroes are valid.
        unsafe { into.write(std::mem::zeroed()) };
    }

    fn frame(&self) -> Result<&Frame> {
        if self.live != 1 {
            return Err(invalid("the frame is empty"));
        }
        // SAFETY: live says that `fill` wrote a Frame here, and it stays until `take`.
        Ok(unsafe { &*self.handle.as_ptr().cast::<Frame>() })
    }

    /// Drops the frame where it lies: moving it would cost as much as its lease.
    fn drop_in_place(&mut self) {
        if std::mem::take(&mut self.live) == 1 {
            // SAFETY: as for `take`.
            unsafe { self.handle.as_mut_ptr().cast::<Frame>().drop_in_place() };
        }
    }

    fn take(&mut self) -> Option<Frame> {
        if std::mem::take(&mut self.live) != 1 {
            return None;
        }
        // SAFETY: live said that `fill` wrote a Frame here; it is read once, live being 0 now.
        Some(unsafe { self.handle.as_ptr().cast::<Frame>().read() })
    }
}

/// Ends the lease and empties the frame. An empty frame and NULL are answered with `FRAMELANE_OK`,
/// a frame that had been taken back with `FRAMELANE_REVOKED`.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_release(
    frame: *mut framelane_frame,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let Ok(frame) = at_mut(frame, "frame") else { return Ok(()) };
        if frame.live == 1 && !frame.frame()?.check() {
            return frame.take().map_or(Ok(()), Frame::release);
        }
        frame.drop_in_place();
        Ok(())
    })
}

/// 1 when everything read from the frame before this call counts, 0 when it was taken back or is
/// empty.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_check(frame: *const framelane_frame) -> i32 {
    let mut intact = false;
    enter(std::ptr::null_mut(), || {
        intact = at(frame, "frame")?.frame()?.check();
        Ok(())
    });
    intact.into()
}

/// What the frame is. The pointer is valid until the frame is released.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_descriptor(
    frame: *const framelane_frame,
    error: *mut framelane_error,
    descriptor: *mut *const FrameDescriptor,
) -> framelane_status {
    enter(error, || {
        let found = at(frame, "frame")?.frame()?.descriptor();
        give(std::ptr::from_ref(found), descriptor, "descriptor")
    })
}

/// One plane of the frame.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_plane(
    frame: *const framelane_frame,
    index: usize,
    error: *mut framelane_error,
    plane: *mut framelane_plane_view,
) -> framelane_status {
    enter(error, || {
        let frame = at(frame, "frame")?.frame()?;
        let inline = frame.descriptor().memory_kind == framelane::MemoryKind::Inline.number();
        let (data, size_bytes) = if inline {
            let bytes = frame.plane(index)?;
            (bytes.as_ptr(), bytes.len())
        } else {
            let revocable = frame.revocable_plane(index)?;
            (revocable.address, revocable.len)
        };
        let layout = frame.descriptor().planes[index];
        let view = framelane_plane_view {
            data,
            size_bytes,
            stride_bytes: layout.stride_bytes,
            rows: layout.rows,
            revocable: (!inline).into(),
            reserved: 0,
        };
        give(view, plane, "plane")
    })
}

/// A descriptor of the dma-buf or memfd that one plane is in, to import it elsewhere: the plane is
/// at the `offset_bytes` of the descriptor's plane. The caller owns and closes it.
/// `FRAMELANE_UNSUPPORTED` for frames in other memory.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_plane_fd(
    frame: *const framelane_frame,
    index: usize,
    error: *mut framelane_error,
    fd: *mut i32,
) -> framelane_status {
    enter(error, || {
        at_mut(fd, "fd")?;
        let found = at(frame, "frame")?.frame()?.plane_fd(index)?;
        give(std::os::fd::IntoRawFd::into_raw_fd(found), fd, "fd")
    })
}

/// Copies one plane; `count` is the plane's size. Says `FRAMELANE_REVOKED` when the copy is not
/// whole. Counted as bytes the SDK copied.
#[unsafe(no_mangle)]
pub extern "C" fn framelane_frame_copy_to(
    frame: *const framelane_frame,
    index: usize,
    into: *mut u8,
    count: usize,
    error: *mut framelane_error,
) -> framelane_status {
    enter(error, || {
        let frame = at(frame, "frame")?.frame()?;
        at_mut(into, "into")?;
        // SAFETY: not NULL, and by convention `count` bytes that nobody else uses now.
        frame.copy_to(index, unsafe { std::slice::from_raw_parts_mut(into, count) })
    })
}
