//! Producer and consumers as threads over one mapping.
//!
//! This is what ThreadSanitizer can judge: it knows the threads of one process only, and two
//! mappings of the same memory are different memory to it. Here both sides share one view, and the
//! bytes of inline frames are written and read through plain slices, so it reports a race when
//! `HEAD` or `REUSE` is weakened (tried). It knows no fences and keeps the history of an atomic
//! across relaxed stores, so `LEASE`, `OVERWRITE`, `REVOKE` and `MOVE` are for the loom models; no
//! plain access depends on a fence alone, so it reports nothing that is not there either.

use crate::layout::{ConsumerPage, FrameDescriptor, LaneHeader, Mode};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::view::{Claim, LaneView, Lease, PageView, SLOTS_BYTES};
use crate::ring::consumer::{self, Proof};
use crate::ring::producer::{self, Ring};
use crate::ring::token::{sequence_of, slot_of};
use crate::ring::words::{LaneWords, PageWords};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::time::{Duration, Instant};
use zerocopy::FromZeros;

const FRAMES: u64 = 20_000;
const DEADLINE: Duration = Duration::from_secs(120);
const LEASES: usize = 2;
const PAYLOAD_BYTES: usize = 256;
/// Where slots and payloads begin.
const SLOTS: usize = size_of::<LaneHeader>().next_multiple_of(64);
const PAYLOADS: usize = SLOTS + SLOTS_BYTES;

/// Lane memory and the pages of its readers, each mapped once for everybody.
struct Shared {
    lane: LaneView,
    readers: Vec<(Mode, PageView)>,
    history: u64,
    started: Instant,
}

fn mapping(bytes: usize) -> Mapping {
    let fd = memfd::create("stress", bytes as u64, false).unwrap();
    memfd::reserve(&fd, bytes as u64, "stress").unwrap();
    Mapping::writable(&fd, bytes as u64).unwrap()
}

impl Shared {
    fn new(modes: &[Mode], history: u64) -> Arc<Self> {
        let lane = LaneView::new(mapping(PAYLOADS + 64 * PAYLOAD_BYTES), SLOTS as u64).unwrap();
        let page = |&mode: &Mode| {
            let page = PageView::new(mapping(size_of::<ConsumerPage>())).unwrap();
            page.cursor().store(1, Relaxed);
            (mode, page)
        };
        let readers = modes.iter().map(page).collect();
        Arc::new(Shared { lane, readers, history, started: Instant::now() })
    }

    fn ring(&self) -> Ring {
        Ring::new(self.readers.len() * LEASES + 1 + 1 + self.history as usize, self.history)
    }

    fn pinned(&self, ring: &Ring) -> u64 {
        self.readers.iter().fold(0, |all, (_, page)| all | ring.pinned_by(page, LEASES))
    }

    fn pause(&self) {
        assert!(self.started.elapsed() < DEADLINE, "not within {DEADLINE:?}");
        std::thread::yield_now();
    }
}

fn payload(slot: usize) -> Range<usize> {
    let start = PAYLOADS + slot * PAYLOAD_BYTES;
    start..start + PAYLOAD_BYTES
}

fn word(sequence: u64, index: u64) -> u64 {
    (sequence << 8 | index).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Ends the lane, also when its producer fails.
struct Closing<'a>(&'a LaneView);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        producer::close(self.0);
    }
}

/// Publishes until everything is out, then ends the lane.
fn produce(shared: &Shared) {
    let _end = Closing(&shared.lane);
    let mut ring = shared.ring();
    let lossless = || shared.readers.iter().filter(|(mode, _)| *mode == Mode::Lossless);
    while ring.newest() < FRAMES {
        if !lossless().all(|(_, page)| ring.has_passed(producer::cursor(page), 0)) {
            shared.pause();
            continue;
        }
        let pinned = shared.pinned(&ring);
        let slot = ring.claim(&shared.lane, pinned).expect("the slot sum holds");
        let sequence = ring.upcoming(0);
        let mut claim = Claim { slot };
        let (descriptor, bytes) = shared.lane.claimed_parts(&mut claim, payload(slot));
        descriptor.sequence = sequence;
        for (index, bytes) in (0..).zip(bytes.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&word(sequence, index).to_ne_bytes());
        }
        ring.publish(&shared.lane, &[slot]);
    }
}

/// Reads a leased frame with plain loads.
fn verify(lane: &LaneView, token: u64) {
    let sequence = sequence_of(token);
    assert_eq!(lane.load_descriptor(slot_of(token)).sequence, sequence);
    for (index, bytes) in
        (0..).zip(lane.leased_bytes(&Lease { token }, payload(slot_of(token))).chunks(8))
    {
        let found = u64::from_ne_bytes(bytes.try_into().unwrap());
        assert_eq!(found, word(sequence, index), "frame {sequence} is torn");
    }
    assert!(consumer::check(lane, token), "an inline frame is never taken away");
}

/// Reads until the end of the lane, always holding on to the frame before. Frames read.
fn consume(shared: &Shared, reader: usize) -> u64 {
    let (lane, (mode, page)) = (&shared.lane, &shared.readers[reader]);
    let (mut held, mut last, mut read) = ([None; LEASES], 0, 0);
    loop {
        let over = lane.closed().load(SeqCst) != 0;
        let cell = read as usize % LEASES;
        if let Some(token) = held[cell].take() {
            verify(lane, token);
            consumer::clear(page, cell);
        }
        let token = match mode {
            Mode::Latest => consumer::borrow_newest(lane, page, cell, last, Proof::HeadOrState),
            _ => consumer::borrow_from(lane, page, cell, last + 1, shared.history),
        };
        let Some(token) = token else {
            if over {
                break;
            }
            shared.pause();
            continue;
        };
        assert!(sequence_of(token) > last, "{} after {last}", sequence_of(token));
        if *mode == Mode::Lossless {
            assert_eq!(sequence_of(token), last + 1, "a frame is lost");
            consumer::advance(page, last + 1);
        }
        verify(lane, token);
        (held[cell], last, read) = (Some(token), sequence_of(token), read + 1);
    }
    held.into_iter().flatten().for_each(|token| verify(lane, token));
    assert_eq!(last, FRAMES, "the last frame reaches everybody");
    read
}

fn run(modes: &[Mode], history: u64) {
    let shared = Shared::new(modes, history);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..modes.len())
            .map(|reader| {
                scope.spawn({
                    let shared = &shared;
                    move || consume(shared, reader)
                })
            })
            .collect();
        produce(&shared);
        for (mode, reader) in modes.iter().zip(readers) {
            let read = reader.join().expect("a reader without a failure");
            assert!(read > 0 && (*mode != Mode::Lossless || read == FRAMES), "{mode:?}: {read}");
        }
    });
}

#[test]
fn inline_frames_are_whole_in_every_mode() {
    run(&[Mode::Latest, Mode::Latest, Mode::Ordered], 1);
}

#[test]
fn lossless_readers_get_everything() {
    run(&[Mode::Lossless, Mode::Latest, Mode::Lossless], 0);
}

/// Copies what is newest again and again while it holds it.
fn copy(shared: &Shared, reader: usize, copied: &AtomicU64) {
    let (lane, page) = (&shared.lane, &shared.readers[reader].1);
    let mut last = 0;
    while lane.closed().load(SeqCst) == 0 {
        let Some(token) = consumer::borrow_newest(lane, page, 0, last, Proof::State) else {
            shared.pause();
            continue;
        };
        last = sequence_of(token);
        for _ in 0..100 {
            let copy = lane.load_descriptor(slot_of(token));
            if !consumer::check(lane, token) {
                break;
            }
            assert_eq!([copy.sequence, copy.capture_id, copy.publish_ns], [last; 3]);
            copied.fetch_add(1, Relaxed);
        }
        consumer::clear(page, 0);
    }
}

/// Frames are revoked under their readers, and words of the next frame come into their place. What
/// a reader copied counts if check() says so, and is then its frame's.
#[test]
fn a_copy_that_counts_is_of_one_frame() {
    let shared = Shared::new(&[Mode::Latest, Mode::Latest], 0);
    let (copied, mut revoked) = (AtomicU64::new(0), 0);
    std::thread::scope(|scope| {
        for reader in 0..2 {
            let (shared, copied) = (&shared, &copied);
            scope.spawn(move || copy(shared, reader, copied));
        }
        let _end = Closing(&shared.lane);
        let mut ring = shared.ring();
        while revoked < FRAMES / 200 || copied.load(Relaxed) < FRAMES {
            let pinned = shared.pinned(&ring);
            let slot = ring.claim(&shared.lane, pinned).expect("the slot sum holds");
            let mut descriptor = FrameDescriptor::new_zeroed();
            let sequence = ring.upcoming(0);
            (descriptor.sequence, descriptor.capture_id) = (sequence, sequence);
            descriptor.publish_ns = sequence;
            shared.lane.store_descriptor(&mut Claim { slot }, &descriptor);
            ring.publish(&shared.lane, &[slot]);
            for slot in (0..64).filter(|slot| pinned & 1 << slot != 0) {
                ring.revoke(&shared.lane, slot);
                revoked += 1;
            }
            if sequence % 16 == 0 {
                shared.pause();
            }
        }
    });
}
