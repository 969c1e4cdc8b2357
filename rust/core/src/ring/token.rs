//! Tokens and state words: a sequence and a small number packed in one u64.
//!
//! 58 bits of sequence last for 300 years at a billion frames a second, so a token never
//! repeats within an epoch.

use crate::layout::SlotPhase;
use crate::layout::token::{SLOT_BITS, SLOT_MASK};

/// Names frame `sequence` in `slot`. Sequences start at 1, so no token is 0.
pub const fn token(sequence: u64, slot: usize) -> u64 {
    sequence << SLOT_BITS | slot as u64
}

/// Sequence of a token.
pub const fn sequence_of(token: u64) -> u64 {
    token >> SLOT_BITS
}

/// Slot of a token; below 64 whatever the token holds.
pub const fn slot_of(token: u64) -> usize {
    (token & SLOT_MASK) as usize
}

/// State word of a slot that holds frame `sequence`.
pub const fn state(sequence: u64, phase: SlotPhase) -> u64 {
    sequence << 2 | phase as u64
}

/// State word of a slot that is free, or claimed and being filled.
pub const FREE: u64 = 0;
