//! Borrow against publish, retire, claim: a leased frame is whole and stays so.

use super::{Consumer, explore, stage};
use crate::ring::consumer::Proof::{self, HeadOrState, State};
use loom::thread;

/// One consumer takes and releases the newest frame while two more are published; the last of
/// them goes into the slot of the first, unless that is leased.
fn one_consumer(proof: Proof) {
    explore(Some(4), move || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        thread::spawn(move || {
            let consumer = Consumer::new(&shared, 0);
            if let Some(token) = consumer.newest(0, 0, proof) {
                consumer.read(token);
                consumer.release(0);
            }
        });
        producer.publish();
        producer.publish();
    });
}

#[test]
fn a_leased_frame_is_whole_and_stays_proven_by_head() {
    one_consumer(HeadOrState);
}

#[test]
fn a_leased_frame_is_whole_and_stays_proven_by_state() {
    one_consumer(State);
}
