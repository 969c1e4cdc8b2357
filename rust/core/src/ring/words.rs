//! The words that producer and consumers share, as the ring sees them.
//!
//! One small trait per object lets the same code run on a mapping and under loom.

use crate::layout::{RecordInfo, StreamConfig};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU32, AtomicU64};

/// Lane memory of either kind: written by the producer, read by everybody.
pub trait LaneWords {
    /// Token of the newest frame, of a stream the sequence of its newest record; 0 before the
    /// first.
    fn head(&self) -> &AtomicU64;
    /// Futex word that changes with every publish.
    fn wake(&self) -> &AtomicU32;
    /// Not 0 once the producer ended the lane.
    fn closed(&self) -> &AtomicU32;
    /// Not 0 while the producer waits for a release or a cursor.
    fn release_wanted(&self) -> &AtomicU32;
}

/// Lane memory of frames.
pub trait FrameWords: LaneWords {
    /// Token of the frame whose sequence is `index` modulo 64.
    fn recent(&self, index: usize) -> &AtomicU64;
    /// State word of a slot.
    fn state(&self, slot: usize) -> &AtomicU64;
}

/// Lane memory of a stream. Besides its words it has places that are overwritten while somebody
/// may be copying from them: everything there is loaded and stored through relaxed atomics, and
/// what was loaded counts once [`stream::reader::whole`](super::stream::reader::whole) says so.
pub trait StreamWords: LaneWords {
    /// Sequence of the oldest record that is whole.
    fn oldest(&self) -> &AtomicU64;
    /// Entry of the index; `at` is below the capacity.
    fn load_entry(&self, at: usize) -> RecordInfo;
    /// Its counterpart.
    fn store_entry(&self, at: usize, entry: &RecordInfo);
    /// One of the configs; `at` is below their number.
    fn load_config(&self, at: usize) -> StreamConfig;
    /// Its counterpart.
    fn store_config(&self, at: usize, config: &StreamConfig);
    /// Bytes of the data ring, which end at its end at the latest.
    fn load_data(&self, at: usize, into: &mut [u8]);
    /// Its counterpart.
    fn store_data(&self, at: usize, from: &[u8]);
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
    /// Incremented to ask a stream writer for a key record.
    fn key_frame_requests(&self) -> &AtomicU32;
}
