//! Frames in device memory: revoked, collected, released too late.

use super::{Consumer, Producer, explore, stage};
use crate::ring::consumer::Proof::State;
use crate::ring::consumer::check;
use crate::ring::token::{sequence_of, slot_of};
use crate::ring::words::AtomicU64;
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What a reader may see changing under it: a word of a slot's descriptor or device buffer.
type Words = Arc<Vec<AtomicU64>>;

fn words(slots: usize) -> Words {
    Arc::new((0..slots).map(|_| AtomicU64::new(0)).collect())
}

/// Publishes a frame whose word is its sequence.
fn publish(producer: &mut Producer, words: &Words) -> u64 {
    let slot = producer.claim();
    words[slot].store(producer.ring.upcoming(0), Relaxed);
    producer.ring.publish(&producer.shared.lane, &[slot])
}

/// Takes a device frame and looks at its word; a word of anything else is found out by check().
fn look(consumer: &Consumer, words: &Words) {
    let Some(token) = consumer.newest(0, 0, State) else { return };
    let seen = words[slot_of(token)].load(Relaxed);
    if check(&consumer.shared.lane, token) {
        assert_eq!(seen, sequence_of(token), "revoked in silence");
    }
    consumer.release(0);
}

/// The device gets its buffer back right after the revocation.
#[test]
fn a_revoked_buffer_is_never_taken_for_intact() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        let words = words(3);
        publish(&mut producer, &words);
        let device = words.clone();
        thread::spawn(move || look(&Consumer::new(&shared, 0), &words));
        let slot = slot_of(producer.newest_token());
        producer.ring.revoke(&producer.shared.lane, slot);
        device[slot].store(u64::MAX, Relaxed);
    });
}

/// A retired frame is revoked if somebody holds it, and its slot gets the next descriptor.
#[test]
fn a_descriptor_of_the_next_frame_is_never_taken_for_this_one() {
    explore(Some(4), || {
        let (mut producer, shared) = stage(&[1], 0);
        let words = words(3);
        publish(&mut producer, &words);
        let first = slot_of(producer.newest_token());
        let device = words.clone();
        thread::spawn(move || look(&Consumer::new(&shared, 0), &words));
        publish(&mut producer, &device);
        if producer.pinned() & 1 << first != 0 {
            producer.ring.revoke(&producer.shared.lane, first);
        }
        publish(&mut producer, &device);
    });
}

/// What is retired and held by nobody goes back: the device writes while nobody reads.
#[test]
fn a_collected_buffer_has_no_reader() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        let first = slot_of(producer.newest_token());
        thread::spawn(move || {
            let consumer = Consumer::new(&shared, 0);
            if let Some(token) = consumer.newest(0, 0, State) {
                consumer.read(token);
                assert!(check(&shared.lane, token), "held, so neither collected nor revoked");
                consumer.release(0);
            }
        });
        producer.publish();
        if producer.pinned() & 1 << first == 0 {
            producer.ring.collect(&producer.shared.lane, first);
            producer.shared.lane.bytes[first].set(u64::MAX);
        }
    });
}

/// The source asks for its buffers while a consumer borrows the newest frame: it gets the buffer
/// or the consumer gets the frame.
#[test]
fn a_recalled_buffer_has_no_reader() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        producer.publish();
        let newest = slot_of(producer.newest_token());
        thread::spawn(move || {
            let consumer = Consumer::new(&shared, 0);
            if let Some(token) = consumer.newest(0, 0, State) {
                consumer.read(token);
                assert!(check(&shared.lane, token), "held, so it stays");
                consumer.release(0);
            }
        });
        producer.ring.retire_all(&producer.shared.lane);
        if producer.pinned() & 1 << newest == 0 {
            producer.ring.collect(&producer.shared.lane, newest);
            producer.shared.lane.bytes[newest].set(u64::MAX);
        }
    });
}

/// The consumer holds a revoked frame and the next one in the same slot. Releasing the first late
/// must not let go of the second, and its stale cell must not cost the producer a slot.
#[test]
fn a_late_release_touches_only_its_own_lease() {
    explore(None, || {
        let (mut producer, shared) = stage(&[2], 0);
        producer.publish();
        let consumer = Consumer::new(&shared, 0);
        let revoked = consumer.newest(0, 0, State).expect("published");
        producer.ring.revoke(&shared.lane, slot_of(revoked));
        producer.publish();
        let held = consumer.newest(1, 1, State).expect("published");
        assert_eq!(slot_of(held), slot_of(revoked), "the most recently used slot");
        thread::spawn(move || {
            assert!(!check(&consumer.shared.lane, revoked));
            consumer.release(0);
            consumer.read(held);
            assert!(check(&consumer.shared.lane, held));
            consumer.release(1);
        });
        producer.publish();
        producer.publish();
        producer.publish();
    });
}

/// The producer has thrown the consumer out: its leases count no longer, whatever it still holds.
fn expelled(collect: bool) {
    explore(Some(4), move || {
        let (mut producer, shared) = stage(&[1], 0);
        let words = words(3);
        publish(&mut producer, &words);
        let first = slot_of(producer.newest_token());
        let device = words.clone();
        let consumer = Consumer::new(&shared, 0);
        let token = consumer.newest(0, 0, State).expect("published");
        thread::spawn(move || {
            let seen = words[first].load(Relaxed);
            assert!(seen == 1 || !check(&shared.lane, token), "overwritten in silence");
        });
        publish(&mut producer, &device);
        let (ring, lane) = (&mut producer.ring, &producer.shared.lane);
        if collect {
            ring.collect(lane, first);
        } else {
            let slot = ring.claim(lane, 0);
            assert_eq!(slot, Some(first), "the most recently used slot");
        }
        device[first].store(u64::MAX, Relaxed);
    });
}

#[test]
fn an_expelled_reader_finds_out_that_its_slot_is_filled_again() {
    expelled(false);
}

#[test]
fn an_expelled_reader_finds_out_that_its_buffer_went_back() {
    expelled(true);
}
