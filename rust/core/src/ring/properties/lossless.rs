//! Lossless consumers of any pace: nobody loses a frame, and a claim waits only for who is behind.

use super::cases;
use crate::ring::consumer;
use crate::ring::heap::Words;
use crate::ring::producer::{Ring, cursor};
use crate::ring::token::{sequence_of, slot_of};
use crate::ring::words::PageWords;
use proptest::prelude::*;
use std::sync::atomic::Ordering::Relaxed;

#[derive(Clone, Copy, Debug)]
enum Step {
    Claim,
    Publish,
    Take(usize),
    Release(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Claim),
        3 => Just(Step::Publish),
        3 => (0..3_usize).prop_map(Step::Take),
        3 => (0..3_usize).prop_map(Step::Release),
    ]
}

struct Reader {
    page: Words,
    next: u64,
    held: Option<u64>,
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn nobody_loses_a_frame_and_nobody_waits_for_nothing(
        readers in 1..4_usize,
        claims in 1..3_usize,
        history in 0..3_u64,
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let lane = Words::new();
        let mut ring = Ring::new(readers + claims + 1 + history as usize, history);
        let mut claimed = Vec::new();
        let reader = |_| {
            let page = Words::new();
            page.cursor().store(1, Relaxed);
            Reader { page, next: 1, held: None }
        };
        let mut readers: Vec<Reader> = (0..readers).map(reader).collect();
        for step in steps {
            match step {
                Step::Claim if claimed.len() < claims => {
                    let ahead = claimed.len() as u64;
                    let retired = (ring.newest() + 1 + ahead).saturating_sub(history + 1);
                    let may = readers.iter().all(|r| ring.has_passed(cursor(&r.page), ahead));
                    prop_assert_eq!(may, readers.iter().all(|r| r.next > retired));
                    if may {
                        let pinned = readers.iter().map(|r| ring.pinned_by(&r.page, 1));
                        let pinned = pinned.fold(0, |all, pins| all | pins);
                        claimed.push(ring.claim(&lane, pinned).expect("the slot sum holds"));
                    }
                }
                Step::Publish if !claimed.is_empty() => {
                    ring.publish(&lane, &[claimed.remove(0)]);
                }
                Step::Take(index) if index < readers.len() => {
                    let Reader { page, next, held } = &mut readers[index];
                    if held.is_none() {
                        *held = consumer::borrow_from(&lane, page, 0, *next, history);
                        let there = *next <= ring.newest();
                        prop_assert_eq!(held.map(sequence_of), there.then_some(*next));
                        if there {
                            consumer::advance(page, *next);
                            *next += 1;
                        }
                    }
                }
                Step::Release(index) => {
                    let Some(reader) = readers.get_mut(index) else { continue };
                    if reader.held.take().is_some() {
                        consumer::clear(&reader.page, 0);
                    }
                }
                _ => {}
            }
            for token in readers.iter().filter_map(|reader| reader.held) {
                prop_assert!(consumer::check(&lane, token));
                prop_assert!(!claimed.contains(&slot_of(token)));
            }
        }
    }
}
