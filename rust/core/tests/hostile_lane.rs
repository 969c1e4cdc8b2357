//! Lane memory that lies: impossible headers, tokens, states and descriptors, and scribbling while
//! a consumer reads. An error, no frame, or a frame whose bytes lie in its own slot; never a crash.

mod common;
mod raw;

use common::{DEADLINE, Place};
use framelane::layout::{LaneHeader, Plane, Slot};
use framelane::{Consumer, ConsumerOptions, ErrorKind, FrameDescriptor, MemoryKind, Mode};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use raw::impostor::{Goods, Impostor, LANE_BYTES, SLOTS};
use raw::{Line, refused};
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use zerocopy::{FromZeros, IntoBytes};

fn options(mode: Mode) -> ConsumerOptions {
    ConsumerOptions::new(mode).reattach(false)
}

/// Attaches to an impostor with these goods.
fn attach(mut goods: Goods, mode: Mode) -> (framelane::Result<Consumer>, Goods, Line) {
    let place = Place::new();
    goods.page.mode = mode.number();
    let (opened, (goods, line)) = Impostor::attach(&place, options(mode), move |line| {
        goods.serve(&line);
        (goods, line)
    });
    (opened, goods, line)
}

fn attached(mode: Mode) -> (Consumer, Goods, Line) {
    let (opened, goods, line) = attach(Goods::default(), mode);
    (opened.unwrap(), goods, line)
}

/// Reads all that a frame offers.
fn read_all(consumer: &mut Consumer) -> framelane::Result<()> {
    for _ in 0..3 {
        let Some(frame) = consumer.try_next()? else { continue };
        for plane in 0..5 {
            match frame.plane(plane) {
                Ok(bytes) => {
                    assert!(bytes.len() <= 4096, "a plane lies in its slot");
                    std::hint::black_box(bytes.iter().map(|&b| u64::from(b)).sum::<u64>());
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            let _ = frame.revocable_plane(plane);
            let _ = frame.copy_to(plane, &mut [0; 64]);
        }
        frame.check();
    }
    consumer.latest().map(drop)
}

#[test]
fn a_header_with_an_impossible_value_is_refused_and_named() {
    type Lie = fn(&mut LaneHeader);
    let lies: [(&str, Lie); 20] = [
        ("magic", |h| h.magic ^= 1),
        ("layout", |h| h.layout_hash ^= 1),
        ("layout", |h| h.layout_version += 1),
        ("epoch", |h| h.epoch = 0),
        ("total bytes", |h| h.total_bytes = LANE_BYTES + 1),
        ("total bytes", |h| h.total_bytes = u64::MAX),
        ("places slots at", |h| h.total_bytes = 0),
        ("places slots at 0", |h| h.slots_offset = 0),
        ("places slots at", |h| h.slots_offset = u64::MAX - 7),
        ("places slots at 1025", |h| h.slots_offset += 1),
        ("from 0 in", |h| h.payload_offset = 0),
        ("places slots at", |h| h.payload_offset = u64::MAX),
        ("places slots at", |h| h.payload_stride = u64::MAX / 2),
        ("places slots at", |h| h.payload_stride = 4095),
        ("places slots at", |h| h.payload_bytes = 4097),
        ("slots 0", |h| h.slot_count = 0),
        ("slots 65", |h| h.slot_count = 65),
        ("history 4", |h| h.history = SLOTS),
        ("lane kind", |h| h.lane_kind = 77),
        ("memory kind", |h| h.memory_kind = 77),
    ];
    for (words, lie) in lies {
        let mut goods = Goods::default();
        lie(&mut goods.header);
        let error = refused(attach(goods, Mode::Latest).0);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{words}: {error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let names: [fn(&mut LaneHeader); 3] =
        [|h| h.name[0] = b'x', |h| h.name = [0xff; 64], |h| h.name = [0; 64]];
    for rename in names {
        let mut goods = Goods::default();
        rename(&mut goods.header);
        assert_eq!(refused(attach(goods, Mode::Latest).0).kind(), ErrorKind::Protocol);
    }
}

/// Numbers at which arithmetic goes wrong, and others.
fn edgy() -> impl Strategy<Value = u64> {
    let edges =
        [0, 1, 63, 64, 65, 1 << 31, 1 << 32, 1 << 63, u64::MAX >> 6, u64::MAX - 1, u64::MAX];
    prop_oneof![proptest::sample::select(edges.to_vec()), 0..2 * LANE_BYTES, any::<u64>(),]
}

/// Header fields up to the words that change: offset and size.
const FIELDS: [(usize, usize); 14] = [
    (offset_of!(LaneHeader, header_bytes), 4),
    (offset_of!(LaneHeader, total_bytes), 8),
    (offset_of!(LaneHeader, slots_offset), 8),
    (offset_of!(LaneHeader, payload_offset), 8),
    (offset_of!(LaneHeader, payload_stride), 8),
    (offset_of!(LaneHeader, payload_bytes), 8),
    (offset_of!(LaneHeader, lease_ns), 8),
    (offset_of!(LaneHeader, page_bytes), 4),
    (offset_of!(LaneHeader, flags), 4),
    (offset_of!(LaneHeader, slot_count), 4),
    (offset_of!(LaneHeader, history), 4),
    (offset_of!(LaneHeader, claims), 4),
    (offset_of!(LaneHeader, device_buffers), 4),
    (offset_of!(LaneHeader, memory_kind), 1),
];

fn descriptor() -> impl Strategy<Value = FrameDescriptor> {
    let plane = (edgy(), edgy(), any::<i32>());
    (proptest::array::uniform4(plane), any::<u8>(), edgy()).prop_map(|(planes, count, until)| {
        let mut descriptor = FrameDescriptor::new_zeroed();
        descriptor.plane_count = count;
        descriptor.valid_until_ns = until;
        for (plane, (offset, size, buffer)) in descriptor.planes.iter_mut().zip(planes) {
            (plane.offset_bytes, plane.size_bytes, plane.buffer_index) = (offset, size, buffer);
        }
        descriptor
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..Default::default()
    })]

    #[test]
    fn any_header_is_refused_or_harmless(
        changes in prop::collection::vec((0..FIELDS.len(), edgy()), 1..4),
        described in descriptor(),
        sequence in 1u64..1000,
        slot in 0..64usize,
    ) {
        let mut goods = Goods::default();
        for (field, value) in changes {
            let (at, size) = FIELDS[field];
            let bytes = &value.to_ne_bytes()[..size];
            goods.header.as_mut_bytes()[at..at + size].copy_from_slice(bytes);
        }
        let (opened, goods, _line) = attach(goods, Mode::Ordered);
        if let Ok(mut consumer) = opened {
            goods.descriptor(slot, &described);
            goods.publish(sequence, slot);
            let _ = read_all(&mut consumer);
        }
    }
}

#[test]
fn any_token_in_head_and_recent_is_an_error_or_no_frame() {
    for mode in [Mode::Latest, Mode::Ordered, Mode::Lossless] {
        let (mut consumer, goods, _line) = attached(mode);
        goods.publish(1, SLOTS as usize); // the first slot that this lane has not
        let error = refused(consumer.try_next());
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("a slot beyond its 4"), "{error}");
        // The cell was cleared again: the consumer can still read what is right.
        goods.publish(2, 0);
        goods.publish(3, 1);
        let frame = consumer.next(DEADLINE).unwrap().expect("a right frame after a wrong one");
        assert_eq!(frame.sequence(), if mode == Mode::Latest { 3 } else { 2 });
        drop(frame);
        while consumer.try_next().unwrap().is_some() {}
        // A head that goes back is no news.
        for head in [1 << 6, 63, 0] {
            goods.lane.word(offset_of!(LaneHeader, head), head);
            assert!(consumer.next(Duration::from_millis(3)).unwrap().is_none(), "{head:#x}");
        }
        // One that jumps on and promises what its slot does not hold: Latest believes a head that
        // stands still, the others look at the state.
        for head in [9 << 6 | 1, 1 << 62 | 2, u64::MAX] {
            goods.lane.word(offset_of!(LaneHeader, head), head);
            match consumer.next(Duration::from_millis(3)) {
                Ok(Some(frame)) => assert!(mode == Mode::Latest && frame.slot() < 4, "{head:#x}"),
                Ok(None) => assert!(mode != Mode::Latest, "{head:#x}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{error}"),
            }
        }
    }
}

#[test]
fn planes_outside_their_slot_are_refused_one_by_one() {
    let (mut consumer, goods, _line) = attached(Mode::Latest);
    let cases =
        [(0, 4097), (4096, 1), (4097, 0), (u64::MAX, 1), (1, u64::MAX), (u64::MAX, u64::MAX)];
    for (sequence, (offset, size)) in (1..).zip(cases) {
        let mut described = FrameDescriptor::new_zeroed();
        described.plane_count = 255;
        let buffer_index = -1;
        let plane = Plane { offset_bytes: offset, size_bytes: size, buffer_index, ..Plane::ZERO };
        described.planes = [plane; 4];
        described.planes[3] = Plane { offset_bytes: 96, size_bytes: 4000, ..Plane::ZERO };
        goods.descriptor(0, &described);
        goods.publish(sequence, 0);
        let frame = consumer.next(DEADLINE).unwrap().expect("the frame itself is there");
        assert_eq!(frame.plane_count(), 4, "a descriptor has no more, whatever it says");
        for plane in 0..3 {
            let error = refused(frame.plane(plane));
            assert_eq!(error.kind(), ErrorKind::Protocol, "{offset} {size}: {error}");
        }
        assert_eq!(frame.plane(3).unwrap().len(), 4000, "up to the last byte is right");
        assert_eq!(refused(frame.plane(4)).kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn device_planes_without_a_buffer_are_refused() {
    for kind in [MemoryKind::Memfd, MemoryKind::Dmabuf, MemoryKind::HbMem] {
        let mut goods = Goods::default();
        goods.header.memory_kind = kind.number();
        let (opened, goods, _line) = attach(goods, Mode::Latest);
        if kind == MemoryKind::HbMem {
            // Nobody here could open such a buffer.
            assert_eq!(refused(opened).kind(), ErrorKind::Unsupported);
            continue;
        }
        let mut consumer = opened.unwrap();
        for (sequence, index) in (1..).zip([0, 1, -1, i32::MIN, i32::MAX]) {
            let mut described = FrameDescriptor::new_zeroed();
            described.plane_count = 1;
            described.planes[0] = Plane { size_bytes: 8, buffer_index: index, ..Plane::ZERO };
            goods.descriptor(0, &described);
            goods.publish(sequence, 0);
            let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
            assert_eq!(refused(frame.copy_to(0, &mut [0; 8])).kind(), ErrorKind::Protocol);
            assert_eq!(refused(frame.revocable_plane(0)).kind(), ErrorKind::Protocol);
            assert_eq!(refused(frame.plane(0)).kind(), ErrorKind::Unsupported);
        }
    }
}

#[test]
fn scribbling_over_the_whole_lane_crashes_and_hangs_nobody() {
    for mode in [Mode::Latest, Mode::Ordered, Mode::Lossless] {
        let (mut consumer, goods, _line) = attached(mode);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| scribble(&goods, &stop));
            let _stop = StopAtEnd(&stop); // also when an assertion fails
            let end = std::time::Instant::now() + Duration::from_millis(700);
            let mut frames = 0;
            while std::time::Instant::now() < end {
                match consumer.next(Duration::from_millis(2)) {
                    Ok(Some(frame)) => {
                        frames += 1;
                        for plane in 0..frame.plane_count() {
                            let _ = frame.plane(plane).map(|b| std::hint::black_box(b.to_vec()));
                        }
                    }
                    Ok(None) => {}
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Protocol, "{error}"),
                }
            }
            println!("{mode:?}: {frames} frames of nonsense");
        });
    }
}

/// Ends the scribbling, or a failed assertion would wait for it for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Random bytes everywhere, and now and then a frame so that there is something to read.
fn scribble(goods: &Goods, stop: &AtomicBool) {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let mut next = || random.next_u64();
    let words = Goods::slot(SLOTS as usize) as u64 / 8;
    while !stop.load(Relaxed) {
        for _ in 0..50 {
            let at = (next() % words) as usize * 8;
            // `closed` would end the reading.
            if at != offset_of!(LaneHeader, closed) / 8 * 8 {
                goods.lane.word(at, next());
            }
        }
        let slot = (next() % 8) as usize;
        let mut described = FrameDescriptor::new_zeroed();
        described.plane_count = next() as u8;
        described.planes[0].size_bytes = next() % 8192;
        goods.descriptor(slot, &described);
        goods.lane.word(offset_of!(Slot, state) + Goods::slot(slot), next());
        goods.publish(next() % 1_000_000 + 1, slot);
    }
}
