//! Ordered reading through `recent`: nothing that is reachable is skipped, nothing comes twice.

use super::{Consumer, explore, stage};
use crate::ring::consumer::{borrow_from, head};
use crate::ring::token::sequence_of;
use loom::thread;

impl Consumer {
    fn ordered(&self, from: u64, history: u64) -> Option<u64> {
        borrow_from(&self.shared.lane, self.page(), 0, from, history)
    }
}

/// No frame is retired here, so a consumer that has seen a head gets every frame up to it.
#[test]
fn a_reachable_frame_is_never_skipped() {
    explore(Some(4), || {
        let (mut producer, shared) = stage(&[1], 2);
        producer.publish();
        thread::spawn(move || {
            let consumer = Consumer::new(&shared, 0);
            let mut next = 1;
            for _ in 0..2 {
                let newest = sequence_of(head(&shared.lane));
                let token = consumer.ordered(next, 2);
                assert!(token.is_some() || newest < next, "frame {next} of {newest} is skipped");
                let Some(token) = token else { continue };
                assert_eq!(sequence_of(token), next);
                consumer.read(token);
                consumer.release(0);
                next += 1;
            }
        });
        producer.publish();
        producer.publish();
    });
}

/// Frames are retired and their slots filled again while they are read in order.
#[test]
fn order_holds_while_frames_are_retired() {
    explore(Some(4), || {
        let (mut producer, shared) = stage(&[1], 1);
        producer.publish();
        producer.publish();
        thread::spawn(move || {
            let consumer = Consumer::new(&shared, 0);
            let mut last = 0;
            for _ in 0..2 {
                let Some(token) = consumer.ordered(last + 1, 1) else { return };
                assert!(sequence_of(token) > last);
                last = sequence_of(token);
                consumer.read(token);
                consumer.release(0);
            }
        });
        producer.publish();
        producer.publish();
    });
}
