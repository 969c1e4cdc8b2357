//! Consumers that come and go while the ring turns.

use super::{Consumer, explore, stage};
use crate::ring::consumer::Proof::HeadOrState;
use loom::sync::Mutex;
use loom::thread;
use std::sync::Arc;

/// Both of two consumers borrow; each one's lease counts.
#[test]
fn two_consumers_hold_different_frames() {
    explore(Some(2), || {
        let (mut producer, shared) = stage(&[1, 1], 0);
        producer.publish();
        for page in 0..2 {
            let consumer = Consumer::new(&shared, page);
            thread::spawn(move || {
                if let Some(token) = consumer.newest(0, 0, HeadOrState) {
                    consumer.read(token);
                    consumer.release(0);
                }
            });
        }
        producer.publish();
        producer.publish();
    });
}

/// A consumer is LIVE before it is told so: whoever claims before overlooks no lease of it.
#[test]
fn a_joining_consumer_is_never_overlooked() {
    explore(Some(4), || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        let live = Arc::new(Mutex::new(false));
        let admission = live.clone();
        let consumer = Consumer::new(&shared, 0);
        thread::spawn(move || {
            *admission.lock().unwrap() = true;
            if let Some(token) = consumer.newest(0, 0, HeadOrState) {
                consumer.read(token);
                consumer.release(0);
            }
        });
        for _ in 0..2 {
            let live = live.lock().unwrap();
            let pinned = if *live { producer.pinned() } else { 0 };
            let slot = producer.ring.claim(&shared.lane, pinned).expect("a slot is free");
            drop(live);
            shared.lane.bytes[slot].set(producer.ring.upcoming(0));
            producer.ring.publish(&shared.lane, &[slot]);
        }
    });
}

/// A consumer dies while it holds a frame. Its lease goes with it, the other's stays.
#[test]
fn a_departed_consumer_pins_nothing_and_the_others_stay() {
    explore(Some(2), || {
        let (mut producer, shared) = stage(&[1, 1], 0);
        producer.publish();
        // The hang-up: the kernel orders it after everything the process did.
        let hung_up = Arc::new(Mutex::new(false));
        let dying = (Consumer::new(&shared, 0), hung_up.clone());
        thread::spawn(move || {
            let (consumer, hung_up) = dying;
            if let Some(token) = consumer.newest(0, 0, HeadOrState) {
                consumer.read(token);
            }
            *hung_up.lock().unwrap() = true;
        });
        let other = Consumer::new(&shared, 1);
        thread::spawn(move || {
            if let Some(token) = other.newest(0, 0, HeadOrState) {
                other.read(token);
                other.release(0);
            }
        });
        for _ in 0..2 {
            let gone = *hung_up.lock().unwrap();
            let live = &shared.pages[usize::from(gone)..];
            let pinned = live.iter().fold(0, |all, page| all | producer.ring.pinned_by(page, 1));
            let slot = producer.ring.claim(&shared.lane, pinned).expect("a slot is free");
            shared.lane.bytes[slot].set(producer.ring.upcoming(0));
            producer.ring.publish(&shared.lane, &[slot]);
        }
    });
}
