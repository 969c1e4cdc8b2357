//! Lossless reading: a claim waits for the cursor, so that no frame is retired unread.

use super::{Consumer, Producer, explore, stage};
use crate::ring::consumer::{advance, borrow_from};
use crate::ring::producer::cursor;
use crate::ring::token::sequence_of;
use loom::thread;

/// Publishes if the cursors allow it.
fn try_publish(producer: &mut Producer) {
    let pages = &producer.shared.pages;
    if pages.iter().all(|page| producer.ring.has_passed(cursor(page), 0)) {
        producer.publish();
    }
}

/// Takes what is there, in order and without a gap.
fn read(consumer: &Consumer, rounds: u64) {
    let mut next = 1;
    for _ in 0..rounds {
        let (lane, page) = (&consumer.shared.lane, consumer.page());
        let Some(token) = borrow_from(lane, page, 0, next, 0) else { return };
        assert_eq!(sequence_of(token), next, "a frame is lost");
        advance(page, next);
        consumer.read(token);
        consumer.release(0);
        next += 1;
    }
}

#[test]
fn nothing_is_lost_and_what_is_held_stays() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        thread::spawn(move || read(&Consumer::new(&shared, 0), 2));
        for _ in 0..3 {
            try_publish(&mut producer);
        }
    });
}
