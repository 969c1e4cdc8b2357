//! A consumer's side of the ring: borrow, check, release.
//!
//! Everything read from lane memory may be hostile: slots are bounded by the token's own six
//! bits, sequences are compared in full, and each loop ends after a bounded number of rounds.

use super::edge;
use super::token::{sequence_of, slot_of, state};
use super::words::{FrameWords, LaneWords, PageWords};
use crate::failpoint::step;
use crate::layout::SlotPhase;
use std::sync::atomic::Ordering::Relaxed;

/// Rounds a borrow chases a head that moves under it before it answers "nothing new". Each
/// round means that the producer published meanwhile, so a caller simply comes again.
const CHASE: usize = 16;

/// How a borrow is proven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// Frames are never revoked: an unchanged head proves that its frame is not retired
    /// (READY -> RETIRED of n is stored only after a later head).
    HeadOrState,
    /// Frames can be revoked without a new head: only the state proves anything.
    State,
}

/// Token of the newest frame, 0 before the first.
#[inline]
pub fn head(lane: &impl LaneWords) -> u64 {
    // edge HEAD: what this token names is in place.
    lane.head().load(edge::HEAD.acquire())
}

/// Leases the newest frame if its sequence is above `after`.
#[inline]
pub fn borrow_newest(
    lane: &impl FrameWords,
    page: &impl PageWords,
    cell: usize,
    after: u64,
    proof: Proof,
) -> Option<u64> {
    let mut wanted = head(lane);
    for _ in 0..CHASE {
        if sequence_of(wanted) <= after {
            return None;
        }
        lease(page, cell, wanted);
        let newest = if proof == Proof::HeadOrState { head(lane) } else { 0 };
        if newest == wanted || is_ready(lane, wanted) {
            return Some(wanted);
        }
        clear(page, cell);
        let newest = head(lane);
        if newest == wanted {
            return None; // revoked, and the sensor stalls
        }
        wanted = newest;
    }
    None
}

/// Leases the oldest reachable frame whose sequence is at least `from`.
///
/// `history` bounds how far back frames are reachable; the state decides in the end.
#[inline]
pub fn borrow_from(
    lane: &impl FrameWords,
    page: &impl PageWords,
    cell: usize,
    from: u64,
    history: u64,
) -> Option<u64> {
    let mut from = from.max(1);
    for _ in 0..CHASE * 64 {
        let newest = sequence_of(head(lane));
        if newest < from {
            return None;
        }
        let sequence = from.max(newest.saturating_sub(history));
        // edge HEAD: recent of every sequence up to this head is in place or already newer.
        let wanted = lane.recent(sequence as usize % 64).load(Relaxed);
        if sequence_of(wanted) == sequence {
            lease(page, cell, wanted);
            if is_ready(lane, wanted) {
                return Some(wanted);
            }
            clear(page, cell);
        }
        from = sequence + 1; // gone: retired, revoked, or overwritten
    }
    None
}

/// Whether the frame of `token` is still what it was when it was borrowed.
///
/// Also true for what was read before the call: the fence orders those reads first.
#[inline]
pub fn check(lane: &impl FrameWords, token: u64) -> bool {
    // edges OVERWRITE and REVOKE: bytes read so far against the state read now.
    edge::OVERWRITE.fence_acquire();
    let now = lane.state(slot_of(token)).load(Relaxed);
    let sequence = sequence_of(token);
    now == state(sequence, SlotPhase::Ready) || now == state(sequence, SlotPhase::Retired)
}

/// Ends a lease. The caller has checked the frame before, if it wants to know.
#[inline]
pub fn clear(page: &impl PageWords, cell: usize) {
    step("release.checked");
    // edge REUSE: every read of the frame comes before this.
    page.cell(cell).store(0, edge::REUSE.release());
    step("release.cleared");
}

/// Fetches the line of a cell that holds nothing, which the producer's last scan has taken: a
/// reader that spins has it at hand when the next frame comes.
#[inline]
pub fn warm(page: &impl PageWords, cell: usize) {
    // edge REUSE: a scan may read this 0 instead of the one that ended the last lease.
    page.cell(cell).store(0, edge::REUSE.release());
}

/// Moves a lossless cursor past `sequence`, which a cell already holds or which is lost.
#[inline]
pub fn advance(page: &impl PageWords, sequence: u64) {
    // The fence of the lease stands between its cell and this (edge LEASE).
    page.cursor().store(sequence + 1, Relaxed);
    step("borrow.cursor");
}

/// After a release or a cursor step: whether the producer waits for one and must be rung.
#[inline]
pub fn release_wanted(lane: &impl LaneWords) -> bool {
    // edge WANTED: either the producer's scan sees our store or we see its word.
    edge::WANTED.fence_second();
    lane.release_wanted().load(Relaxed) != 0
}

#[inline]
fn lease(page: &impl PageWords, cell: usize, token: u64) {
    // edge MOVE: a scan that reads this token instead of the 0 before it must still see our
    // reads of the previous frame as done.
    page.cell(cell).store(token, edge::MOVE.release());
    step("borrow.cell");
    // edge LEASE: either the producer's next scan sees the cell or we see the retirement.
    edge::LEASE.fence_second();
    step("borrow.fenced");
}

#[inline]
fn is_ready(lane: &impl FrameWords, token: u64) -> bool {
    // The frame's bytes came with the head that the caller has read (edge HEAD).
    lane.state(slot_of(token)).load(Relaxed) == state(sequence_of(token), SlotPhase::Ready)
}
