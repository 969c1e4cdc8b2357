//! A byte ring in memory that others write at the same time: every access is atomic.
#![allow(unsafe_code, reason = "atomics at computed places of a mapping")]

use super::map::Mapping;
use super::view::store_each;
use crate::error::{Result, protocol};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

/// A header of 32-bit words and the bytes behind it.
pub(crate) struct RingView {
    map: Mapping,
    header: usize,
}

impl RingView {
    /// `header` is a multiple of 8.
    pub(crate) fn new(map: Mapping, header: usize) -> Result<Self> {
        if !map.is_writable() || header % 8 != 0 || map.len() < header {
            return Err(protocol(format!("a ring of {} bytes has no header", map.len())));
        }
        Ok(RingView { map, header })
    }

    /// Bytes behind the header.
    pub(crate) fn len(&self) -> usize {
        self.map.len() - self.header
    }

    /// Word `index` of the header.
    pub(crate) fn word(&self, index: usize) -> &AtomicU32 {
        assert!(index < self.header / 4, "a word of the header");
        // SAFETY: inside the mapping by the assertion and `new`, 4-byte aligned because mappings
        // begin at a page; an atomic may be shared with other processes, and lives as the mapping.
        unsafe { &*self.map.base().cast::<AtomicU32>().wrapping_add(index) }
    }

    /// Copies bytes out. Whether they are whole is for the ring's counters to say.
    pub(crate) fn copy_out(&self, at: usize, into: &mut [u8]) {
        let (first, words) = self.split(at, into.len());
        let (head, rest) = into.split_at_mut(first);
        let (middle, tail) = rest.split_at_mut(words * 8);
        self.bytes_out(at, head);
        for (index, bytes) in middle.chunks_exact_mut(8).enumerate() {
            let word = self.word64(at + first + 8 * index).load(Relaxed);
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        self.bytes_out(at + first + 8 * words, tail);
    }

    /// Copies bytes in.
    pub(crate) fn copy_in(&self, at: usize, from: &[u8]) {
        let (first, words) = self.split(at, from.len());
        let (head, rest) = from.split_at(first);
        let (middle, tail) = rest.split_at(words * 8);
        self.bytes_in(at, head);
        store_each(|index| self.word64(at + first + 8 * index), middle);
        self.bytes_in(at + first + 8 * words, tail);
    }

    /// Bytes before the first aligned word of a range of the ring, and whole words from there.
    fn split(&self, at: usize, count: usize) -> (usize, usize) {
        assert!(at.checked_add(count).is_some_and(|end| end <= self.len()), "inside the ring");
        let first = (at.wrapping_neg() % 8).min(count);
        (first, (count - first) / 8)
    }

    fn bytes_out(&self, at: usize, into: &mut [u8]) {
        for (index, byte) in into.iter_mut().enumerate() {
            *byte = self.byte(at + index).load(Relaxed);
        }
    }

    fn bytes_in(&self, at: usize, from: &[u8]) {
        for (index, byte) in from.iter().enumerate() {
            self.byte(at + index).store(*byte, Relaxed);
        }
    }

    fn word64(&self, at: usize) -> &AtomicU64 {
        debug_assert!(at % 8 == 0 && at + 8 <= self.len());
        // SAFETY: the callers' ranges were checked by `split`, which also aligned them; the header
        // is a multiple of 8. Otherwise as for `word`.
        unsafe { &*self.map.base().wrapping_add(self.header + at).cast::<AtomicU64>() }
    }

    fn byte(&self, at: usize) -> &AtomicU8 {
        debug_assert!(at < self.len());
        // SAFETY: the callers' ranges were checked by `split`; a byte is always aligned.
        unsafe { &*self.map.base().wrapping_add(self.header + at).cast::<AtomicU8>() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::memfd;

    fn ring(bytes: u64) -> RingView {
        let fd = memfd::create("ring", bytes, false).unwrap();
        RingView::new(Mapping::writable(&fd, bytes).unwrap(), 16).unwrap()
    }

    #[test]
    fn bytes_arrive_at_every_alignment_and_touch_no_neighbour() {
        let ring = ring(16 + 256);
        for at in 0..20 {
            for count in (0..=40).chain(60..=80).chain([128, 200]) {
                ring.copy_in(0, &[0xee; 256]);
                let from: Vec<u8> = (0..count).map(|byte| byte as u8).collect();
                ring.copy_in(at, &from);
                let mut all = [0; 256];
                ring.copy_out(0, &mut all);
                let mut wanted = [0xee; 256];
                wanted[at..at + count].copy_from_slice(&from);
                assert_eq!(all, wanted, "{count} bytes at {at}");
                let mut back = vec![0; count];
                ring.copy_out(at, &mut back);
                assert_eq!(back, from);
            }
        }
    }

    #[test]
    fn a_ring_without_room_for_its_header_is_refused() {
        let fd = memfd::create("ring", 8, false).unwrap();
        assert!(RingView::new(Mapping::writable(&fd, 8).unwrap(), 16).is_err());
    }
}
