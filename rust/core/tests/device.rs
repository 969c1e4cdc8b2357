//! Owners of device buffers: each runs exactly once, whatever ends its frame, and never on the
//! thread that notices deaths.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::{Child, DEADLINE, LANE, Place, until};
use framelane::layout::ErrorKind;
use framelane::{ConsumerOptions, Mode, ProducerOptions, Reclaim, Returned};
use raw::device::{BUFFER_BYTES, Book, describe, device_lane};
use raw::{Attached, latest, refused};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("holder", holder)]);
}

/// Holds a frame until it is killed.
fn holder(_: &[&str]) {
    let mut consumer = common::open(Mode::Latest, 1);
    let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
    say(frame.sequence());
    hear();
}

fn plain() -> ProducerOptions {
    ProducerOptions::new().history(0)
}

#[test]
fn an_owner_runs_when_the_last_lease_goes_and_needs_no_publish_for_it() {
    let place = Place::new();
    let producer = device_lane(&place, plain(), 4);
    let book = Book::default();
    let mut readers = [latest(&place), latest(&place)];
    book.publish(&producer, 0);
    let frames = readers.each_mut().map(|reader| reader.next(DEADLINE).unwrap().unwrap());
    book.publish(&producer, 1);
    book.publish(&producer, 2);
    assert_eq!(book.wait_for(2), Returned { sequence: 2, revoked: false }, "nobody took it");
    let [first, second] = frames;
    first.release().unwrap();
    std::thread::sleep(Duration::from_millis(30));
    assert_eq!(book.sequences(), [2], "one lease is left");
    drop(second);
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: false });
    book.expect(&[1, 2]);
}

#[test]
fn an_owner_runs_when_its_holder_is_killed_closes_or_hangs_up() {
    let place = Place::new();
    let producer = device_lane(&place, plain(), 4);
    let book = Book::default();
    let mut child = Child::start(&place, "holder");
    until("the child is there", || producer.consumers() == 1);
    book.publish(&producer, 0);
    child.expect("1");
    let by_hand = Attached::new(place.path(), LANE, 1);
    book.publish(&producer, 1);
    by_hand.cell(0, by_hand.head());
    book.publish(&producer, 2);
    assert!(book.sequences().is_empty(), "both are held");
    child.kill();
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: false });
    drop(by_hand); // without clearing its cell
    assert_eq!(book.wait_for(2), Returned { sequence: 2, revoked: false });
    book.expect(&[1, 2]);
}

#[test]
fn every_owner_runs_when_the_lane_ends() {
    for reclaim in [Reclaim::Thread, Reclaim::Pump] {
        let place = Place::new();
        let producer = device_lane(&place, ProducerOptions::new().reclaim(reclaim), 4);
        let book = Book::default();
        let options = ConsumerOptions::new(Mode::Latest).leases(2).reattach(false);
        let mut reader = place.consumer(options);
        let mut held = Vec::new();
        for buffer in 0..3 {
            book.publish(&producer, buffer);
            held.extend((buffer != 1).then(|| reader.next(DEADLINE).unwrap().unwrap()));
        }
        drop(producer);
        let mut all = book.sequences();
        all.sort_unstable();
        assert_eq!(all, [1, 2, 3], "{reclaim:?}: all are back when the producer is gone");
        for frame in &held {
            assert!(!frame.check(), "the device has it back");
            assert_eq!(refused(frame.copy_to(0, &mut [0; 4096])).kind(), ErrorKind::Revoked);
        }
    }
}

#[test]
fn revoked_is_said_only_of_frames_that_somebody_held() {
    let place = Place::new();
    let producer = device_lane(&place, plain(), 4);
    let book = Book::default();
    let mut reader = latest(&place);
    book.publish(&producer, 0);
    let frame = reader.next(DEADLINE).unwrap().unwrap();
    book.publish(&producer, 1);
    drop(producer);
    assert!(book.wait_for(1).revoked, "taken from its reader");
    assert!(!book.wait_for(2).revoked, "nobody held it");
    assert_eq!(refused(frame.release()).kind(), ErrorKind::Revoked);
}

#[test]
fn recall_brings_back_what_nobody_holds_and_nothing_else() {
    let place = Place::new();
    let producer = device_lane(&place, ProducerOptions::new(), 4);
    let book = Book::default();
    let mut reader = latest(&place);
    for buffer in 0..3 {
        book.publish(&producer, buffer);
    }
    book.expect(&[1]); // the newest two stay
    let frame = reader.next(DEADLINE).unwrap().expect("the newest");
    producer.recall();
    assert_eq!(book.wait_for(2), Returned { sequence: 2, revoked: false });
    assert!(frame.check(), "a frame under lease is not touched");
    let mut other = latest(&place);
    assert!(other.try_next().unwrap().is_none(), "but nobody else gets it");
    assert!(reader.latest().map(|f| f.is_none()).unwrap_or(true));
    drop(frame);
    assert_eq!(book.wait_for(3), Returned { sequence: 3, revoked: false });
    producer.recall();
    book.publish(&producer, 0);
    assert_eq!(other.next(DEADLINE).unwrap().expect("the lane goes on").sequence(), 4);
    book.expect(&[1, 2, 3]);
}

/// A hand that moves its cell on and off the newest frames makes every scan of the producer see
/// something else.
#[test]
fn no_owner_is_lost_when_a_frame_is_released_between_two_scans() {
    let place = Place::new();
    let producer = device_lane(&place, plain().lease_budget(2), 4);
    let book = Book::default();
    let hand = Attached::new(place.path(), LANE, 2);
    let stop = AtomicBool::new(false);
    const FRAMES: u64 = 30_000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                hand.cell(0, hand.head());
                hand.cell(1, hand.head());
                hand.cell(0, 0);
                hand.cell(1, 0);
            }
        });
        for round in 0..FRAMES {
            book.publish(&producer, round as usize % 4);
        }
        stop.store(true, Relaxed);
    });
    drop(producer);
    let mut all = book.sequences();
    all.sort_unstable();
    assert!(all.into_iter().eq(1..=FRAMES), "every owner ran");
}

#[test]
fn an_owner_that_panics_takes_no_other_with_it() {
    for reclaim in [Reclaim::Thread, Reclaim::Pump] {
        let place = Place::new();
        let producer = device_lane(&place, plain().reclaim(reclaim), 4);
        let book = Book::default();
        let angry = Box::new(|_| panic!("an owner that panics, on purpose"));
        producer.publish_external(&describe(0, BUFFER_BYTES), angry).unwrap();
        book.publish(&producer, 1);
        book.publish(&producer, 2);
        let pump = || {
            // Where the source runs owners itself, their panics are its own.
            let run = std::panic::AssertUnwindSafe(|| producer.reclaim());
            std::panic::catch_unwind(run).is_err()
        };
        assert_eq!([pump(), pump()], [reclaim == Reclaim::Pump, false]);
        book.wait_for(2);
        book.publish(&producer, 3);
        pump();
        book.wait_for(3);
        drop(producer);
        book.expect(&[2, 3, 4]);
    }
}

/// A binding's owner may wait for its interpreter: deaths have to be noticed all the same.
#[test]
fn an_owner_that_waits_keeps_nobody_from_coming_and_going() {
    let place = Place::new();
    let producer = device_lane(&place, plain(), 4);
    let (let_go, waits) = std::sync::mpsc::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let owner = Box::new(move |_| {
        let thread = std::thread::current().name().unwrap_or_default().to_owned();
        tell.send(thread).unwrap();
        let _ = waits.recv_timeout(DEADLINE);
    });
    producer.publish_external(&describe(0, BUFFER_BYTES), owner).unwrap();
    let book = Book::default();
    book.publish(&producer, 1);
    let thread = told.recv_timeout(DEADLINE).unwrap();
    assert!(thread.starts_with("fl-ret"), "on the return thread, not on {thread:?}");
    let mut child = Child::start(&place, "holder");
    child.expect("2");
    book.publish(&producer, 2);
    child.kill();
    until("its death is noticed", || producer.consumers() == 0);
    assert!(book.sequences().is_empty(), "owners run one after the other");
    let_go.send(()).unwrap();
    book.wait_for(2);
}

#[test]
fn an_owner_may_publish_and_end_the_lane_itself() {
    let place = Place::new();
    let lane = Arc::new(Mutex::new(Some(device_lane(&place, plain(), 4))));
    let book = Book::default();
    let (inside, again) = (lane.clone(), book.clone());
    let owner = Box::new(move |_| {
        let producer = inside.lock().unwrap().take().expect("still there");
        again.publish(&producer, 2);
        drop(producer); // on its own return thread
    });
    let guard = lane.lock().unwrap();
    let producer = guard.as_ref().unwrap();
    producer.publish_external(&describe(0, BUFFER_BYTES), owner).unwrap();
    book.publish(producer, 1);
    drop(guard);
    until("the lane is gone", || lane.lock().unwrap().is_none());
    book.wait_for(3);
    book.expect(&[2, 3]);
}

#[test]
fn the_owner_of_a_frame_that_is_not_published_is_dropped_and_does_not_run() {
    let place = Place::new();
    let producer = device_lane(&place, plain(), 2);
    let ran = Arc::new(AtomicBool::new(false));
    for (buffer, bytes) in [(2, 8), (0, BUFFER_BYTES + 1), (usize::MAX >> 40, 8)] {
        let flag = ran.clone();
        let owner = Box::new(move |_| flag.store(true, Relaxed));
        let error = refused(producer.publish_external(&describe(buffer, bytes), owner));
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert_eq!(Arc::strong_count(&ran), 1, "the owner is gone");
    }
    let mut overflowing = describe(0, 8);
    overflowing.planes[0].offset_bytes = u64::MAX;
    let error = refused(producer.publish_external(&overflowing, Box::new(|_| ())));
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    for count in [0, 5, 255] {
        let mut odd = describe(0, 8);
        odd.plane_count = count;
        let error = refused(producer.publish_external(&odd, Box::new(|_| ())));
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    drop(producer);
    assert!(!ran.load(Relaxed));
}

/// Two buffers, two consumers that hold both, and a source that stalls until one is back.
#[test]
fn a_starved_source_gets_its_buffer_at_the_release_without_any_publish() {
    for reclaim in [Reclaim::Thread, Reclaim::Pump] {
        let place = Place::new();
        let producer = device_lane(&place, plain().reclaim(reclaim), 3);
        let book = Book::default();
        let mut reader = place.consumer(ConsumerOptions::new(Mode::Latest).leases(3));
        let mut held = Vec::new();
        for buffer in 0..3 {
            book.publish(&producer, buffer);
            held.push(reader.next(DEADLINE).unwrap().unwrap());
        }
        let pump = || if reclaim == Reclaim::Pump { producer.reclaim() } else { 0 };
        assert_eq!(pump(), 0);
        assert!(book.sequences().is_empty(), "all buffers are out");
        drop(held.remove(0));
        until("the first is back", || {
            pump();
            book.sequences() == [1]
        });
        // The newest is nobody's any more, but stays until the source asks for it.
        held.clear();
        until("the second is back", || {
            pump();
            book.sequences().len() == 2
        });
        producer.recall();
        pump();
        book.expect(&[1, 2, 3]);
    }
}
