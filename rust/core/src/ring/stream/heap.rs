//! A stream lane in ordinary memory, for tests of the protocol alone.

use super::Shape;
use crate::layout::{RecordInfo, StreamConfig};
use crate::ring::words::{AtomicU32, AtomicU64, LaneWords, StreamWords};
use std::cell::RefCell;

/// Lane memory of a stream on the heap.
#[derive(Debug)]
pub(crate) struct Heap {
    head: AtomicU64,
    oldest: AtomicU64,
    u32s: [AtomicU32; 3],
    entries: RefCell<Vec<RecordInfo>>,
    configs: RefCell<Vec<StreamConfig>>,
    data: RefCell<Vec<u8>>,
}

impl Heap {
    /// All zero.
    pub(crate) fn new(shape: &Shape) -> Self {
        Heap {
            head: AtomicU64::new(0),
            oldest: AtomicU64::new(0),
            u32s: Default::default(),
            entries: vec![RecordInfo::ZERO; shape.index_capacity as usize].into(),
            configs: vec![StreamConfig::ZERO; shape.configs as usize].into(),
            data: vec![0; shape.data_bytes as usize].into(),
        }
    }
}

impl LaneWords for Heap {
    fn head(&self) -> &AtomicU64 {
        &self.head
    }
    fn wake(&self) -> &AtomicU32 {
        &self.u32s[0]
    }
    fn closed(&self) -> &AtomicU32 {
        &self.u32s[1]
    }
    fn release_wanted(&self) -> &AtomicU32 {
        &self.u32s[2]
    }
}

impl StreamWords for Heap {
    fn oldest(&self) -> &AtomicU64 {
        &self.oldest
    }
    fn load_entry(&self, at: usize) -> RecordInfo {
        self.entries.borrow()[at]
    }
    fn store_entry(&self, at: usize, entry: &RecordInfo) {
        self.entries.borrow_mut()[at] = *entry;
    }
    fn load_config(&self, at: usize) -> StreamConfig {
        self.configs.borrow()[at]
    }
    fn store_config(&self, at: usize, config: &StreamConfig) {
        self.configs.borrow_mut()[at] = *config;
    }
    fn load_data(&self, at: usize, into: &mut [u8]) {
        into.copy_from_slice(&self.data.borrow()[at..at + into.len()]);
    }
    fn store_data(&self, at: usize, from: &[u8]) {
        self.data.borrow_mut()[at..at + from.len()].copy_from_slice(from);
    }
}
