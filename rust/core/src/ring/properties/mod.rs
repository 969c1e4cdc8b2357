//! Random sequences of everything that producer and consumers do, one step at a time, against a
//! reference that knows what must come of it. What steps do to each other when they overlap is for
//! the loom models.

mod lossless;
mod reference;
mod steps;

use super::words::{AtomicU32, AtomicU64, LaneWords, PageWords};
use proptest::prelude::*;
use reference::Reference;
use steps::{shape, step};

/// Lane memory or a consumer page on the heap.
struct Words {
    u64s: Vec<AtomicU64>,
    u32s: [AtomicU32; 3],
}

impl Words {
    fn new() -> Self {
        Words { u64s: (0..129).map(|_| AtomicU64::new(0)).collect(), u32s: Default::default() }
    }
}

impl LaneWords for Words {
    fn head(&self) -> &AtomicU64 {
        &self.u64s[0]
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
    fn recent(&self, index: usize) -> &AtomicU64 {
        &self.u64s[1 + index]
    }
    fn state(&self, slot: usize) -> &AtomicU64 {
        &self.u64s[65 + slot]
    }
}

impl PageWords for Words {
    fn cell(&self, index: usize) -> &AtomicU64 {
        &self.u64s[1 + index]
    }
    fn cursor(&self) -> &AtomicU64 {
        &self.u64s[0]
    }
    fn waiting(&self) -> &AtomicU32 {
        &self.u32s[0]
    }
    fn arm_ticket(&self) -> &AtomicU32 {
        &self.u32s[1]
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_ring_does_what_its_reference_does(
        shape in shape(),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut reference = Reference::new(&shape);
        for step in &steps {
            reference.take(step);
            reference.check();
        }
    }
}
