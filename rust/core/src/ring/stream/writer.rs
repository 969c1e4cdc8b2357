//! The writer's side of a stream: begin, commit, config.
//!
//! All of it runs under the writer's one in-process mutex, but for the bytes of the one open
//! record, whose place belongs to whoever holds it.

use super::{ALIGN, Shape};
use crate::failpoint::step;
use crate::layout::stream_limit::NO_KEY;
use crate::layout::{ConfigFlag, RecordFlag, RecordInfo, StreamConfig};
use crate::ring::edge;
use crate::ring::words::{PageWords, StreamWords};
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;

/// Lowest record that a lossless reader has not released, as its page says.
pub fn cursor(page: &impl PageWords) -> u64 {
    // edge DONE: whoever moved this cursor has done with every record below it.
    page.cursor().load(edge::DONE.acquire())
}

/// Room in the data ring for one record that is being written.
#[derive(Debug)]
pub struct Place {
    /// Position of its first byte.
    pub offset: u64,
    /// Bytes asked for.
    pub room: u64,
}

/// Comes before whatever overwrites, on the thread that does: a record may be begun on one thread,
/// filled on another and committed on a third, and a fence orders only stores of its own thread.
fn announced_before() {
    // edge LAP: the announcement before any byte that overwrites what it gives up.
    edge::LAP.fence_release();
}

/// What the writer knows of a record that is still there.
struct Kept {
    offset: u64,
    config_id: u32,
}

/// The writer's own books: it reads nothing back from shared memory.
pub struct Ring {
    shape: Shape,
    /// Bytes of the ring used so far, padding included.
    used: u64,
    next_sequence: u64,
    oldest: u64,
    /// The records from `oldest` on.
    kept: VecDeque<Kept>,
    newest_key: u64,
    config_id: u32,
    dependent: bool,
    open: bool,
    last_ns: u64,
}

impl Ring {
    /// An empty ring. `config` becomes its first.
    pub fn new(shape: Shape, lane: &impl StreamWords, config: StreamConfig) -> Self {
        let mut ring = Ring {
            shape,
            used: 0,
            next_sequence: 1,
            oldest: 1,
            kept: VecDeque::new(),
            newest_key: 0,
            config_id: 0,
            dependent: false,
            open: false,
            last_ns: 0,
        };
        lane.oldest().store(1, Relaxed);
        ring.set_config(lane, config);
        ring
    }

    /// Starts at a later position, as if so many bytes had been written already.
    #[cfg(test)]
    pub fn starting_at(mut self, used: u64) -> Self {
        self.used = used;
        self
    }

    /// Sequence of the newest record, 0 before the first.
    pub fn newest(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Sequence of the oldest record there is; newest + 1 where there is none.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// Config of the records to come.
    pub fn config_id(&self) -> u32 {
        self.config_id
    }

    /// Whether a key record is there.
    #[cfg(test)]
    pub fn has_key(&self) -> bool {
        self.newest_key >= self.oldest
    }

    /// Whether a record is being written.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// What `oldest` has to be before a record of up to `room` bytes can be written.
    pub fn oldest_for(&self, room: u64) -> u64 {
        let end = self.offset_for(room) + room.next_multiple_of(ALIGN);
        // Where the bytes end that it can overwrite, one turn ago.
        let lost = end.saturating_sub(self.shape.data_bytes);
        let by_data = self.kept.iter().take_while(|record| record.offset < lost).count() as u64;
        let by_index = (self.next_sequence + 1).saturating_sub(self.shape.index_capacity);
        (self.oldest + by_data).max(by_index)
    }

    /// What `oldest` has to be before a further config can be stored.
    pub fn oldest_for_config(&self) -> u64 {
        let lost = (u64::from(self.config_id) + 1).saturating_sub(self.shape.configs);
        let lost = |record: &&Kept| u64::from(record.config_id) <= lost;
        self.oldest + self.kept.iter().take_while(lost).count() as u64
    }

    /// Position of a record of up to `room` bytes: where it fits in one piece.
    fn offset_for(&self, room: u64) -> u64 {
        let within = self.used % self.shape.data_bytes;
        if within + room > self.shape.data_bytes {
            return self.used - within + self.shape.data_bytes;
        }
        self.used
    }

    /// Makes room for a record of up to `room` bytes, which the shape allows. Lossless cursors
    /// permit [`oldest_for`](Self::oldest_for) it, and no other record is open.
    pub fn begin(&mut self, lane: &impl StreamWords, room: u64) -> Place {
        debug_assert!(room <= self.shape.record_limit && !self.open);
        self.lose_before(lane, self.oldest_for(room));
        self.open = true;
        Place { offset: self.offset_for(room), room }
    }

    /// Announces that what is older than `oldest` is about to be overwritten.
    fn lose_before(&mut self, lane: &impl StreamWords, oldest: u64) {
        if oldest <= self.oldest {
            return;
        }
        let lost = (oldest - self.oldest).min(self.kept.len() as u64);
        self.kept.drain(..lost as usize);
        self.oldest = oldest;
        lane.oldest().store(oldest, Relaxed);
        step("commit.announced");
    }

    /// Stores bytes of the open record, `after` so many, within what was asked for. Needs no ring:
    /// the record belongs to whoever holds its place.
    pub fn append(lane: &impl StreamWords, shape: &Shape, place: &Place, after: u64, bytes: &[u8]) {
        debug_assert!(after + bytes.len() as u64 <= place.room);
        announced_before();
        lane.store_data(shape.data_at(place.offset) + after as usize, bytes);
    }

    /// Ends the open record with `size` bytes of its place; its sequence. What `entry` says beyond
    /// its times, capture id and flags is set here. The caller reads the waiting words afterwards.
    pub fn commit(
        &mut self,
        lane: &impl StreamWords,
        place: &Place,
        size: u64,
        entry: &mut RecordInfo,
    ) -> u64 {
        debug_assert!(self.open && size <= place.room);
        let sequence = self.next_sequence;
        if !self.dependent {
            entry.flags |= RecordFlag::KEY;
        }
        if entry.flags & RecordFlag::KEY != 0 {
            self.newest_key = sequence;
        }
        entry.sequence = sequence;
        entry.offset_bytes = place.offset;
        entry.size_bytes = size as u32;
        entry.config_id = self.config_id;
        entry.key_distance = self.key_distance(sequence);
        self.last_ns = self.last_ns.max(entry.publish_ns);
        entry.publish_ns = self.last_ns;
        announced_before();
        lane.store_entry(self.shape.entry_at(sequence), entry);
        step("commit.entered");
        self.next_sequence += 1;
        self.used = place.offset + size.next_multiple_of(ALIGN);
        self.kept.push_back(Kept { offset: place.offset, config_id: self.config_id });
        self.open = false;
        // edge RECORD: bytes, entry and config come before head.
        lane.head().store(sequence, edge::RECORD.release());
        step("commit.head");
        // edge WAKE: whoever sleeps on this value has seen the head.
        lane.wake().store(sequence as u32, edge::WAKE.release());
        step("commit.wake");
        // edge SLEEP: head before any later look at waiting counters and tickets.
        edge::SLEEP.fence_first();
        step("commit.fenced");
        sequence
    }

    fn key_distance(&self, sequence: u64) -> u32 {
        let none = NO_KEY as u32;
        match self.newest_key {
            0 => none,
            key => u32::try_from(sequence - key).unwrap_or(none),
        }
    }

    /// Ends the open record without a trace, except that room was made for it.
    pub fn abandon(&mut self) {
        self.open = false;
    }

    /// Config of the records to come; its id. Lossless cursors permit
    /// [`oldest_for_config`](Self::oldest_for_config), and no record is open.
    pub fn set_config(&mut self, lane: &impl StreamWords, mut config: StreamConfig) -> u32 {
        debug_assert!(!self.open);
        self.lose_before(lane, self.oldest_for_config());
        self.config_id += 1;
        self.dependent = config.flags & ConfigFlag::DEPENDENT != 0;
        config.id = self.config_id;
        announced_before();
        lane.store_config(self.shape.config_at(self.config_id), &config);
        step("commit.config");
        self.config_id
    }
}
