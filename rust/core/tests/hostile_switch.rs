//! Controllers that lie: an error, once, and the lane that was active goes on; never a crash.

mod common;
mod raw;

use common::readers::By;
use common::switches::{next, try_next};
use common::{DEADLINE, LANE, Place, os, publish, until};
use framelane::layout::{LaneHeader, LaneKind, Mode, SwitchHeader};
use framelane::{ConsumerOptions, ErrorKind, Switch};
use raw::Line;
use raw::impostor::{Goods, Impostor, Memory};
use std::mem::offset_of;
use std::time::{Duration, Instant};
use zerocopy::{FromZeros, IntoBytes};

const BYTES: u64 = 4096;

/// What a controller hands out, believable until a test spoils it.
struct Lies {
    goods: Goods,
    header: SwitchHeader,
}

impl Lies {
    fn new(lanes: &[&str]) -> Self {
        let mut goods = Goods { lane: Memory::lane(BYTES), ..Goods::default() };
        let lane = &mut goods.header;
        lane.lane_kind = LaneKind::Switch.number();
        lane.total_bytes = BYTES;
        (lane.slots_offset, lane.payload_offset, lane.payload_stride) = (0, 0, 0);
        (lane.payload_bytes, lane.slot_count, lane.history) = (0, 0, 0);
        (lane.claims, lane.lease_budget) = (0, 0);
        lane.head = (1 << 8).into();
        (goods.page.leases, goods.welcome.leases) = (0, 0);
        goods.page.mode = Mode::Latest.number();
        let mut header = SwitchHeader::new_zeroed();
        header.member_count = lanes.len() as u32;
        for (member, lane) in header.members.iter_mut().zip(lanes) {
            member.name[..lane.len()].copy_from_slice(lane.as_bytes());
        }
        Lies { goods, header }
    }

    fn selection(&self, word: u64) {
        self.goods.lane.word(offset_of!(LaneHeader, head), word);
    }

    /// The whole handshake; what the reader makes of it.
    fn open(&mut self, place: &Place) -> (framelane::Result<Switch>, Line) {
        let impostor = Impostor::new(place);
        self.goods.lane.write(size_of::<LaneHeader>(), self.header.as_bytes());
        let options = ConsumerOptions::new(Mode::Latest).directory(place.directory());
        std::thread::scope(|scope| {
            let player = scope.spawn(|| {
                let line = impostor.accept();
                self.goods.serve(&line);
                line
            });
            let opened = Switch::open(LANE, options);
            (opened, player.join().expect("the impostor plays its part"))
        })
    }
}

#[test]
fn a_scribbled_selection_is_an_error_once() {
    let place = Place::new();
    let (day, night) = (place.lane("day"), place.lane("night"));
    let mut lies = Lies::new(&["day", "night"]);
    let (switch, _line) = lies.open(&place);
    let mut switch = switch.unwrap();
    publish(&day, 1);
    assert_eq!(next(&mut switch, By::Futex).lane_index(), 0);
    let mut sequence = 1;
    for word in [2 << 8 | 2, 3 << 8 | 255, u64::MAX, 7 << 8 | 16, 0xdead_beef_dead_beef] {
        lies.selection(word);
        let error = try_next(&mut switch, By::Spin).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("of its 2"), "{error}");
        sequence += 1;
        publish(&day, sequence);
        let frame = next(&mut switch, By::Futex);
        assert_eq!((frame.lane_index(), frame.sequence()), (0, sequence), "it goes on");
    }
    // Epochs that go back, or none at all, are as good as any other.
    for (word, lane) in [(1 << 8 | 1, 1), (0, 0), (1, 1), (1 << 8, 0)] {
        lies.selection(word);
        let producer = [&day, &night][lane];
        let published = producer.report().published + 1;
        publish(producer, published);
        assert_eq!(next(&mut switch, By::Futex).lane_index(), lane);
    }
}

#[test]
fn a_selection_that_never_rests_ends_a_read_at_its_deadline() {
    let place = Place::new();
    let (day, night) = (place.lane("day"), place.lane("night"));
    let mut lies = Lies::new(&["day", "night"]);
    let (switch, _line) = lies.open(&place);
    let mut switch = switch.unwrap();
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut word = 0u64;
            while !over.load(std::sync::atomic::Ordering::Relaxed) {
                word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                lies.selection((word >> 33 << 8) | ((word >> 40) % 3));
            }
        });
        for sequence in 1..200 {
            publish(&day, sequence);
            publish(&night, sequence);
            match switch.next(Duration::from_millis(2)) {
                Ok(Some(frame)) => assert!(frame.lane_index() < 2),
                Ok(None) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{error}"),
            }
        }
        over.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn lanes_that_cannot_be_are_refused_at_once() {
    let place = Place::new();
    type Spoil = (&'static str, fn(&mut Lies));
    let spoil: [Spoil; 7] = [
        ("no lanes", |lies| lies.header.member_count = 0),
        ("too many lanes", |lies| lies.header.member_count = 17),
        ("very many lanes", |lies| lies.header.member_count = u32::MAX),
        ("a lane twice", |lies| lies.header.members[1] = lies.header.members[0]),
        ("a path", |lies| lies.header.members[1].name[..4].copy_from_slice(b"../a")),
        ("no text", |lies| lies.header.members[1].name.fill(0xff)),
        ("another kind", |lies| lies.goods.header.lane_kind = LaneKind::Frame.number()),
    ];
    for (what, spoil) in spoil {
        let before = os::descriptors();
        let mut lies = Lies::new(&["day", "night"]);
        spoil(&mut lies);
        let (opened, line) = lies.open(&place);
        let error = opened.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{what}: {error}");
        drop((lies, line));
        until("nothing stays open", || os::descriptors() <= before);
    }
}

#[test]
fn memory_that_is_too_small_is_refused() {
    let place = Place::new();
    let mut lies = Lies::new(&["day"]);
    lies.goods.lane = Memory::lane(2048);
    lies.goods.header.total_bytes = 2048;
    let impostor = Impostor::new(&place);
    let options = ConsumerOptions::new(Mode::Latest).directory(place.directory());
    std::thread::scope(|scope| {
        let player = scope.spawn(|| {
            let line = impostor.accept();
            lies.goods.serve(&line);
            line
        });
        let error = Switch::open(LANE, options).map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        player.join().unwrap();
    });
}

#[test]
fn a_lane_that_never_answers_holds_up_nobody_who_reads_another() {
    let place = Place::new();
    let day = place.lane("day");
    let _silent = Impostor::new(&place);
    let controller = place.controller(&["day", LANE]);
    let start = Instant::now();
    let mut switch = place.switch(Mode::Latest);
    // Whoever waited for the lane's answer at each look would need two seconds a frame.
    for sequence in 1..=40 {
        publish(&day, sequence);
        assert_eq!(next(&mut switch, By::Spin).sequence(), sequence);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(start.elapsed() < DEADLINE, "{:?}", start.elapsed());
    let problem = switch.status().lanes[1].problem.clone().expect("somebody is there");
    assert_eq!(problem.kind(), ErrorKind::TimedOut, "{problem}");
    // Once it is active its silence is the reader's.
    controller.select(1).unwrap();
    assert!(switch.next(Duration::from_millis(1)).unwrap().is_none());
    assert_eq!(switch.status().active, Some(1));
}
