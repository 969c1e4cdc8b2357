//! The bytes of a segment: header, counters, messages.
//!
//! Running counters are 32 bits and wrap; byte `i` of the stream lies at `i & (capacity - 1)`, and
//! every copy, that of the length prefix too, is split where the ring ends.

use crate::error::{Result, protocol};
use crate::mem::map::Mapping;
use crate::mem::ring::RingView;
use rustix::fd::OwnedFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// Head, tail, capacity, reserved.
pub(super) const HEADER_BYTES: u32 = 16;
/// Length before each message.
pub(super) const PREFIX_BYTES: u32 = 4;

/// A mapped segment.
pub(super) struct Ring {
    view: RingView,
    capacity: u32,
}

impl Ring {
    /// Maps a segment whose file holds at least header and capacity.
    pub(super) fn map(fd: &OwnedFd, capacity: u32) -> Result<Self> {
        debug_assert!(capacity.is_power_of_two());
        let bytes = u64::from(HEADER_BYTES) + u64::from(capacity);
        let view = RingView::new(Mapping::writable(fd, bytes)?, HEADER_BYTES as usize)?;
        Ok(Ring { view, capacity })
    }

    /// Writes the header of a segment that nobody else sees yet.
    pub(super) fn initialise(&self) {
        self.head().store(0, Relaxed);
        self.tail().store(0, Relaxed);
        self.reserved().store(0, Relaxed);
        self.view.word(2).store(self.capacity, Release);
    }

    pub(super) fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bytes ever written; the sender's.
    pub(super) fn head(&self) -> &AtomicU32 {
        self.view.word(0)
    }

    /// Bytes ever read; the receiver's.
    pub(super) fn tail(&self) -> &AtomicU32 {
        self.view.word(1)
    }

    /// A word that upstream peers write once, as 0, and never read.
    pub(super) fn reserved(&self) -> &AtomicU32 {
        self.view.word(3)
    }

    /// Bytes between the counters, if they can be true.
    pub(super) fn used(&self, head: u32, tail: u32) -> Option<u32> {
        Some(head.wrapping_sub(tail)).filter(|used| *used <= self.capacity)
    }

    /// The error of counters that cannot be true.
    pub(super) fn damaged(&self, head: u32, tail: u32) -> crate::Error {
        protocol(format!(
            "the shmbuf ring of {} bytes is damaged: {head} bytes written, {tail} read",
            self.capacity
        ))
    }

    /// Copies bytes to where the stream's byte `at` belongs. The caller passes free room.
    pub(super) fn put(&self, at: u32, bytes: &[u8]) {
        let (from, first) = self.split(at, bytes.len());
        self.view.copy_in(from, &bytes[..first]);
        self.view.copy_in(0, &bytes[first..]);
    }

    /// Copies bytes from the stream's byte `at` on.
    pub(super) fn get(&self, at: u32, into: &mut [u8]) {
        let (from, first) = self.split(at, into.len());
        self.view.copy_out(from, &mut into[..first]);
        self.view.copy_out(0, &mut into[first..]);
    }

    /// Place in the ring, and how much fits before its end.
    fn split(&self, at: u32, count: usize) -> (usize, usize) {
        assert!(count <= self.capacity as usize, "inside the ring");
        let from = (at & (self.capacity - 1)) as usize;
        (from, count.min(self.capacity as usize - from))
    }
}
