//! A frame under lease.

use super::Holding;
use crate::error::{Error, Result, invalid};
use crate::layout::{ErrorKind, FrameDescriptor, Plane};
use crate::mem::view::Lease;
use crate::ring::switch;
use crate::ring::token::{sequence_of, slot_of};
use rustix::fd::OwnedFd;

/// A frame that this consumer holds: its bytes stay as they are until it is released or dropped.
///
/// Can be sent to and used from other threads. It keeps its epoch mapped, also after its consumer
/// is closed or its producer is gone; frames in device memory then no longer count.
pub struct Frame {
    pub(crate) guest: Holding,
    pub(crate) lease: Lease,
    pub(crate) missed: u64,
    /// Of a switch, what was selected; 0 otherwise.
    pub(crate) selection: u64,
    pub(crate) new_epoch: bool,
    pub(crate) switched: bool,
}

/// Address and length of a plane in device memory, whose bytes may change once the frame is past
/// its deadline. What was derived from them counts if a [`Frame::check`] made afterwards is true.
#[derive(Clone, Copy, Debug)]
pub struct RevocablePlane {
    /// First byte.
    pub address: *const u8,
    /// Length in bytes.
    pub len: usize,
}

impl Frame {
    /// Number of the frame in its epoch, from 1.
    #[inline]
    pub fn sequence(&self) -> u64 {
        sequence_of(self.lease.token)
    }

    /// Producer incarnation the frame comes from.
    pub fn epoch(&self) -> u64 {
        self.guest.info.epoch
    }

    /// Whether this is the first frame after the producer was restarted.
    pub fn new_epoch(&self) -> bool {
        self.new_epoch
    }

    /// Whether this is the first frame that a [`Switch`](crate::Switch) delivers under another
    /// selection than the frame before it.
    pub fn switched(&self) -> bool {
        self.switched
    }

    /// Switch epoch under which a [`Switch`](crate::Switch) read the frame; 0 of any other reader.
    pub fn switch_epoch(&self) -> u64 {
        switch::epoch_of(self.selection)
    }

    /// Index of the lane of a [`Switch`](crate::Switch) that the frame comes from; 0 of any other
    /// reader.
    pub fn lane_index(&self) -> usize {
        switch::index_of(self.selection)
    }

    /// Name of the lane that the frame comes from.
    pub fn lane_name(&self) -> &str {
        &self.guest.info.name
    }

    /// Frames that passed between the one before and this one.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Slot the frame is in; a small number to key caches by.
    pub fn slot(&self) -> usize {
        slot_of(self.lease.token)
    }

    /// What the frame is, copied from shared memory once.
    #[inline]
    pub fn descriptor(&self) -> &FrameDescriptor {
        self.guest.place().descriptor.get_or_init(|| self.guest.lane.load_descriptor(self.slot()))
    }

    /// Number of planes, at most 4 whatever the descriptor says.
    pub fn plane_count(&self) -> usize {
        usize::from(self.descriptor().plane_count).min(self.descriptor().planes.len())
    }

    /// The bytes of one plane of an inline frame, read in place.
    ///
    /// # Errors
    /// `InvalidArgument` for a plane the frame has not; `Protocol` for a plane outside its slot;
    /// `Unsupported` for a frame in device memory, which can be revoked: see
    /// [`copy_to`](Self::copy_to) and [`revocable_plane`](Self::revocable_plane); `Forked`.
    #[inline]
    pub fn plane(&self, index: usize) -> Result<&[u8]> {
        let plane = self.plane_layout(index)?;
        if self.guest.is_device() {
            let kind = self.guest.info.memory_kind.name();
            let text = format!("a frame in {kind} memory can be revoked and has no plain slice");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let range = self.guest.inline_range(self.lease.token, &plane)?;
        Ok(self.guest.lane.leased_bytes(&self.lease, range))
    }

    /// Where one plane of a device frame is mapped.
    ///
    /// # Errors
    /// As [`plane`](Self::plane); `Unsupported` for an inline frame, which has plain slices.
    pub fn revocable_plane(&self, index: usize) -> Result<RevocablePlane> {
        let plane = self.plane_layout(index)?;
        if !self.guest.is_device() {
            let text = "an inline frame is never revoked: read its plane";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let mapped = self.guest.device_plane(&self.guest, index, &plane)?;
        Ok(RevocablePlane { address: mapped.address(), len: mapped.len() })
    }

    /// A descriptor of the buffer that one plane is in, to import it into a GPU, an encoder or
    /// another process. The caller owns it, and the plane is at the `offset_bytes` of its layout.
    ///
    /// What is in the buffer counts as long as the frame does; the descriptor may be kept longer
    /// and stands for the same buffer in every frame of the epoch that names it.
    ///
    /// # Errors
    /// As [`plane`](Self::plane); `Unsupported` for a frame that is not in a dma-buf or a memfd of
    /// its own; `System` where no descriptor can be had.
    pub fn plane_fd(&self, index: usize) -> Result<OwnedFd> {
        let plane = self.plane_layout(index)?;
        self.guest.plane_fd(&plane)
    }

    /// Copies one plane, and says whether the copy is whole. Counted as bytes the SDK copied.
    ///
    /// # Errors
    /// `Revoked` when the frame was taken back before the copy was done; `InvalidArgument` when
    /// `into` has not the plane's size; otherwise as [`plane`](Self::plane).
    pub fn copy_to(&self, index: usize, into: &mut [u8]) -> Result<()> {
        let plane = self.plane_layout(index)?;
        if into.len() as u64 != plane.size_bytes {
            let (room, size) = (into.len(), plane.size_bytes);
            return Err(invalid(format!("{room} bytes for plane {index} of {size}")));
        }
        if self.guest.is_device() {
            self.guest.device_plane(&self.guest, index, &plane)?.copy_out(into);
            if !self.check() {
                return Err(self.guest.revoked(self.lease.token));
            }
        } else {
            into.copy_from_slice(self.plane(index)?);
        }
        self.guest.count_copied(into.len());
        Ok(())
    }

    /// Whether the frame is intact: everything read from it before this call counts.
    #[inline]
    pub fn check(&self) -> bool {
        self.guest.refuse_fork().is_ok() && self.guest.check(self.lease.token)
    }

    /// Ends the lease; dropping the frame does the same without telling.
    ///
    /// # Errors
    /// `Revoked` when the frame had been taken back.
    #[inline]
    pub fn release(self) -> Result<()> {
        if self.guest.is_device() && !self.check() {
            return Err(self.guest.revoked(self.lease.token));
        }
        Ok(())
    }

    #[inline]
    fn plane_layout(&self, index: usize) -> Result<Plane> {
        self.guest.refuse_fork()?;
        if index >= self.plane_count() {
            let count = self.plane_count();
            return Err(invalid(format!("plane {index} of a frame with {count}")));
        }
        Ok(self.descriptor().planes[index])
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if self.guest.refuse_fork().is_ok() {
            self.guest.end_reading(&self.guest);
            self.guest.release(self.guest.number());
        }
    }
}
