//! The ring under every interleaving and every stale read that loom knows.
//!
//! The code under test is the ring itself; only the words are loom's. A frame's bytes are a
//! [`Cell`] whose accesses loom checks: two that nothing orders are a failure, whatever they read.
//! Device memory, which a reader may look at while it changes, is an atomic word.
//!
//! Loom is no proof: it runs each thread's instructions in order (a store is never delayed past a
//! later one of the same thread, only seen late by others), keeps seven values a word, and a
//! preemption bound leaves schedules out. So each model is kept honest by mutation: with
//! `FRAMELANE_WEAKEN=<side>` one side of one edge is switched off, and some model must fail.

mod device;
mod joining;
mod lease;
mod lossless;
mod ordered;
mod releases;
mod sleep;
mod stream;
mod switch;

use super::consumer::{self, Proof};
use super::edge::SIDES;
use super::producer::Ring;
use super::token::{sequence_of, slot_of};
use super::words::{AtomicU32, AtomicU64, FrameWords, LaneWords, PageWords};
use loom::cell::Cell;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Lane memory with as many slots as a model needs.
struct Lane {
    head: AtomicU64,
    wake: AtomicU32,
    closed: AtomicU32,
    release_wanted: AtomicU32,
    recent: Vec<AtomicU64>,
    states: Vec<AtomicU64>,
    /// The bytes of each slot's frame: its sequence.
    bytes: Vec<Cell<u64>>,
}

/// Sequences a model may use.
const RECENT: usize = 8;

impl Lane {
    fn new(slots: usize) -> Self {
        Lane {
            head: AtomicU64::new(0),
            wake: AtomicU32::new(0),
            closed: AtomicU32::new(0),
            release_wanted: AtomicU32::new(0),
            recent: (0..RECENT).map(|_| AtomicU64::new(0)).collect(),
            states: (0..slots).map(|_| AtomicU64::new(0)).collect(),
            bytes: (0..slots).map(|_| Cell::new(0)).collect(),
        }
    }
}

impl LaneWords for Lane {
    fn head(&self) -> &AtomicU64 {
        &self.head
    }
    fn wake(&self) -> &AtomicU32 {
        &self.wake
    }
    fn closed(&self) -> &AtomicU32 {
        &self.closed
    }
    fn release_wanted(&self) -> &AtomicU32 {
        &self.release_wanted
    }
}

impl FrameWords for Lane {
    fn recent(&self, index: usize) -> &AtomicU64 {
        &self.recent[index]
    }
    fn state(&self, slot: usize) -> &AtomicU64 {
        &self.states[slot]
    }
}

/// One consumer's page.
struct Page {
    cells: Vec<AtomicU64>,
    cursor: AtomicU64,
    waiting: AtomicU32,
    arm_ticket: AtomicU32,
    key_frame_requests: AtomicU32,
}

impl Page {
    fn new(leases: usize) -> Self {
        Page {
            cells: (0..leases).map(|_| AtomicU64::new(0)).collect(),
            cursor: AtomicU64::new(1),
            waiting: AtomicU32::new(0),
            arm_ticket: AtomicU32::new(0),
            key_frame_requests: AtomicU32::new(0),
        }
    }
}

impl PageWords for Page {
    fn cell(&self, index: usize) -> &AtomicU64 {
        &self.cells[index]
    }
    fn cursor(&self) -> &AtomicU64 {
        &self.cursor
    }
    fn waiting(&self) -> &AtomicU32 {
        &self.waiting
    }
    fn arm_ticket(&self) -> &AtomicU32 {
        &self.arm_ticket
    }
    fn key_frame_requests(&self) -> &AtomicU32 {
        &self.key_frame_requests
    }
}

/// What producer and consumers share.
struct Shared {
    lane: Lane,
    pages: Vec<Page>,
}

/// A lane whose pages have these numbers of leases, and its producer.
fn stage(leases: &[usize], history: u64) -> (Producer, Arc<Shared>) {
    let slots = leases.iter().sum::<usize>() + 1 + 1 + history as usize;
    let pages = leases.iter().map(|&leases| Page::new(leases)).collect();
    let shared = Arc::new(Shared { lane: Lane::new(slots), pages });
    (Producer { ring: Ring::new(slots, history), shared: shared.clone() }, shared)
}

struct Producer {
    ring: Ring,
    shared: Arc<Shared>,
}

impl Producer {
    fn pinned(&self) -> u64 {
        let pages = self.shared.pages.iter();
        pages.fold(0, |all, page| all | self.ring.pinned_by(page, page.cells.len()))
    }

    /// Claims a slot, which the slot sum promises to be there.
    fn claim(&mut self) -> usize {
        let pinned = self.pinned();
        self.ring.claim(&self.shared.lane, pinned).expect("the slot sum holds: a slot is free")
    }

    fn newest_token(&self) -> u64 {
        consumer::head(&self.shared.lane)
    }

    /// Claims, fills and publishes one frame.
    fn publish(&mut self) -> u64 {
        let slot = self.claim();
        self.shared.lane.bytes[slot].set(self.ring.upcoming(0));
        self.ring.publish(&self.shared.lane, &[slot])
    }
}

/// A consumer with its page.
struct Consumer {
    shared: Arc<Shared>,
    page: usize,
}

impl Consumer {
    fn new(shared: &Arc<Shared>, page: usize) -> Self {
        Consumer { shared: shared.clone(), page }
    }

    fn page(&self) -> &Page {
        &self.shared.pages[self.page]
    }

    fn newest(&self, cell: usize, after: u64, proof: Proof) -> Option<u64> {
        consumer::borrow_newest(&self.shared.lane, self.page(), cell, after, proof)
    }

    /// Reads a leased frame: all of its bytes are there, and they are its own.
    fn read(&self, token: u64) {
        let bytes = self.shared.lane.bytes[slot_of(token)].get();
        assert_eq!(bytes, sequence_of(token), "another frame's bytes");
    }

    fn release(&self, cell: usize) {
        consumer::clear(self.page(), cell);
    }
}

thread_local! {
    /// All threads of an execution run on one thread of the system.
    static FENCES: RefCell<Option<Arc<AtomicU64>>> = const { RefCell::new(None) };
}

/// A fence of the ring. Loom switches threads before an access to a word, never before a fence;
/// so each full fence comes with an access to a word that all of them share, and loom tries every
/// order of fences among each other and with the accesses before them.
pub(super) fn fence(ordering: Ordering) {
    if ordering == Ordering::SeqCst {
        let fences = FENCES.with_borrow(Clone::clone).expect("set by explore");
        fences.fetch_add(1, Ordering::Relaxed);
    }
    loom::sync::atomic::fence(ordering);
}

/// Runs every interleaving of a model, or those with so many preemptions; LOOM_MAX_PREEMPTIONS
/// in the environment goes before.
fn explore(preemptions: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(preemptions);
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        FENCES.set(Some(Arc::new(AtomicU64::new(0))));
        model();
    });
    println!("{} executions", count.load(Ordering::Relaxed));
}

/// For the mutation run, which weakens one side after the other.
#[test]
fn list_edges() {
    let names: std::collections::BTreeSet<_> = SIDES.iter().collect();
    for name in &names {
        println!("edge: {name}");
    }
    assert!(names.len() > 1);
}
