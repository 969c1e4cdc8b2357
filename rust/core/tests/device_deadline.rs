//! Deadlines of device frames: what is taken back when, from whom, and what its late holder can
//! still do.

mod common;
mod raw;

use common::{DEADLINE, LANE, Place, until};
use framelane::layout::ErrorKind;
use framelane::{Consumer, ConsumerOptions, Frame, Mode, ProducerOptions, Returned, monotonic_ns};
use raw::device::{BUFFER_BYTES, Book, describe, device_lane};
use raw::{Attached, latest, refused};
use std::time::Duration;

const LEASE: Duration = Duration::from_millis(80);

fn leased() -> ProducerOptions {
    ProducerOptions::new().history(0).lease(LEASE)
}

fn next(reader: &mut Consumer) -> Frame {
    reader.next(DEADLINE).unwrap().expect("a frame within the deadline")
}

fn pass(frame: &Frame) {
    let until = frame.descriptor().valid_until_ns;
    while monotonic_ns() <= until {
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_retired_frame_that_is_held_too_long_is_revoked_and_counted_against_its_holder() {
    let place = Place::new();
    let producer = device_lane(&place, leased(), 4);
    let book = Book::default();
    let mut slow = latest(&place);
    let mut quick = latest(&place);
    book.publish(&producer, 0);
    let (held, seen) = (next(&mut slow), next(&mut quick));
    let descriptor = *held.descriptor();
    assert_eq!(Duration::from_nanos(descriptor.valid_until_ns - descriptor.publish_ns), LEASE);
    seen.release().unwrap();
    book.publish(&producer, 1);
    assert!(held.check() && book.sequences().is_empty(), "within its time it is safe");
    assert!(held.copy_to(0, &mut [0; BUFFER_BYTES as usize]).is_ok());
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: true });
    assert!(monotonic_ns() >= descriptor.valid_until_ns, "not before its time");
    assert!(!held.check());
    let copied = refused(held.copy_to(0, &mut [0; BUFFER_BYTES as usize]));
    assert_eq!(copied.kind(), ErrorKind::Revoked, "{copied}");
    assert_eq!(held.descriptor(), &descriptor, "its description is the copy made at first");
    let report = producer.report();
    let revoked: Vec<u64> = report.consumers[..2].iter().map(|c| c.revoked).collect();
    assert_eq!((report.revoked, revoked), (1, vec![1, 0]), "only the one that held it");
    let error = refused(held.release());
    assert_eq!(error.kind(), ErrorKind::Revoked, "{error}");
    assert!(error.to_string().contains("frame 1 of lane \"lane\""), "{error}");
}

#[test]
fn a_late_release_does_not_disturb_the_next_frame_in_the_slot() {
    let place = Place::new();
    let options = leased().lease_budget(2).lease(Duration::from_millis(150));
    let producer = device_lane(&place, options, 4);
    let book = Book::default();
    let mut reader = place.consumer(ConsumerOptions::new(Mode::Latest).leases(2));
    book.publish(&producer, 0);
    let late = next(&mut reader);
    book.publish(&producer, 1);
    book.wait_for(1);
    // The slot is the most recently used one that is free, so it comes soon.
    let mut buffer = 0;
    let fresh = loop {
        book.publish(&producer, buffer);
        buffer = (buffer + 1) % 4;
        let frame = next(&mut reader);
        if frame.slot() == late.slot() {
            break frame;
        }
    };
    assert_eq!(refused(late.release()).kind(), ErrorKind::Revoked);
    let sequence = fresh.sequence();
    for _ in 0..6 {
        book.publish(&producer, buffer);
        buffer = (buffer + 1) % 4;
    }
    assert!(fresh.check() && !book.sequences().contains(&sequence), "its own lease holds");
    let held = producer.report().held_slots;
    assert_eq!(held, 1 << fresh.slot());
    fresh.release().unwrap();
    assert!(!book.wait_for(sequence).revoked);
}

#[test]
fn the_newest_frame_stays_past_its_deadline_but_is_borrowed_no_more() {
    let place = Place::new();
    let producer = device_lane(&place, leased(), 4);
    let book = Book::default();
    let mut reader = latest(&place);
    book.publish(&producer, 0);
    let frame = next(&mut reader);
    let until = frame.descriptor().valid_until_ns;
    drop(frame);
    std::thread::sleep(LEASE + Duration::from_millis(20));
    assert!(monotonic_ns() > until);
    assert!(book.sequences().is_empty(), "nobody holds it, nobody asks for it");
    assert!(reader.latest().unwrap().is_none(), "but it is too old to read");
    let mut other = latest(&place);
    assert!(other.next(Duration::from_millis(60)).unwrap().is_none());
    book.publish(&producer, 1);
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: false });
    assert_eq!(next(&mut other).sequence(), 2);
}

/// An honest reader refuses a frame past its deadline. One that takes it all the same must not
/// keep the buffer.
#[test]
fn whoever_takes_a_frame_past_its_deadline_loses_it_when_it_retires() {
    let place = Place::new();
    let producer = device_lane(&place, leased(), 4);
    let book = Book::default();
    let thief = Attached::new(place.path(), LANE, 1);
    book.publish(&producer, 0);
    std::thread::sleep(LEASE + Duration::from_millis(40)); // nobody names it at its deadline
    thief.cell(0, thief.head());
    std::thread::sleep(Duration::from_millis(20));
    book.publish(&producer, 1);
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: true });
    assert_eq!(producer.report().consumers[0].revoked, 1);
}

#[test]
fn the_newest_frame_is_revoked_from_whoever_holds_it_too_long() {
    let place = Place::new();
    let producer = device_lane(&place, leased(), 4);
    let book = Book::default();
    let mut reader = latest(&place);
    book.publish(&producer, 0);
    let frame = next(&mut reader);
    pass(&frame);
    assert_eq!(book.wait_for(1), Returned { sequence: 1, revoked: true }, "no publish was needed");
    assert!(!frame.check());
    drop(frame);
    assert!(reader.try_next().unwrap().is_none(), "nothing is left to read");
    book.publish(&producer, 0);
    assert_eq!(next(&mut reader).sequence(), 2);
}

#[test]
fn without_a_lease_time_nothing_is_ever_revoked() {
    let place = Place::new();
    let producer = device_lane(&place, ProducerOptions::new().history(0), 4);
    let book = Book::default();
    let mut reader = latest(&place);
    book.publish(&producer, 0);
    let frame = next(&mut reader);
    assert_eq!(frame.descriptor().valid_until_ns, 0);
    for round in 0..50 {
        book.publish(&producer, 1 + round % 3);
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(frame.check() && !book.sequences().contains(&1));
    frame.release().unwrap();
    book.wait_for(1);
}

/// The oldest reachable frame may be past its deadline while newer ones are not.
#[test]
fn an_ordered_reader_passes_over_what_is_too_old_and_counts_it() {
    let place = Place::new();
    let producer = device_lane(&place, ProducerOptions::new().history(5).lease(LEASE), 8);
    let book = Book::default();
    let mut reader = place.consumer(ConsumerOptions::new(Mode::Ordered));
    book.publish(&producer, 0);
    assert_eq!(next(&mut reader).sequence(), 1);
    for buffer in 1..4 {
        book.publish(&producer, buffer);
    }
    std::thread::sleep(LEASE + Duration::from_millis(30));
    book.publish(&producer, 4);
    let frame = reader.try_next().unwrap().expect("the newest is in time");
    assert_eq!((frame.sequence(), frame.missed()), (5, 3));
}

/// The frames a lossless reader waits for are gone: the source asked for its buffers.
#[test]
fn a_lossless_reader_does_not_hold_up_a_source_that_recalled_its_frames() {
    for history in [0, 1] {
        let place = Place::new();
        let options = ProducerOptions::new().history(history).lossless(true);
        let producer = device_lane(&place, options, 4);
        let book = Book::default();
        let mut reader = place.consumer(ConsumerOptions::new(Mode::Lossless));
        for _ in 0..3 {
            for buffer in 0..=history as usize {
                book.publish(&producer, buffer);
            }
            producer.recall();
            assert!(reader.try_next().unwrap().is_none(), "there is nothing left to take");
        }
        let sequence = book.publish(&producer, 0);
        let frame = next(&mut reader);
        assert_eq!((frame.sequence(), frame.missed()), (sequence, sequence - 1), "and it is told");
    }
}

#[test]
fn a_lease_shorter_than_two_frame_periods_is_refused() {
    let place = Place::new();
    let at_30 = Duration::from_nanos(33_333_333);
    let create = |lease: Duration| {
        let options = ProducerOptions::new().memory(framelane::MemoryKind::HbMem);
        let options = options.lease(lease).frame_period(at_30).directory(place.directory());
        framelane::Producer::create(LANE, options).map(drop)
    };
    for short in [1, 33, 66] {
        let error = refused(create(Duration::from_millis(short)));
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.to_string().contains("two frame periods"), "{error}");
    }
    create(2 * at_30).unwrap();
    create(Duration::from_secs(1)).unwrap();
    create(Duration::ZERO).unwrap(); // never revoked
}

/// What is revoked while nobody publishes is found by the timer alone, for many frames in turn.
#[test]
fn deadlines_are_kept_in_turn_without_any_publish() {
    let place = Place::new();
    let producer = device_lane(&place, leased().lease_budget(5), 6);
    let book = Book::default();
    let mut reader = place.consumer(ConsumerOptions::new(Mode::Latest).leases(5));
    let mut held = Vec::new();
    for buffer in 0..5 {
        producer.publish_external(&describe(buffer, BUFFER_BYTES), book.owner()).unwrap();
        held.push(next(&mut reader));
        std::thread::sleep(Duration::from_millis(7));
    }
    until("all are revoked", || book.sequences().len() == 5);
    assert_eq!(book.sequences(), [1, 2, 3, 4, 5], "in the order of their deadlines");
    assert!(held.iter().all(|frame| !frame.check()));
    assert_eq!(producer.report().revoked, 5);
}
