//! Random sequences of everything that producer and consumers do, one step at a time, against a
//! reference that knows what must come of it. What steps do to each other when they overlap is for
//! the loom models.

mod lossless;
mod reference;
mod steps;
mod stream;

use super::consumer::{Proof, borrow_from, borrow_newest};
use super::heap::Words;
use super::token::{sequence_of, slot_of, state, token};
use super::words::{FrameWords, LaneWords};
use crate::layout::SlotPhase;
use proptest::prelude::*;
use reference::Reference;
use std::sync::atomic::Ordering::Relaxed;
use steps::{shape, step};

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
    prop::collection::vec(word, Words::COUNT).prop_map(|values| {
        let mut values = values.into_iter();
        Words::filled(|| values.next().expect("one for each word"))
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
