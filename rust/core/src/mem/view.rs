//! Typed views of mapped objects: atomics by reference, everything else by word-wise copy, and
//! slices only where a claim or a lease makes them exclusive or immutable.
#![allow(unsafe_code, reason = "the one place where mapped bytes become values")]

use super::map::Mapping;
use crate::error::{Result, protocol};
use crate::layout::{BellPage, ConsumerPage, FrameDescriptor, LaneHeader, Slot};
use crate::ring::words::{AtomicU32, AtomicU64, FrameWords, LaneWords, PageWords};
use std::mem::offset_of;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

/// Slots are laid out for every number a token can hold, so that no token points outside.
pub(crate) const SLOTS_BYTES: usize = 64 * size_of::<Slot>();

/// Lane memory.
pub(crate) struct LaneView {
    map: Mapping,
    slots: usize,
}

/// A slot that this process's producer has claimed and not yet published.
pub(crate) struct Claim {
    pub(crate) slot: usize,
}

/// A frame that a lease cell of this process holds, validated when it was borrowed.
#[derive(Clone, Copy)]
pub(crate) struct Lease {
    pub(crate) token: u64,
}

impl LaneView {
    /// A view whose header and slots are inside the mapping.
    pub(crate) fn new(map: Mapping, slots_offset: u64) -> Result<Self> {
        let slots = usize::try_from(slots_offset).unwrap_or(usize::MAX);
        let fits = slots.checked_add(SLOTS_BYTES).is_some_and(|end| end <= map.len());
        if !fits || slots < size_of::<LaneHeader>() || slots % 64 != 0 {
            return Err(protocol(format!(
                "slots at {slots_offset} do not fit in {} bytes of lane memory",
                map.len()
            )));
        }
        Ok(LaneView { map, slots })
    }

    /// The descriptor of a slot, copied word by word. Whether the copy counts is for a later
    /// check to say.
    pub(crate) fn load_descriptor(&self, slot: usize) -> FrameDescriptor {
        let mut descriptor = FrameDescriptor::new_zeroed();
        let at = self.descriptor_offset(slot);
        load_words(&self.map, at, descriptor.as_mut_bytes());
        descriptor
    }

    /// Stores the descriptor of a claimed slot word by word: a reader that overstayed a revoked
    /// frame may be copying it.
    pub(crate) fn store_descriptor(&self, claim: &mut Claim, descriptor: &FrameDescriptor) {
        store_words(&self.map, self.descriptor_offset(claim.slot), descriptor.as_bytes());
    }

    /// The descriptor of a claimed slot of an inline lane, in place.
    #[inline]
    pub(crate) fn claimed_descriptor<'a>(
        &'a self,
        claim: &'a mut Claim,
    ) -> &'a mut FrameDescriptor {
        let at = self.descriptor_offset(claim.slot);
        debug_assert!(self.map.is_writable());
        // SAFETY: inside the mapping (`new`), 8-byte aligned, any bytes are a valid descriptor.
        // Exclusive: inline frames are never revoked, so after the claim's scan no consumer of
        // this slot is left and none can come before publish; within this process the claim is
        // unique and borrowed mutably.
        unsafe { &mut *self.map.base().wrapping_add(at).cast::<FrameDescriptor>() }
    }

    /// Descriptor and bytes of a claimed slot of an inline lane. The caller passes the slot's own
    /// payload.
    #[inline]
    pub(crate) fn claimed_parts<'a>(
        &'a self,
        claim: &'a mut Claim,
        range: Range<usize>,
    ) -> (&'a mut FrameDescriptor, &'a mut [u8]) {
        assert!(self.map.is_writable() && self.in_payload(&range), "payload is inside the lane");
        // SAFETY: inside the mapping by the assertion, and exclusive as for the descriptor, which
        // lies before the payload of every slot.
        let bytes = unsafe {
            std::slice::from_raw_parts_mut(self.map.base().wrapping_add(range.start), range.len())
        };
        (self.claimed_descriptor(claim), bytes)
    }

    /// Bytes of a leased inline frame. The caller passes a range of that frame's slot.
    pub(crate) fn leased_bytes<'a>(&'a self, _lease: &'a Lease, range: Range<usize>) -> &'a [u8] {
        assert!(self.in_payload(&range), "payload is inside the lane");
        // SAFETY: inside the mapping by the assertion. Immutable: inline frames are never revoked,
        // and the producer does not claim a slot whose token stands in a cell (edge LEASE).
        unsafe {
            std::slice::from_raw_parts(self.map.base().wrapping_add(range.start), range.len())
        }
    }

    fn in_payload(&self, range: &Range<usize>) -> bool {
        range.start >= self.slots + SLOTS_BYTES
            && range.start <= range.end
            && range.end <= self.map.len()
    }

    fn descriptor_offset(&self, slot: usize) -> usize {
        debug_assert!(slot < 64);
        self.slots + slot * size_of::<Slot>() + offset_of!(Slot, descriptor)
    }
}

/// The words that lanes of either kind begin with.
macro_rules! header_words {
    ($view:ty) => {
        impl LaneWords for $view {
            #[inline(always)]
            fn head(&self) -> &AtomicU64 {
                word64(&self.map, offset_of!(LaneHeader, head))
            }
            #[inline(always)]
            fn wake(&self) -> &AtomicU32 {
                word32(&self.map, offset_of!(LaneHeader, wake))
            }
            #[inline(always)]
            fn closed(&self) -> &AtomicU32 {
                word32(&self.map, offset_of!(LaneHeader, closed))
            }
            #[inline(always)]
            fn release_wanted(&self) -> &AtomicU32 {
                word32(&self.map, offset_of!(LaneHeader, release_wanted))
            }
        }
    };
}
pub(super) use header_words;
header_words!(LaneView);

impl FrameWords for LaneView {
    #[inline(always)]
    fn recent(&self, index: usize) -> &AtomicU64 {
        word64(&self.map, offset_of!(LaneHeader, recent) + (index & 63) * 8)
    }
    #[inline(always)]
    fn state(&self, slot: usize) -> &AtomicU64 {
        let slot = slot & 63;
        word64(&self.map, self.slots + slot * size_of::<Slot>() + offset_of!(Slot, state))
    }
}

/// A consumer page, as either side maps it.
pub(crate) struct PageView(Mapping);

impl PageView {
    pub(crate) fn new(map: Mapping) -> Result<Self> {
        if map.len() < size_of::<ConsumerPage>() {
            return Err(protocol(format!("a consumer page of {} bytes is too small", map.len())));
        }
        Ok(PageView(map))
    }

    /// A copy of the page; its atomic fields are a snapshot.
    pub(crate) fn snapshot(&self) -> ConsumerPage {
        read_struct(&self.0, 0)
    }

    pub(crate) fn received(&self) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, received))
    }

    pub(crate) fn missed(&self) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, missed))
    }

    pub(crate) fn copied_bytes(&self) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, copied_bytes))
    }

    pub(crate) fn last_sequence(&self) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, last_sequence))
    }
}

impl PageWords for PageView {
    #[inline(always)]
    fn cell(&self, index: usize) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, cells) + (index & 63) * 8)
    }
    #[inline(always)]
    fn cursor(&self) -> &AtomicU64 {
        word64(&self.0, offset_of!(ConsumerPage, cursor))
    }
    #[inline(always)]
    fn waiting(&self) -> &AtomicU32 {
        word32(&self.0, offset_of!(ConsumerPage, waiting))
    }
    #[inline(always)]
    fn arm_ticket(&self) -> &AtomicU32 {
        word32(&self.0, offset_of!(ConsumerPage, arm_ticket))
    }
    fn key_frame_requests(&self) -> &AtomicU32 {
        word32(&self.0, offset_of!(ConsumerPage, key_frame_requests))
    }
}

/// A bell page, as either side maps it.
pub(crate) struct BellView(Mapping);

impl BellView {
    pub(crate) fn new(map: Mapping) -> Result<Self> {
        if map.len() < size_of::<BellPage>() {
            return Err(protocol(format!("a bell page of {} bytes is too small", map.len())));
        }
        Ok(BellView(map))
    }

    pub(crate) fn wake(&self) -> &AtomicU32 {
        word32(&self.0, offset_of!(BellPage, wake))
    }
}

/// Writes a whole struct to the start of a mapping that nobody else sees yet.
pub(crate) fn write_struct<T: FromBytes + IntoBytes>(map: &Mapping, value: T) {
    write_struct_at(map, 0, value);
}

/// Writes a whole struct somewhere else in such a mapping.
pub(crate) fn write_struct_at<T: FromBytes + IntoBytes>(map: &Mapping, at: usize, mut value: T) {
    store_words(map, at, value.as_mut_bytes());
}

/// Copies a struct out of a mapping word by word.
pub(crate) fn read_struct<T: FromBytes + IntoBytes>(map: &Mapping, at: usize) -> T {
    let mut value = T::new_zeroed();
    load_words(map, at, value.as_mut_bytes());
    value
}

#[inline(always)]
pub(super) fn word64(map: &Mapping, at: usize) -> &AtomicU64 {
    debug_assert!(at % 8 == 0 && at + 8 <= map.len());
    // SAFETY: every caller passes an 8-byte aligned offset of a field, inside a mapping whose size
    // its view's constructor has checked; the mapping lives as long as the reference. Atomics may
    // be shared with other processes; storing to a read-only mapping is avoided by role.
    unsafe { &*map.base().wrapping_add(at).cast::<AtomicU64>() }
}

#[inline(always)]
pub(super) fn word32(map: &Mapping, at: usize) -> &AtomicU32 {
    debug_assert!(at % 4 == 0 && at + 4 <= map.len());
    // SAFETY: as for word64, with 4 bytes.
    unsafe { &*map.base().wrapping_add(at).cast::<AtomicU32>() }
}

pub(super) fn load_words(map: &Mapping, at: usize, into: &mut [u8]) {
    assert!(at % 8 == 0 && into.len() % 8 == 0 && at + into.len() <= map.len());
    for (index, bytes) in into.chunks_exact_mut(8).enumerate() {
        let word = word64(map, at + index * 8).load(Relaxed);
        bytes.copy_from_slice(&word.to_ne_bytes());
    }
}

pub(super) fn store_words(map: &Mapping, at: usize, from: &[u8]) {
    assert!(map.is_writable() && at % 8 == 0 && from.len() % 8 == 0);
    assert!(at + from.len() <= map.len());
    store_each(|index| word64(map, at + index * 8), from);
}

/// Stores bytes word by word. Eight words a turn: measured a sixth faster than one.
pub(super) fn store_each<'a>(word: impl Fn(usize) -> &'a AtomicU64, from: &[u8]) {
    const WORDS: usize = 8;
    let value = |bytes: &[u8]| u64::from_ne_bytes(bytes.try_into().expect("eight bytes"));
    let blocks = from.chunks_exact(8 * WORDS);
    let rest = blocks.remainder();
    for (block, bytes) in blocks.enumerate() {
        let values: [u64; WORDS] = std::array::from_fn(|at| value(&bytes[at * 8..at * 8 + 8]));
        for (at, value) in values.into_iter().enumerate() {
            word(block * WORDS + at).store(value, Relaxed);
        }
    }
    let done = (from.len() - rest.len()) / 8;
    for (at, bytes) in rest.chunks_exact(8).enumerate() {
        word(done + at).store(value(bytes), Relaxed);
    }
}

// Layout types that are copied whole must be plain bytes.
const _: fn() = || {
    fn plain<T: FromBytes + IntoBytes + Immutable>() {}
    plain::<FrameDescriptor>();
};
