//! A producer that waits for a release hears of it.

use super::{Consumer, explore, stage};
use crate::ring::consumer::Proof::State;
use crate::ring::consumer::{advance, borrow_from, release_wanted};
use crate::ring::producer::{cursor, want_release};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

/// The producer's socket: a byte sent before it is waited for is not lost.
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn new() -> Arc<Self> {
        Arc::new(Bell { rung: Mutex::new(false), changed: Condvar::new() })
    }

    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

/// The only buffer of a device is leased; the source waits until it comes back.
#[test]
fn a_release_rings_the_producer_that_wants_it() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        let consumer = Consumer::new(&shared, 0);
        let token = consumer.newest(0, 0, State).expect("published");
        producer.publish();
        let bell = Bell::new();
        let socket = bell.clone();
        thread::spawn(move || {
            consumer.read(token);
            consumer.release(0);
            if release_wanted(&consumer.shared.lane) {
                socket.ring();
            }
        });
        want_release(&shared.lane);
        while producer.pinned() != 0 {
            bell.wait();
        }
    });
}

/// A claim waits for a lossless cursor.
#[test]
fn a_cursor_step_rings_the_producer_that_waits_for_it() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        let consumer = Consumer::new(&shared, 0);
        let bell = Bell::new();
        let socket = bell.clone();
        thread::spawn(move || {
            let (lane, page) = (&consumer.shared.lane, consumer.page());
            let token = borrow_from(lane, page, 0, 1, 0).expect("published before");
            advance(page, 1);
            if release_wanted(lane) {
                socket.ring();
            }
            consumer.read(token);
            consumer.release(0);
        });
        want_release(&shared.lane);
        while !producer.ring.has_passed(cursor(&shared.pages[0]), 0) {
            bell.wait();
        }
        producer.publish();
    });
}
