//! A view of a stream lane's memory.
#![allow(unsafe_code, reason = "records that a lossless reader holds are read in place")]

use super::map::Mapping;
use super::view::{header_words, load_words, store_words, word32, word64};
use crate::error::{Result, protocol};
use crate::layout::{LaneHeader, RecordInfo, StreamConfig, StreamHeader};
use crate::ring::stream::Shape;
use crate::ring::words::{AtomicU32, AtomicU64, LaneWords, StreamWords};
use std::mem::offset_of;
use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::IntoBytes;

/// Where the StreamHeader stands.
pub(crate) const STREAM_HEADER: usize = size_of::<LaneHeader>();

/// Offsets of the parts of a stream lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) index: u64,
    pub(crate) configs: u64,
    pub(crate) data: u64,
}

/// Whether a lane of so many bytes can have these parts: all of them inside, on words of their own.
pub(crate) fn fits(parts: &Parts, shape: &Shape, room: u64) -> bool {
    let least = (STREAM_HEADER + size_of::<StreamHeader>()) as u64;
    let inside = |offset: u64, count: u64, each: usize| {
        let bytes = count.checked_mul(each as u64);
        let end = bytes.and_then(|bytes| offset.checked_add(bytes));
        offset >= least && offset % 8 == 0 && end.is_some_and(|end| end <= room)
    };
    inside(parts.index, shape.index_capacity, size_of::<RecordInfo>())
        && inside(parts.configs, shape.configs, size_of::<StreamConfig>())
        && inside(parts.data, shape.data_bytes, 1)
        && shape.index_capacity.is_power_of_two()
        && shape.configs > 0
        && shape.data_bytes >= 16
        && shape.data_bytes % 8 == 0
        && shape.record_limit <= (shape.data_bytes / 2).min(u32::MAX.into())
}

/// Lane memory of a stream.
pub(crate) struct StreamView {
    map: Mapping,
    index: usize,
    configs: usize,
    data: usize,
    shape: Shape,
}

impl StreamView {
    /// A view all of whose parts are inside the mapping.
    pub(crate) fn new(map: Mapping, parts: Parts, shape: Shape) -> Result<Self> {
        let room = map.len() as u64;
        if !fits(&parts, &shape, room) {
            return Err(protocol(format!("{parts:?} of {shape:?} do not fit in {room} bytes")));
        }
        let at = |offset: u64| offset as usize; // inside the mapping
        let (index, configs, data) = (at(parts.index), at(parts.configs), at(parts.data));
        Ok(StreamView { map, index, configs, data, shape })
    }

    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Bytes of a record that a cursor of this process holds. The caller passes the range of that
    /// record in the data ring.
    pub(crate) fn held_bytes(&self, range: Range<usize>) -> &[u8] {
        let inside = range.start <= range.end && range.end as u64 <= self.shape.data_bytes;
        assert!(inside, "a record is inside the ring");
        let start = self.map.base().wrapping_add(self.data + range.start);
        // SAFETY: inside the mapping by the assertion and `new`. Immutable: the record was
        // committed (edge RECORD), and the writer overwrites nothing at or above the cursor, which
        // its reader moves only once it has let go of the record (edge DONE).
        unsafe { std::slice::from_raw_parts(start, range.len()) }
    }
}

header_words!(StreamView);

impl StreamWords for StreamView {
    #[inline(always)]
    fn oldest(&self) -> &AtomicU64 {
        word64(&self.map, STREAM_HEADER + offset_of!(StreamHeader, oldest))
    }

    fn load_entry(&self, at: usize) -> RecordInfo {
        let mut entry = RecordInfo::ZERO;
        load_words(&self.map, self.entry(at), entry.as_mut_bytes());
        entry
    }

    fn store_entry(&self, at: usize, entry: &RecordInfo) {
        store_words(&self.map, self.entry(at), entry.as_bytes());
    }

    fn load_config(&self, at: usize) -> StreamConfig {
        let mut config = StreamConfig::ZERO;
        load_words(&self.map, self.config(at), config.as_mut_bytes());
        config
    }

    fn store_config(&self, at: usize, config: &StreamConfig) {
        store_words(&self.map, self.config(at), config.as_bytes());
    }

    fn load_data(&self, at: usize, into: &mut [u8]) {
        assert!(at as u64 + into.len() as u64 <= self.shape.data_bytes, "inside the ring");
        load_racing(&self.map, self.data + at, into);
    }

    fn store_data(&self, at: usize, from: &[u8]) {
        assert!(at as u64 + from.len() as u64 <= self.shape.data_bytes, "inside the ring");
        store_racing(&self.map, self.data + at, from);
    }
}

impl StreamView {
    fn entry(&self, at: usize) -> usize {
        assert!((at as u64) < self.shape.index_capacity);
        self.index + at * size_of::<RecordInfo>()
    }

    fn config(&self, at: usize) -> usize {
        assert!((at as u64) < self.shape.configs);
        self.configs + at * size_of::<StreamConfig>()
    }
}

/// Loads bytes at any alignment through aligned atomic words, all of which are in the ring: it
/// begins and ends with whole ones.
fn load_racing(map: &Mapping, at: usize, into: &mut [u8]) {
    let head = (at.next_multiple_of(8) - at).min(into.len());
    let (first, rest) = into.split_at_mut(head);
    pick(map, at, first);
    let whole = rest.len() & !7;
    let (words, last) = rest.split_at_mut(whole);
    if whole > 0 {
        load_words(map, at + head, words);
    }
    pick(map, at + head + whole, last);
}

/// Loads bytes of one word.
fn pick(map: &Mapping, at: usize, into: &mut [u8]) {
    if into.is_empty() {
        return;
    }
    let skip = at % 8;
    let bytes = word64(map, at - skip).load(Relaxed).to_ne_bytes();
    into.copy_from_slice(&bytes[skip..skip + into.len()]);
}

/// Stores bytes at any alignment through aligned atomic words: somebody may be copying what they
/// overwrite. The rest of the words at both ends stays; nobody else writes there.
fn store_racing(map: &Mapping, at: usize, from: &[u8]) {
    let head = (at.next_multiple_of(8) - at).min(from.len());
    let (first, rest) = from.split_at(head);
    patch(map, at, first);
    let whole = rest.len() & !7;
    if whole > 0 {
        store_words(map, at + head, &rest[..whole]);
    }
    patch(map, at + head + whole, &rest[whole..]);
}

/// Changes bytes of one word.
fn patch(map: &Mapping, at: usize, from: &[u8]) {
    if from.is_empty() {
        return;
    }
    let skip = at % 8;
    let word = word64(map, at - skip);
    let mut bytes = word.load(Relaxed).to_ne_bytes();
    bytes[skip..skip + from.len()].copy_from_slice(from);
    word.store(u64::from_ne_bytes(bytes), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::memfd;
    use proptest::prelude::*;

    fn view() -> StreamView {
        let shape = Shape { data_bytes: 4096, record_limit: 2048, index_capacity: 4, configs: 2 };
        let parts = Parts { index: 1152, configs: 2048, data: 8192 };
        let fd = memfd::create("test", 12288, false).unwrap();
        memfd::reserve(&fd, 12288, "test").unwrap();
        StreamView::new(Mapping::writable(&fd, 12288).unwrap(), parts, shape).unwrap()
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_and_place_make_one_whole(
            start in 0..64_usize,
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
        ) {
            let view = view();
            let before: Vec<u8> = (0..4096).map(|n| n as u8).collect();
            view.store_data(0, &before);
            let (mut expected, mut at) = (before, start);
            for piece in pieces {
                view.store_data(at, &piece);
                expected[at..at + piece.len()].copy_from_slice(&piece);
                at += piece.len();
            }
            let mut found = vec![0; 4096];
            view.load_data(0, &mut found);
            prop_assert_eq!(&found, &expected);
            let mut part = vec![0; at - start];
            view.load_data(start, &mut part);
            prop_assert_eq!(&part[..], &expected[start..at]);
            prop_assert_eq!(view.held_bytes(start..at), &expected[start..at]);
        }
    }

    #[test]
    #[should_panic(expected = "inside the ring")]
    fn nothing_is_stored_behind_the_ring() {
        view().store_data(4090, &[0; 7]);
    }
}
