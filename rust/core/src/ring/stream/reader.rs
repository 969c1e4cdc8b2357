//! A reader's side of a stream: find a record, copy it, find key records.
//!
//! Everything read from lane memory may be hostile: entries are checked against the shape before
//! they are used, sequences only ever grow, and each walk ends.

use super::{ALIGN, Shape};
use crate::failpoint::step;
use crate::layout::stream_limit::NO_KEY;
use crate::layout::{RecordFlag, RecordInfo, StreamConfig};
use crate::ring::edge;
use crate::ring::words::{PageWords, StreamWords};
use std::sync::atomic::Ordering::Relaxed;

/// What stands where a record is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// Its entry, which is whole.
    Entry(RecordInfo),
    /// It was overwritten.
    Lapped,
    /// An entry that no honest writer makes.
    Impossible,
}

/// Sequence of the newest record, 0 before the first.
#[inline]
pub fn newest(lane: &impl StreamWords) -> u64 {
    // edge RECORD: bytes, entries and configs up to this record are in place.
    let head = lane.head().load(edge::RECORD.acquire());
    // Only a hostile lane comes so far; there is always a number after the newest.
    head.min(u64::MAX - 1)
}

/// Whether record `sequence` is still there, and so whatever was copied of it before this call.
#[inline]
pub fn whole(lane: &impl StreamWords, sequence: u64) -> bool {
    // edge LAP: whoever has copied a byte that is newer sees the announcement that it was coming.
    edge::LAP.fence_acquire();
    lane.oldest().load(Relaxed) <= sequence
}

/// The entry of a record up to the newest that the caller has seen.
pub fn entry(lane: &impl StreamWords, shape: &Shape, sequence: u64) -> Found {
    let entry = lane.load_entry(shape.entry_at(sequence));
    step("read.entry");
    if !whole(lane, sequence) {
        return Found::Lapped;
    }
    if !is_possible(&entry, shape, sequence) {
        return Found::Impossible;
    }
    Found::Entry(entry)
}

fn is_possible(entry: &RecordInfo, shape: &Shape, sequence: u64) -> bool {
    let size = u64::from(entry.size_bytes);
    let key = entry.flags & RecordFlag::KEY != 0;
    let distance = u64::from(entry.key_distance);
    entry.sequence == sequence
        && size <= shape.record_limit
        && entry.offset_bytes % ALIGN == 0
        && entry.offset_bytes % shape.data_bytes + size <= shape.data_bytes
        && key == (distance == 0)
        && (distance == NO_KEY || distance < sequence)
}

/// Copies the bytes of a record, as many as its entry says; whether they count.
#[inline]
pub fn copy(lane: &impl StreamWords, shape: &Shape, entry: &RecordInfo, into: &mut [u8]) -> bool {
    debug_assert_eq!(into.len(), entry.size_bytes as usize);
    lane.load_data(shape.data_at(entry.offset_bytes), into);
    step("read.copied");
    whole(lane, entry.sequence)
}

/// The config of a record; None when the record has been overtaken meanwhile.
pub fn config(lane: &impl StreamWords, shape: &Shape, entry: &RecordInfo) -> Option<StreamConfig> {
    let config = lane.load_config(shape.config_at(entry.config_id));
    whole(lane, entry.sequence).then_some(config)
}

/// The key records that are there, the newest first, until `wanted` says yes.
///
/// The chain leads from each record to the key record before it. It is broken where the writer
/// overtakes the walk; what was found before stands.
pub fn find_key(
    lane: &impl StreamWords,
    shape: &Shape,
    mut wanted: impl FnMut(&RecordInfo) -> bool,
) -> Option<u64> {
    let mut at = newest(lane);
    for _ in 0..shape.index_capacity {
        let Found::Entry(record) = entry(lane, shape, at) else { return None };
        let distance = u64::from(record.key_distance);
        if distance == NO_KEY {
            return None;
        }
        let key = at - distance; // is_possible: smaller than the sequence
        let Found::Entry(record) = entry(lane, shape, key) else { return None };
        if wanted(&record) {
            return Some(key);
        }
        at = key - 1; // sequences start at 1; there is no entry 0
        if at == 0 {
            return None;
        }
    }
    None
}

/// The newest key record.
pub fn newest_key(lane: &impl StreamWords, shape: &Shape) -> Option<u64> {
    find_key(lane, shape, |_| true)
}

/// The oldest key record.
pub fn oldest_key(lane: &impl StreamWords, shape: &Shape) -> Option<u64> {
    let mut oldest = None;
    find_key(lane, shape, |record| {
        oldest = Some(record.sequence);
        false
    });
    oldest
}

/// The newest key record that was published at `publish_ns` or before; else the oldest there is.
pub fn key_before(lane: &impl StreamWords, shape: &Shape, publish_ns: u64) -> Option<u64> {
    let mut oldest = None;
    let before = find_key(lane, shape, |record| {
        oldest = Some(record.sequence);
        record.publish_ns <= publish_ns
    });
    before.or(oldest)
}

/// Moves a lossless cursor to `sequence`, the lowest that has not been released.
#[inline]
pub fn advance(page: &impl PageWords, sequence: u64) {
    // edge DONE: every read of the records below comes before this.
    page.cursor().store(sequence, edge::DONE.release());
    step("read.advanced");
}
