//! Random sequences of everything that producer and consumers do, one step at a time, against a
//! reference that knows what must come of it. What steps do to each other when they overlap is for
//! the loom models.

mod lossless;
mod reference;
mod steps;

use super::consumer::{Proof, borrow_from, borrow_newest};
use super::token::{sequence_of, slot_of, state, token};
use super::words::{AtomicU32, AtomicU64, LaneWords, PageWords};
use crate::layout::SlotPhase;
use proptest::prelude::*;
use reference::Reference;
use std::sync::atomic::Ordering::Relaxed;
use steps::{shape, step};

/// Lane memory or a consumer page on the heap.
#[derive(Debug)]
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

/// So many cases; what fails is printed, not filed away.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Lane memory as nobody honest writes it: tokens and states around a few sequences.
fn lying_lane() -> impl Strategy<Value = Words> {
    let word = prop_oneof![
        (0..80_u64, 0..64_usize).prop_map(|(sequence, slot)| token(sequence, slot)),
        (0..80_u64).prop_map(|sequence| state(sequence, SlotPhase::Ready)),
        any::<u64>(),
    ];
    prop::collection::vec(word, 129).prop_map(|values| {
        let lane = Words::new();
        for (word, value) in lane.u64s.iter().zip(values) {
            word.store(value, Relaxed);
        }
        lane
    })
}

proptest! {
    #![proptest_config(cases(500))]

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

    #[test]
    fn a_lying_lane_ends_every_borrow_and_gets_no_other_frame_through(
        lane in lying_lane(),
        from in 0..80_u64,
        history in any::<u64>(),
    ) {
        let page = Words::new();
        for proof in [Proof::State, Proof::HeadOrState] {
            if let Some(token) = borrow_newest(&lane, &page, 0, from, proof) {
                prop_assert!(sequence_of(token) > from);
                prop_assert_eq!(token, lane.head().load(Relaxed));
            }
        }
        if let Some(token) = borrow_from(&lane, &page, 0, from, history) {
            let sequence = sequence_of(token);
            prop_assert!(sequence >= from);
            prop_assert_eq!(lane.recent(sequence as usize % 64).load(Relaxed), token);
            let ready = state(sequence, SlotPhase::Ready);
            prop_assert_eq!(lane.state(slot_of(token)).load(Relaxed), ready);
        }
    }
}
