//! Memory that the processes of one contest share: acknowledgements, logs, a few bare words and
//! payload slots. Made by the parent as a memfd and inherited by number.
#![allow(unsafe_code, reason = "the one place where mapped bytes become values")]

use anyhow::{Context, Result};
use memmap2::{MmapOptions, MmapRaw};
use rustix::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use std::sync::atomic::{AtomicU32, AtomicU64};

/// Entries of one log.
pub const LOG: usize = 1 << 15;
/// Logs: one of the producer, one for each consumer.
pub const LOGS: usize = 1 + MAX_CONSUMERS;
/// Consumers of one contest.
pub const MAX_CONSUMERS: usize = 4;
/// Payload slots, of which the bare mechanisms use three in turn.
pub const SLOTS: usize = 4;

const LINE: usize = 64;
/// Cache lines before the logs.
const LINES: usize = 64;
const PAGE: usize = 4096;

/// One mapping, shared by all processes of a contest.
pub struct Shared {
    map: MmapRaw,
    payload: usize,
}

impl Shared {
    /// Makes the memory for payloads of `bytes`; children inherit the descriptor.
    pub fn create(bytes: usize) -> Result<(OwnedFd, Shared)> {
        let memory = memfd_create("peer-bench", MemfdFlags::empty()).context("memfd_create")?;
        let payload = bytes.next_multiple_of(PAGE);
        ftruncate(&memory, (Self::payload_offset() + SLOTS * payload) as u64)
            .context("sizing the shared memory")?;
        let shared = Shared::map(memory.as_raw_fd(), bytes)?;
        Ok((memory, shared))
    }

    /// Maps what the parent made, page tables filled in.
    pub fn map(fd: RawFd, bytes: usize) -> Result<Shared> {
        let payload = bytes.next_multiple_of(PAGE);
        let len = Self::payload_offset() + SLOTS * payload;
        let map = MmapOptions::new().len(len).populate().map_raw(fd).context("mapping")?;
        Ok(Shared { map, payload })
    }

    fn payload_offset() -> usize {
        LINES * LINE + LOGS * LOG * 8
    }

    /// The first eight bytes of a cache line.
    #[inline(always)]
    pub fn word(&self, line: usize) -> &AtomicU64 {
        self.word_in(line, 0)
    }

    /// One of the eight words of a cache line.
    #[inline(always)]
    pub fn word_in(&self, line: usize, word: usize) -> &AtomicU64 {
        assert!(line < LINES && word < 8);
        self.at(line * LINE + word * 8)
    }

    /// The first four bytes of a cache line, for futexes.
    #[inline(always)]
    pub fn futex(&self, line: usize) -> &AtomicU32 {
        assert!(line < LINES);
        // SAFETY: inside the live mapping by the assertion, aligned to 64 bytes.
        unsafe { &*self.map.as_mut_ptr().wrapping_add(line * LINE).cast::<AtomicU32>() }
    }

    /// An entry of a log.
    #[inline(always)]
    pub fn log(&self, log: usize, index: usize) -> &AtomicU64 {
        assert!(log < LOGS && index < LOG);
        self.at(LINES * LINE + (log * LOG + index) * 8)
    }

    #[inline(always)]
    fn at(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: both callers bound the offset inside the live mapping and align it to 8 bytes.
        unsafe { &*self.map.as_mut_ptr().wrapping_add(offset).cast::<AtomicU64>() }
    }

    /// Bytes of a payload slot, to read. The mechanism's own hand-off says who may.
    pub fn read<R>(&self, slot: usize, len: usize, read: impl FnOnce(&[u8]) -> R) -> R {
        assert!(slot < SLOTS && len <= self.payload);
        let at = Self::payload_offset() + slot * self.payload;
        // SAFETY: inside the live mapping by the assertion. A slot is read only between the
        // hand-off that published it and the one that gives it back, so nobody writes it now.
        let bytes = unsafe { std::slice::from_raw_parts(self.map.as_ptr().wrapping_add(at), len) };
        read(bytes)
    }

    /// Bytes of a payload slot, to fill. The mechanism's own hand-off says who may.
    pub fn fill<R>(&self, slot: usize, len: usize, fill: impl FnOnce(&mut [u8]) -> R) -> R {
        assert!(slot < SLOTS && len <= self.payload);
        let at = Self::payload_offset() + slot * self.payload;
        // SAFETY: as for `read`: one producer fills a slot that no consumer holds.
        let bytes =
            unsafe { std::slice::from_raw_parts_mut(self.map.as_mut_ptr().wrapping_add(at), len) };
        fill(bytes)
    }
}

/// Takes over a descriptor that the parent left open for this process.
pub fn inherited(fd: RawFd) -> OwnedFd {
    // SAFETY: the parent passes each number to one owner in each child, once.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
