//! Whatever comes over the socket, the lane goes on: nothing hangs, nothing leaks, nobody else
//! loses a frame.

mod common;
mod raw;

use common::{DEADLINE, LANE, Place, publish, until};
use framelane::layout::{BellByte, BellKind, ErrorKind, MessageType, Refused, Welcome};
use framelane::{ConsumerOptions, Mode, ProducerOptions, Trust};
use proptest::prelude::*;
use raw::wire::{bytes, header, hello, query, ready};
use raw::{Attached, Heard, Line, Traffic, latest};
use rustix::fd::AsFd;
use rustix::pipe::pipe;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use zerocopy::{FromZeros, IntoBytes};

/// First packets that no honest consumer sends.
fn nonsense() -> Vec<(&'static str, Vec<u8>)> {
    let good = hello(LANE);
    let with = |change: &dyn Fn(&mut framelane::layout::Hello)| {
        let mut bad = good;
        change(&mut bad);
        bytes(&bad).to_vec()
    };
    let whole = bytes(&good);
    vec![
        ("one byte", vec![0]),
        ("a bell before anything", vec![BellByte::Released.number()]),
        ("half a header", whole[..16].to_vec()),
        ("a header alone", whole[..32].to_vec()),
        ("half a message", whole[..100].to_vec()),
        ("one byte too many", [whole, &[0]].concat()),
        ("an oversized packet", vec![0x5a; 100_000]),
        ("an oversized message", [whole, &[0; 4000]].concat()),
        ("zeros", vec![0; 192]),
        ("ones", vec![0xff; 192]),
        ("wrong magic", with(&|h| h.header.magic ^= 1)),
        ("wrong version", with(&|h| h.header.message_version = 2)),
        ("wrong type", with(&|h| h.header.message_type = 99)),
        ("wrong length", with(&|h| h.header.length_bytes = 191)),
        ("an endless length", with(&|h| h.header.length_bytes = u32::MAX)),
        ("another lane", with(&|h| h.lane[0] = b'x')),
        ("a name without end", with(&|h| h.lane = [b'a'; 64])),
        ("a name that is no text", with(&|h| h.lane = [0xff; 64])),
        ("no mode", with(&|h| h.mode = 77)),
        ("no leases", with(&|h| h.leases = 0)),
        ("too many leases", with(&|h| h.leases = 64)),
        ("all leases there are", with(&|h| h.leases = u32::MAX)),
        ("no memory kind", with(&|h| h.memory_kinds = 0)),
        ("a ready first", bytes(&ready(1)).to_vec()),
        ("a query of another lane", bytes(&query("other")).to_vec()),
        ("a welcome", {
            let mut welcome = Welcome::new_zeroed();
            welcome.header = header(MessageType::Welcome, size_of::<Welcome>());
            bytes(&welcome).to_vec()
        }),
    ]
}

#[test]
fn nonsense_is_refused_in_words_and_costs_nobody_a_frame() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    for (what, packet) in nonsense() {
        let line = Line::connect(place.path(), LANE);
        line.send(&packet).unwrap();
        let (kind, words) = line.goodbye();
        assert_ne!(kind, ErrorKind::Ok.number(), "{what}: {words}");
        assert!(!words.is_empty(), "{what} is answered with a reason");
    }
    assert_eq!(traffic.producer.report().leases_granted, 1, "nothing stays reserved");
    traffic.stop();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn random_packets_at_every_stage_end_the_connection_and_nothing_else(
        stage in 0..3,
        packet in prop::collection::vec(any::<u8>(), 1..700),
        as_message in any::<bool>(),
        kind in 0u32..12,
    ) {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new());
        let line = match stage {
            0 => Line::connect(place.path(), LANE),
            1 => {
                let line = Line::connect(place.path(), LANE);
                line.send(bytes(&hello(LANE))).unwrap();
                line.message::<Welcome>();
                line
            }
            _ => Attached::new(place.path(), LANE, 1).line,
        };
        let mut packet = packet;
        if as_message && packet.len() >= 32 {
            let head = header(MessageType::Hello, packet.len());
            packet[..32].copy_from_slice(head.as_bytes());
            packet[12..16].copy_from_slice(&kind.to_ne_bytes());
        }
        let allowed = packet == [BellByte::Released.number()] && stage == 2;
        line.send(&packet).unwrap();
        if !allowed {
            line.goodbye();
            until("its leases are back", || producer.report().leases_granted == 0);
        }
        publish(&producer, 1);
        let frame = latest(&place).next(DEADLINE).unwrap().expect("an honest consumer is served");
        prop_assert_eq!(frame.sequence(), 1);
    }
}

#[test]
fn a_silent_peer_is_dropped_and_its_leases_come_back() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(2));
    let mute = Line::connect(place.path(), LANE);
    let (kind, words) = mute.goodbye();
    assert_eq!(kind, ErrorKind::TimedOut.number());
    assert!(words.contains("no Hello within 1 s"), "{words}");

    let half = Line::connect(place.path(), LANE);
    let mut greedy = hello(LANE);
    greedy.leases = 2;
    half.send(bytes(&greedy)).unwrap();
    half.message::<Welcome>();
    assert_eq!(producer.report().leases_granted, 2, "reserved from the Welcome on");
    let error = raw::refused(place.try_consumer(ConsumerOptions::new(Mode::Latest)));
    assert_eq!(error.kind(), ErrorKind::NoLeases, "{error}");
    let (kind, words) = half.goodbye();
    assert_eq!(kind, ErrorKind::TimedOut.number());
    assert!(words.contains("no Ready within 1 s"), "{words}");
    until("the leases are back", || producer.report().leases_granted == 0);
    drop(latest(&place));
}

#[test]
fn passed_descriptors_are_discarded() {
    let place = Place::new();
    let _producer = place.producer(ProducerOptions::new());
    let (reader, writer) = pipe().unwrap();
    let gifts = vec![writer.as_fd(); 200];
    let first = Line::connect(place.path(), LANE);
    first.send_fds(bytes(&hello(LANE)), &gifts).unwrap();
    let welcome = first.message::<Welcome>().0;
    first.send_fds(bytes(&ready(welcome.consumer_id)), &gifts).unwrap();
    first.message::<framelane::layout::Fds>();
    first.send_fds(&[BellByte::Released.number()], &gifts).unwrap();
    let second = Line::connect(place.path(), LANE);
    second.send_fds(b"garbage", &gifts).unwrap();
    second.goodbye();
    drop(writer);
    // The end of file comes when the last copy of the other end is closed.
    let mut polled = [rustix::event::PollFd::new(&reader, rustix::event::PollFlags::IN)];
    let time = rustix::event::Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
    assert_eq!(rustix::event::poll(&mut polled, Some(&time)), Ok(1), "a gift is still open");
}

#[test]
fn an_attached_peer_that_talks_nonsense_is_dropped_by_name() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new());
    for (what, packet) in nonsense() {
        if packet == [BellByte::Released.number()] {
            continue; // the one thing it may say
        }
        let peer = Attached::new(place.path(), LANE, 3);
        peer.line.send(&packet).unwrap();
        let (kind, words) = peer.line.goodbye();
        assert_eq!(kind, ErrorKind::Protocol.number(), "{what}: {words}");
        until("its leases are back", || traffic.producer.report().leases_granted == 1);
    }
    traffic.stop();
}

#[test]
fn a_flood_of_bells_leaves_the_lane_alive() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new().lossless(true));
    let peer = Attached::new(place.path(), LANE, 1);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    let _ = peer.line.send(&[BellByte::Released.number()]);
                }
            });
        }
        for _ in 0..3 {
            let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
            assert!(place.consumer(options).next(DEADLINE).unwrap().is_some());
        }
        traffic.still_flows();
        stop.store(true, Relaxed);
    });
    traffic.stop();
}

#[test]
fn peers_that_never_read_block_nobody() {
    let place = Place::new();
    let options = ProducerOptions::new().trust(Trust::Untrusted).lease_budget(8);
    let traffic = Traffic::start(&place, options);
    let peers: Vec<_> = (0..4).map(|_| Attached::new(place.path(), LANE, 1)).collect();
    for peer in &peers {
        // No eventfd, which whoever has it could fill and make blocking.
        assert_eq!(peer.welcome.bell, BellKind::Private.number());
    }
    let deaf = Line::connect(place.path(), LANE); // says hello, never reads the welcome
    deaf.send(bytes(&hello(LANE))).unwrap();
    for ticket in 1..2000 {
        peers.iter().for_each(|peer| peer.arm(ticket)); // each is answered into a full socket
    }
    traffic.still_flows();
    let rings = std::iter::from_fn(|| match peers[0].line.hear_within(Duration::ZERO) {
        Heard::Packet(packet, _) => Some(packet.len()),
        _ => None,
    });
    assert!(rings.take(2).eq([1, 1]), "tickets were answered");
    traffic.stop();
}

#[test]
fn a_query_takes_no_lease_and_its_answer_need_not_be_read() {
    let place = Place::new();
    let traffic = Traffic::start(&place, ProducerOptions::new().lease_budget(1));
    for _ in 0..200 {
        let line = Line::connect(place.path(), LANE);
        let _ = line.send(bytes(&query(LANE)));
    }
    let report = framelane::query(LANE, Some(place.path()), DEADLINE).unwrap();
    assert_eq!((report.consumer_count, report.leases_granted), (1, 1));
    let unread = Line::connect(place.path(), LANE);
    unread.send(bytes(&hello(LANE))).unwrap();
    let refused = unread.message::<Refused>().0;
    assert_eq!(refused.kind, ErrorKind::NoLeases.number());
    traffic.stop();
}
