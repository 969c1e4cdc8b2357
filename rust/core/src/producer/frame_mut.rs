//! A claimed slot being filled.
#![allow(unsafe_code, reason = "a reference counted by the claim itself")]

use super::lane::Lane;
use crate::error::{Error, Result, invalid};
use crate::layout::{ErrorKind, FrameDescriptor};
use crate::mem::view::Claim;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A frame that this producer has claimed: fill it, then publish it. Dropping it abandons it.
///
/// Can be sent to another thread. The descriptor starts as the lane's layout with everything else
/// zero; the payload starts as whatever an earlier frame left there.
pub struct FrameMut {
    lane: NonNull<Lane>,
    /// None once published.
    claim: Option<Claim>,
}

// SAFETY: a FrameMut is a reference to a Lane, which is Sync, and a claim, which is a number.
unsafe impl Send for FrameMut {}

impl FrameMut {
    #[inline]
    pub(crate) fn new(lane: &Arc<Lane>, mut claim: Claim) -> Self {
        *lane.view.claimed_descriptor(&mut claim) = lane.template;
        FrameMut { lane: NonNull::from(&**lane), claim: Some(claim) }
    }

    #[inline]
    fn lane(&self) -> &Lane {
        // SAFETY: until this frame counts itself out in `claims_left`, at the very end of its
        // drop, the lane has a reference that is dropped only once the tally is settled.
        unsafe { self.lane.as_ref() }
    }

    /// Whether this frame was claimed from `lane`.
    pub(crate) fn is_of(&self, lane: &Arc<Lane>) -> bool {
        std::ptr::eq(self.lane.as_ptr(), Arc::as_ptr(lane))
    }

    pub(crate) fn claim_mut(&mut self) -> Option<&mut Claim> {
        self.claim.as_mut()
    }

    /// The claim was published, and perhaps counted out: the lane may be gone then.
    #[inline]
    pub(crate) fn published(mut self, counted_out: bool) {
        self.claim = None;
        if counted_out {
            std::mem::forget(self);
        }
    }

    /// What this frame will say about itself. `sequence`, `publish_ns` and `valid_until_ns` are
    /// set at publish.
    #[inline]
    pub fn descriptor_mut(&mut self) -> &mut FrameDescriptor {
        self.split_mut().0
    }

    /// The whole payload of the slot. As with the descriptor, the memory stays with the process
    /// that claimed the frame: a forked child panics here, and [`plane_mut`](Self::plane_mut)
    /// answers `Forked`.
    #[inline]
    pub fn payload_mut(&mut self) -> &mut [u8] {
        self.split_mut().1
    }

    /// Descriptor and payload at once, for sources that fill both.
    #[inline(always)] // returned in memory, its parts would be read before they can be forwarded
    pub fn split_mut(&mut self) -> (&mut FrameDescriptor, &mut [u8]) {
        // SAFETY: as in `lane`; spelt out because the claim is borrowed mutably beside it.
        let lane = unsafe { self.lane.as_ref() };
        assert!(lane.refuse_fork().is_ok(), "a claimed frame stays with the parent of a fork");
        let claim = self.claim.as_mut().expect("present until published");
        lane.view.claimed_parts(claim, lane.facts.payload_range(claim.slot))
    }

    /// The bytes of one plane, as the descriptor lays it out now.
    pub fn plane_mut(&mut self, plane: usize) -> Result<&mut [u8]> {
        self.lane().refuse_fork()?;
        let (descriptor, payload) = self.split_mut();
        let count = usize::from(descriptor.plane_count).min(descriptor.planes.len());
        if plane >= count {
            return Err(invalid(format!("plane {plane} of a frame with {count}")));
        }
        let range = plane_range(&descriptor.planes[plane], payload.len())?;
        Ok(&mut payload[range])
    }

    /// Copies bytes into the payload from its start and counts them as copied by the SDK.
    pub fn copy_from(&mut self, bytes: &[u8]) -> Result<()> {
        self.lane().refuse_fork()?;
        let payload = self.payload_mut();
        let room = payload.len();
        let Some(into) = payload.get_mut(..bytes.len()) else {
            let text = format!("{} bytes into a payload of {room}", bytes.len());
            return Err(Error::new(ErrorKind::TooLarge, text));
        };
        into.copy_from_slice(bytes);
        self.count_copied(bytes.len() as u64);
        Ok(())
    }

    /// Counts bytes that a source of the SDK has copied into this frame by itself.
    pub fn count_copied(&self, bytes: u64) {
        self.lane().copied_bytes.fetch_add(bytes, Relaxed);
    }

    /// Makes the frame the newest of the lane; its sequence.
    #[inline]
    pub fn publish(mut self) -> Result<u64> {
        // SAFETY: as in `lane`; spelt out because the claim is borrowed mutably beside it.
        let lane = unsafe { self.lane.as_ref() };
        let claim = self.claim.as_mut().expect("present until published");
        let (sequence, counted_out) = lane.publish(&mut [claim])?;
        self.published(counted_out);
        Ok(sequence)
    }

    /// Gives the slot back unpublished.
    pub fn abandon(self) {
        drop(self);
    }
}

impl Drop for FrameMut {
    #[inline]
    fn drop(&mut self) {
        let lane = self.lane();
        if lane.refuse_fork().is_err() {
            return; // the claim is the parent's, and its mutex may be held for ever in this copy
        }
        if let Some(claim) = &self.claim {
            lane.abandon(claim.slot);
        }
        if lane.claims_left.leave() {
            // SAFETY: the producer is gone and left one reference for the last claimed frame,
            // which this is; see `settle_claims`.
            drop(unsafe { Arc::from_raw(self.lane.as_ptr()) });
        }
    }
}

/// The producer goes: its lane lives on for the frames that are still claimed.
pub(crate) fn settle_claims(lane: &Arc<Lane>) {
    let claims_made = lane.lock().claims_made;
    let kept = Arc::into_raw(lane.clone());
    if lane.claims_left.settle(claims_made) {
        // SAFETY: made just above, and no claimed frame is left that would take it.
        drop(unsafe { Arc::from_raw(kept) });
    }
}

/// Range of a plane inside a payload of `room` bytes, checked in u64.
pub(crate) fn plane_range(
    plane: &crate::layout::Plane,
    room: usize,
) -> Result<std::ops::Range<usize>> {
    let (offset, size) = (plane.offset_bytes, plane.size_bytes);
    match offset.checked_add(size) {
        Some(end) if end <= room as u64 => Ok(offset as usize..end as usize),
        _ => Err(Error::new(
            ErrorKind::Protocol,
            format!("a plane at {offset} of {size} bytes does not fit in {room}"),
        )),
    }
}
