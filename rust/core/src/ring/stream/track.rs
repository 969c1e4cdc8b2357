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
        let key = match self.after_lap {
            AfterLap::NewestKey => newest_key(lane, shape),
            AfterLap::OldestKey => oldest_key(lane, shape),
        };
        // A hostile lane may name one that was read before.
        let key = key.filter(|&key| key > self.next);
        self.awaits_key = key.is_none();
        let next = key.unwrap_or_else(|| newest(lane).max(self.next).saturating_add(1));
        let missed = next - self.next;
        self.next = next;
        missed
    }
}
