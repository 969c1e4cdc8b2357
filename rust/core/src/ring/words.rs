//! The words that producer and consumers share, as the ring sees them.
//!
//! One small trait per object lets the same code run on a mapping and under loom.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU32, AtomicU64};

/// Lane memory: written by the producer, read by everybody.
pub trait LaneWords {
    /// Token of the newest frame, 0 before the first.
    fn head(&self) -> &AtomicU64;
    /// Futex word that changes with every publish.
    fn wake(&self) -> &AtomicU32;
    /// Not 0 once the producer ended the lane.
    fn closed(&self) -> &AtomicU32;
    /// Not 0 while the producer waits for a release or a cursor.
    fn release_wanted(&self) -> &AtomicU32;
    /// Token of the frame whose sequence is `index` modulo 64.
    fn recent(&self, index: usize) -> &AtomicU64;
    /// State word of a slot.
    fn state(&self, slot: usize) -> &AtomicU64;
}

/// A consumer page: written by its one consumer, read by the producer.
pub trait PageWords {
    /// A lease cell: 0, or the token of the frame it holds.
    fn cell(&self, index: usize) -> &AtomicU64;
    /// Lowest sequence not yet borrowed (lossless).
    fn cursor(&self) -> &AtomicU64;
    /// Threads about to sleep on the futex word.
    fn waiting(&self) -> &AtomicU32;
    /// Incremented to ask for one ring of the descriptor bell.
    fn arm_ticket(&self) -> &AtomicU32;
}
