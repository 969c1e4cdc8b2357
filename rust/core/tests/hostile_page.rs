//! A consumer that writes what it likes into its own page, as fast as it can: the producer never
//! runs out of slots, nobody else sees a torn frame or loses one, and a liar among the lossless is
//! disconnected by name.

mod common;
mod raw;

use common::child::{entry, say};
use common::{Child, DEADLINE, LANE, Order, Place, fill, layout, publish, until};
use framelane::layout::{ConsumerPage, ErrorKind, LaneHeader};
use framelane::{ConsumerOptions, Mode, Producer, ProducerOptions};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use raw::wire::hello;
use raw::{Attached, Heard, Traffic, latest, refused};
use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

#[test]
fn child_entry() {
    entry(&[("scribbler", scribbler), ("mover", mover)]);
}

fn directory() -> std::path::PathBuf {
    std::env::var_os("FRAMELANE_DIR").expect("set for children").into()
}

/// Random bytes over the whole page, for ever.
fn scribbler(_: &[&str]) {
    let peer = Attached::new(&directory(), LANE, 3);
    say("attached");
    let mut random = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let mut bytes = [0; size_of::<ConsumerPage>()];
    loop {
        random.fill_bytes(&mut bytes);
        peer.poke(0, &bytes);
    }
}

/// All its cells, and those it was not granted, on whatever is newest or a little older, for ever.
fn mover(_: &[&str]) {
    let peer = Attached::new(&directory(), LANE, 3);
    say("attached");
    let recent = offset_of!(LaneHeader, recent);
    loop {
        let head = peer.head();
        let mut cells = [0; 64 * 8];
        for (index, cell) in cells.chunks_exact_mut(8).enumerate() {
            let wanted = match index % 4 {
                3 => 0,
                back => peer
                    .lane_word(recent + 8 * ((head >> 6).wrapping_sub(back as u64) % 64) as usize),
            };
            cell.copy_from_slice(&wanted.to_ne_bytes());
        }
        peer.poke(offset_of!(ConsumerPage, cells), &cells);
    }
}

/// Publishes as fast as it can beside a hostile child; an ordered reader loses nothing, as long
/// as it keeps up, and a latest reader sees frames intact.
fn publish_beside(role: &str, frames: u64) {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(7).history(20).claims(2));
    let mut child = Child::start(&place, role);
    child.expect("attached");
    let mut ordered = place.consumer(ConsumerOptions::new(Mode::Ordered).leases(2));
    let mut newest = latest(&place);
    let mut order = [Order::of(&ordered, Mode::Ordered), Order::of(&newest, Mode::Latest)];
    let mut held = None;
    for sequence in 1..=frames {
        let other = producer.claim().expect("two claims are always there");
        let mut frame = producer.claim().expect("a slot is always free");
        drop(other);
        fill(&mut frame, producer.epoch(), sequence);
        assert_eq!(frame.publish().unwrap(), sequence);
        if sequence % 3 == 0 {
            let frame = newest.try_next().unwrap().expect("a frame was published");
            order[1].see(&frame);
        }
        // Reads in bursts shorter than the history, and holds the last frame of each.
        if sequence % 10 == 0 {
            held = None;
            while let Some(frame) = ordered.try_next().unwrap() {
                assert_eq!(frame.missed(), 0, "within the history nothing is missed");
                order[0].see(&frame);
                held = Some(frame);
            }
        }
    }
    drop(held);
    assert_eq!(order[0].seen, frames, "the ordered reader has them all");
    let report = producer.report();
    assert_eq!((report.no_free_slot, report.consumer_count), (0, 3));
    assert_eq!(framelane::query(LANE, Some(place.path()), DEADLINE).unwrap().consumer_count, 3);
}

#[test]
fn random_bytes_all_over_a_page_cost_nobody_a_frame() {
    publish_beside("scribbler", 20_000);
}

#[test]
fn cells_that_move_at_full_speed_cost_nobody_a_frame() {
    publish_beside("mover", 20_000);
}

#[test]
fn stale_cells_pin_nothing_and_cells_beyond_the_grant_do_not_count() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(1).history(0));
    let peer = Attached::new(place.path(), LANE, 1);
    for sequence in 1..=3 {
        publish(&producer, sequence);
        peer.cell(sequence as usize, peer.head()); // 1, 2 and 3 are not granted
    }
    peer.cell(0, peer.head() - (1 << 6)); // the sequence before the one that is in the slot
    for sequence in 4..100 {
        publish(&producer, sequence);
    }
    peer.cell(0, peer.head());
    publish(&producer, 100);
    publish(&producer, 101);
    let report = producer.report();
    assert_eq!((report.held_slots.count_ones(), report.no_free_slot), (1, 0), "one held frame");
    assert_eq!(report.consumers[0].held_slots, report.held_slots);
}

/// A lossless peer by hand, on a lane where nobody else reads.
fn lossless(place: &Place) -> (Producer, Attached) {
    let producer = place.producer(ProducerOptions::new().lossless(true));
    let mut greeting = hello(LANE);
    greeting.mode = Mode::Lossless.number();
    let peer = Attached::with(place.path(), LANE, &greeting);
    (producer, peer)
}

#[test]
fn a_cursor_that_lies_disconnects_its_consumer_by_name() {
    // Each after an honest step to 3: far ahead, one too many, one back, the start, all ones.
    for lie in [1 << 40, 5, 2, 0, u64::MAX] {
        let place = Place::new();
        let (producer, peer) = lossless(&place);
        publish(&producer, 1);
        publish(&producer, 2);
        peer.cursor(3);
        publish(&producer, 3);
        peer.cursor(lie);
        // The claim that finds it neither waits for it nor fails.
        publish(&producer, 4);
        let (kind, words) = peer.line.goodbye();
        assert_eq!(kind, ErrorKind::Protocol.number());
        assert!(words.starts_with("cursor ") && words.contains(" is outside 3..=4"), "{words}");
        until("it is gone", || producer.consumers() == 0);
        assert_eq!(producer.report().leases_granted, 0);
    }
}

#[test]
fn a_liar_among_the_lossless_does_not_hold_up_a_waiting_claim() {
    let place = Place::new();
    let (producer, peer) = lossless(&place);
    let mut reader = place.consumer(ConsumerOptions::new(Mode::Lossless));
    let mut order = Order::of(&reader, Mode::Lossless);
    publish(&producer, 1);
    publish(&producer, 2);
    let error = refused(producer.claim());
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot, "{error}");
    for _ in 0..2 {
        order.see(&reader.try_next().unwrap().expect("the honest reader has its frames"));
    }
    let waiting = std::thread::scope(|scope| {
        let claim = scope.spawn(|| producer.claim_within(DEADLINE).map(drop));
        std::thread::sleep(Duration::from_millis(30));
        peer.cursor(77);
        let _ = peer.line.send(&[framelane::layout::BellByte::Released.number()]);
        claim.join().unwrap()
    });
    waiting.expect("the liar's word counts no longer");
    assert!(peer.line.goodbye().1.contains("cursor 77"));
    for sequence in 3..200 {
        publish(&producer, sequence);
        order.see(&reader.try_next().unwrap().expect("nothing is lost"));
    }
}

#[test]
fn a_page_cannot_change_its_size_and_a_hole_in_it_reads_as_no_lease() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    let peer = Attached::new(place.path(), LANE, 1);
    let size = rustix::fs::fstat(&peer.page).unwrap().st_size as u64;
    for other in [0, 1, size - 1, size + 1, size * 16] {
        assert_eq!(rustix::fs::ftruncate(&peer.page, other), Err(Errno::PERM), "to {other}");
    }
    let more = rustix::fs::fcntl_add_seals(&peer.page, rustix::fs::SealFlags::WRITE);
    assert_eq!(more, Err(Errno::PERM), "nobody else may seal it either");
    let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    let end = Instant::now() + Duration::from_millis(300);
    while Instant::now() < end {
        peer.cell(0, peer.head());
        rustix::fs::fallocate(&peer.page, hole, 0, size).unwrap();
    }
    let report = traffic.producer.report();
    let entry = report.consumers.iter().find(|c| c.consumer_id == peer.welcome.consumer_id);
    assert_eq!(entry.expect("it is still attached").held_slots, 0, "zeros hold nothing");
    traffic.stop();
}

#[test]
fn an_endless_appetite_for_bells_is_fed_once_a_frame() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().trust(framelane::Trust::Untrusted));
    let peer = Attached::new(place.path(), LANE, 1);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for ticket in (1u32..).cycle() {
                peer.arm(ticket);
                if stop.load(Relaxed) {
                    return;
                }
            }
        });
        for sequence in 1..=500 {
            publish(&producer, sequence);
        }
        stop.store(true, Relaxed);
    });
    let mut rings = 0;
    while let Heard::Packet(packet, _) = peer.line.hear_within(Duration::ZERO) {
        assert_eq!(packet.len(), 1);
        rings += 1;
    }
    assert!((1..=500).contains(&rings), "{rings} rings of 500 frames");
    let mut frame = producer.claim().unwrap();
    assert_eq!(frame.payload_mut().len() as u64, layout().total_bytes);
}
