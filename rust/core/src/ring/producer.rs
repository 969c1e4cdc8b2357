//! The producer's side of the ring: claim, publish, retire, collect, revoke.
//!
//! All of it runs under the producer's one in-process mutex and is bounded by slots and leases.

use super::edge;
use super::token::{FREE, sequence_of, slot_of, state, token};
use super::words::{FrameWords, LaneWords, PageWords};
use crate::failpoint::step;
use crate::layout::SlotPhase;
use std::sync::atomic::Ordering::Relaxed;

/// Lowest sequence that a lossless consumer has not borrowed yet, as its page says.
pub fn cursor(page: &impl PageWords) -> u64 {
    // What the cursor has passed is retired by a later publish, whose fence comes after this load
    // and before the cells are read (edge LEASE).
    page.cursor().load(Relaxed)
}

/// Ends the lane. The caller wakes everybody afterwards.
pub fn close(lane: &impl LaneWords) {
    lane.closed().store(1, Relaxed);
    step("close.flagged");
    // edge WAKE: whoever sleeps on this value has seen the end.
    lane.wake().fetch_add(1, edge::WAKE.release());
    // edge SLEEP: a waiter that missed the word above sleeps on the one before it.
    edge::SLEEP.fence_first();
}

/// Announces that the producer is about to wait for a release or a cursor. The caller looks again
/// before it sleeps.
pub fn want_release(lane: &impl LaneWords) {
    lane.release_wanted().store(1, Relaxed);
    // edge WANTED: either the next look sees the release or the releaser sees this word.
    edge::WANTED.fence_first();
}

/// What the producer knows about its slots without reading shared memory: it alone writes it.
pub struct Ring {
    slot_count: usize,
    history: u64,
    next_sequence: u64,
    sequences: [u64; 64],
    ready: u64,
    retired: u64,
    claimed: u64,
}

impl Ring {
    /// A ring of free slots. `slot_count` is 1 to 64.
    pub fn new(slot_count: usize, history: u64) -> Self {
        assert!((1..=64).contains(&slot_count), "a ring has 1 to 64 slots");
        Ring {
            slot_count,
            history,
            next_sequence: 1,
            sequences: [0; 64],
            ready: 0,
            retired: 0,
            claimed: 0,
        }
    }

    /// Bit n is set where slot n is READY.
    pub fn ready(&self) -> u64 {
        self.ready
    }

    /// Bit n is set where slot n is RETIRED.
    pub fn retired(&self) -> u64 {
        self.retired
    }

    /// Bit n is set where slot n is claimed.
    pub fn claimed(&self) -> u64 {
        self.claimed
    }

    /// Sequence of the frame in a READY or RETIRED slot.
    pub fn sequence(&self, slot: usize) -> u64 {
        self.sequences[slot]
    }

    /// Frames before the newest that stay READY.
    pub fn history(&self) -> u64 {
        self.history
    }

    /// Sequence of the newest frame, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Slots that this page's cells hold, as a bit set. Reads each granted cell exactly once.
    #[inline]
    pub fn pinned_by(&self, page: &impl PageWords, leases: usize) -> u64 {
        let mut pinned = 0;
        for index in 0..leases {
            // edges REUSE and MOVE: whoever cleared or moved this cell has done with the frame it
            // held.
            let cell = page.cell(index).load(edge::REUSE.acquire());
            let slot = slot_of(cell);
            // A cell pins a slot only while the slot holds that very frame: stale and hostile
            // values pin nothing.
            if cell != 0 && self.sequences[slot] == sequence_of(cell) {
                pinned |= 1 << slot;
            }
        }
        pinned & (self.ready | self.retired)
    }

    /// Takes a slot that is not READY and not in `pinned`, the most recently used first: its
    /// memory is the likeliest to be in the cache.
    #[inline]
    pub fn claim(&mut self, lane: &impl FrameWords, pinned: u64) -> Option<usize> {
        let mut free = self.slots() & !(self.ready | self.claimed | pinned);
        let mut best = None;
        while free != 0 {
            let slot = free.trailing_zeros() as usize;
            free &= free - 1;
            if best.is_none_or(|other: usize| self.sequences[other] < self.sequences[slot]) {
                best = Some(slot);
            }
        }
        let slot = best?;
        self.claimed |= 1 << slot;
        self.retired &= !(1 << slot);
        lane.state(slot).store(FREE, Relaxed);
        step("claim.free");
        // edge OVERWRITE: the state says FREE before the first new byte can be seen.
        edge::OVERWRITE.fence_release();
        Some(slot)
    }

    /// Whether a lossless consumer that says so has taken every frame that is retired by the
    /// publish of the frame `ahead` claims from now.
    pub fn has_passed(&self, cursor: u64, ahead: u64) -> bool {
        cursor.saturating_add(self.history) >= self.upcoming(ahead)
    }

    /// Gives a claimed slot back unpublished.
    pub fn abandon(&mut self, slot: usize) {
        self.claimed &= !(1 << slot);
    }

    /// Sequence that the frame `ahead` claims from now will get at the earliest.
    pub fn upcoming(&self, ahead: u64) -> u64 {
        self.next_sequence + ahead
    }

    /// Publishes claimed slots in order and retires what is no longer among the newest
    /// 1 + history. Returns the last sequence. The caller reads the waiting words afterwards.
    #[inline]
    pub fn publish(&mut self, lane: &impl FrameWords, slots: &[usize]) -> u64 {
        for &slot in slots {
            let sequence = self.next_sequence;
            self.next_sequence += 1;
            self.sequences[slot] = sequence;
            self.claimed &= !(1 << slot);
            self.ready |= 1 << slot;
            lane.state(slot).store(state(sequence, SlotPhase::Ready), Relaxed);
            step("publish.ready");
            lane.recent(sequence as usize % 64).store(token(sequence, slot), Relaxed);
            step("publish.recent");
        }
        let Some(&last_slot) = slots.last() else { return self.newest() };
        let last = self.newest();
        // edge HEAD: everything written into the slots, READY and recent come before head.
        lane.head().store(token(last, last_slot), edge::HEAD.release());
        step("publish.head");
        // edge WAKE: whoever sleeps on this value has seen the head.
        lane.wake().store(last as u32, edge::WAKE.release());
        step("publish.wake");
        self.retire_before(lane, last.saturating_sub(self.history));
        step("publish.retired");
        // edges LEASE and SLEEP: head and RETIRED before any later look at cells, waiting
        // counters and tickets.
        edge::LEASE.fence_first();
        step("publish.fenced");
        last
    }

    #[inline]
    fn retire_before(&mut self, lane: &impl FrameWords, sequence: u64) {
        let mut ready = self.ready;
        while ready != 0 {
            let slot = ready.trailing_zeros() as usize;
            ready &= ready - 1;
            if self.sequences[slot] < sequence {
                self.ready &= !(1 << slot);
                self.retired |= 1 << slot;
                lane.state(slot).store(state(self.sequences[slot], SlotPhase::Retired), Relaxed);
            }
        }
    }

    /// Retires every READY frame, the newest included: consumers find nothing new. Only where
    /// frames are borrowed by their state alone (`Proof::State`), as the head stays what it was.
    pub fn retire_all(&mut self, lane: &impl FrameWords) {
        self.retire_before(lane, u64::MAX);
        // edge LEASE: RETIRED before any later look at cells.
        edge::LEASE.fence_first();
    }

    /// Frees a RETIRED slot that `pinned_by` of every page left out, so that what it describes
    /// can go back to its owner.
    pub fn collect(&mut self, lane: &impl FrameWords, slot: usize) {
        debug_assert!(self.retired & 1 << slot != 0, "only a retired slot is collected");
        self.retired &= !(1 << slot);
        lane.state(slot).store(FREE, Relaxed);
        // edge REVOKE: nobody holds it, but a late check() must not call it intact.
        edge::REVOKE.fence_first();
    }

    /// Takes a READY or RETIRED slot away from whoever holds it. The caller hands the buffer
    /// back after this returns.
    pub fn revoke(&mut self, lane: &impl FrameWords, slot: usize) {
        self.ready &= !(1 << slot);
        self.retired &= !(1 << slot);
        lane.state(slot).store(state(self.sequences[slot], SlotPhase::Revoked), Relaxed);
        step("revoke.stored");
        // edge REVOKE: REVOKED before the device or the next owner can change a byte.
        edge::REVOKE.fence_first();
    }

    fn slots(&self) -> u64 {
        u64::MAX >> (64 - self.slot_count)
    }
}
