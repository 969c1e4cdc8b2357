//! A reader's view of a stream that somebody else wrote, for the fuzzer.

use super::info::StreamInfo;
use crate::layout::{LaneHeader, RecordInfo, StreamConfig, StreamHeader};
use crate::mem::stream::fits;
use crate::ring::stream::Shape;
use crate::ring::stream::heap::Heap;
use crate::ring::stream::reader;
use crate::ring::stream::track::{AfterLap, Step, Track};
use crate::ring::words::{LaneWords, StreamWords};
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::{FromBytes, IntoBytes};

/// Checks both headers, and reads a stream of their sizes; whether the headers were believed.
/// `data`: the size of the file, the headers, where to read on, then the index.
pub(crate) fn lane(data: &[u8]) -> bool {
    let Ok((file_bytes, rest)) = u64::read_from_prefix(data) else { return false };
    let Ok((header, rest)) = LaneHeader::read_from_prefix(rest) else { return false };
    let Ok((stream, rest)) = StreamHeader::read_from_prefix(rest) else { return false };
    let Ok((_, parts, shape)) = StreamInfo::from_headers(&header, &stream, file_bytes) else {
        return false;
    };
    if !fits(&parts, &shape, file_bytes) {
        return false;
    }
    let index = shape.index_capacity * size_of::<RecordInfo>() as u64;
    let configs = shape.configs * size_of::<StreamConfig>() as u64;
    for (start, bytes) in
        [(parts.index, index), (parts.configs, configs), (parts.data, shape.data_bytes)]
    {
        assert!(start.checked_add(bytes).is_some_and(|end| end <= file_bytes), "inside the file");
    }
    if shape.index_capacity <= 64 && shape.data_bytes <= 1 << 16 {
        read(&shape, &header, &stream, rest);
    }
    true
}

fn read(shape: &Shape, header: &LaneHeader, stream: &StreamHeader, rest: &[u8]) {
    let lane = Heap::new(shape);
    lane.head().store(header.head.load(Relaxed), Relaxed);
    lane.oldest().store(stream.oldest.load(Relaxed), Relaxed);
    let (next, rest) = u64::read_from_prefix(rest).unwrap_or((1, &[]));
    for (at, bytes) in rest.chunks(size_of::<RecordInfo>()).enumerate() {
        if at < shape.index_capacity as usize {
            let mut entry = RecordInfo::ZERO;
            entry.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
            lane.store_entry(at, &entry);
        }
    }
    for after_lap in [AfterLap::NewestKey, AfterLap::OldestKey] {
        let mut track = Track::new(next, next % 2 == 0, after_lap);
        for _ in 0..2 * shape.index_capacity {
            let before = track.next;
            match track.step(&lane, shape) {
                Step::Record(entry) => {
                    let mut bytes = vec![0; entry.size_bytes as usize];
                    assert!(bytes.len() as u64 <= shape.record_limit);
                    assert!(reader::copy(&lane, shape, &entry, &mut bytes), "nobody writes");
                    assert!(reader::config(&lane, shape, &entry).is_some());
                    track.taken();
                }
                Step::Nothing => break,
                Step::Lapped(missed) => assert!(missed > 0),
                Step::Impossible(sequence) => assert!(sequence >= before),
            }
            assert!(track.next > before, "never back");
        }
    }
    let newest = reader::newest(&lane);
    for key in [
        reader::newest_key(&lane, shape),
        reader::oldest_key(&lane, shape),
        reader::key_before(&lane, shape, next),
    ] {
        assert!(key.is_none_or(|key| key <= newest), "a key record that is there");
    }
}
