//! Where a reader of a stream stands: record after record, never back unless it seeks.

use super::Shape;
use super::reader::{Found, entry, newest, newest_key, oldest_key};
use crate::layout::{RecordFlag, RecordInfo};
use crate::ring::words::StreamWords;

/// Where an overtaken reader goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterLap {
    NewestKey,
    OldestKey,
}

/// What one look for the next record came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The next record; it counts once its bytes have been copied whole.
    Record(RecordInfo),
    /// It has not been committed yet.
    Nothing,
    /// So many records were overwritten before they were read.
    Lapped(u64),
    /// The entry of this record is none that an honest writer makes; it was passed over.
    Impossible(u64),
}

/// A reader's position.
#[derive(Clone, Copy, Debug)]
pub struct Track {
    /// The record to read next.
    pub next: u64,
    /// Records that need earlier ones are passed over until a key record comes.
    pub awaits_key: bool,
    /// Records passed over since the last one that was read, those told by a `Lapped` left out.
    pub passed: u64,
    after_lap: AfterLap,
}

impl Track {
    pub fn new(next: u64, awaits_key: bool, after_lap: AfterLap) -> Self {
        Track { next, awaits_key, passed: 0, after_lap }
    }

    /// Looks for the next record.
    pub fn step(&mut self, lane: &impl StreamWords, shape: &Shape) -> Step {
        let newest = newest(lane);
        for _ in 0..shape.index_capacity {
            if newest < self.next {
                return Step::Nothing;
            }
            match entry(lane, shape, self.next) {
                Found::Entry(record) if self.awaits_key && record.flags & RecordFlag::KEY == 0 => {
                    self.passed += 1;
                    self.next += 1;
                }
                Found::Entry(record) => return Step::Record(record),
                Found::Lapped => return Step::Lapped(self.lapped(lane, shape)),
                Found::Impossible => {
                    self.next += 1;
                    return Step::Impossible(self.next - 1);
                }
            }
        }
        Step::Nothing
    }

    /// The record was read.
    pub fn taken(&mut self) -> u64 {
        self.next += 1;
        self.awaits_key = false;
        std::mem::take(&mut self.passed)
    }

    /// The record was overwritten: goes on at a key record, or at the first that will come. How
    /// many records that passes over.
    pub fn lapped(&mut self, lane: &impl StreamWords, shape: &Shape) -> u64 {
        // Before the search: a key record that is committed during it is read, not passed over.
        let seen = newest(lane);
        let key = match self.after_lap {
            AfterLap::NewestKey => newest_key(lane, shape),
            AfterLap::OldestKey => oldest_key(lane, shape),
        };
        // A hostile lane may name one that was read before.
        let key = key.filter(|&key| key > self.next);
        self.awaits_key = key.is_none();
        let next = key.unwrap_or_else(|| seen.max(self.next).saturating_add(1));
        let missed = next - self.next;
        self.next = next;
        missed
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::heap::Heap;
    use super::super::writer::Ring;
    use super::*;
    use crate::layout::{ConfigFlag, StreamConfig};
    use crate::ring::words::{AtomicU32, AtomicU64, LaneWords};
    use std::cell::RefCell;

    /// A lane whose writer commits a key record just when somebody first looks at an entry.
    struct Busy {
        heap: Heap,
        writer: RefCell<Option<Ring>>,
    }

    fn write(ring: &mut Ring, heap: &Heap, flags: u32) -> u64 {
        let place = ring.begin(heap, 0);
        ring.commit(heap, &place, 0, &mut RecordInfo { flags, ..RecordInfo::ZERO })
    }

    impl LaneWords for Busy {
        fn head(&self) -> &AtomicU64 {
            self.heap.head()
        }
        fn wake(&self) -> &AtomicU32 {
            self.heap.wake()
        }
        fn closed(&self) -> &AtomicU32 {
            self.heap.closed()
        }
        fn release_wanted(&self) -> &AtomicU32 {
            self.heap.release_wanted()
        }
    }

    impl StreamWords for Busy {
        fn oldest(&self) -> &AtomicU64 {
            self.heap.oldest()
        }
        fn load_entry(&self, at: usize) -> RecordInfo {
            if let Some(mut ring) = self.writer.take() {
                write(&mut ring, &self.heap, RecordFlag::KEY);
            }
            self.heap.load_entry(at)
        }
        fn store_entry(&self, at: usize, entry: &RecordInfo) {
            self.heap.store_entry(at, entry);
        }
        fn load_config(&self, at: usize) -> StreamConfig {
            self.heap.load_config(at)
        }
        fn store_config(&self, at: usize, config: &StreamConfig) {
            self.heap.store_config(at, config);
        }
        fn load_data(&self, at: usize, into: &mut [u8]) {
            self.heap.load_data(at, into);
        }
        fn store_data(&self, at: usize, from: &[u8]) {
            self.heap.store_data(at, from);
        }
    }

    #[test]
    fn a_key_record_that_comes_during_the_search_is_not_passed_over() {
        let shape = Shape { data_bytes: 64, record_limit: 32, index_capacity: 4, configs: 2 };
        for after_lap in [AfterLap::NewestKey, AfterLap::OldestKey] {
            let heap = Heap::new(&shape);
            let config = StreamConfig { flags: ConfigFlag::DEPENDENT, ..StreamConfig::ZERO };
            let mut ring = Ring::new(shape, &heap, config);
            (1..=6).for_each(|sequence| assert_eq!(write(&mut ring, &heap, 0), sequence));
            let lane = Busy { heap, writer: RefCell::new(Some(ring)) };
            let mut track = Track::new(1, false, after_lap);
            assert_eq!(track.lapped(&lane, &shape), 6);
            let Step::Record(record) = track.step(&lane, &shape) else { panic!("it is there") };
            assert!(record.sequence == 7 && record.flags & RecordFlag::KEY != 0);
        }
    }
}
