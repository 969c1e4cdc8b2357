//! A producer's parsers, and what it does with a page that a consumer may fill with anything.

use super::bell::Bell;
use super::create::state;
use super::facts::{Device, Facts};
use super::frames;
use super::handshake::read_hello;
use super::member::Member;
use super::options::{Access, Trust};
use super::state::{Busy, State};
use crate::layout::{
    ConsumerPage, FrameDescriptor, LaneFlag, LaneHeader, LaneKind, MemoryKind, Mode, Plane,
};
use crate::mem::map::Mapping;
use crate::mem::memfd;
use crate::mem::view::{LaneView, PageView, SLOTS_BYTES};
use crate::ring::words::PageWords;
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::FromBytes;

/// The name that a Hello has to ask for.
pub(crate) const LANE: &str = "fuzz";
const LEASES: [usize; 2] = [3, 1];
const CLAIMS: u32 = 2;
const HISTORY: u32 = 1;
const BUFFER_BYTES: u64 = 4096;

fn facts(memory_kind: MemoryKind, devices: Vec<Device>) -> Facts {
    let lease_budget = LEASES.iter().sum::<usize>() as u32;
    Facts {
        name: LANE.into(),
        lane_kind: LaneKind::Frame,
        epoch: 1,
        memory_kind,
        slot_count: lease_budget + CLAIMS + 1 + HISTORY,
        history: HISTORY,
        claims: CLAIMS,
        lease_budget,
        lease_ns: 0,
        flags: LaneFlag::LOSSLESS,
        total_bytes: 0,
        payload_offset: 0,
        payload_stride: 0,
        payload_bytes: 0,
        page_bytes: 4096,
        created_ns: 0,
        uid: 0,
        access: Access::Owner,
        trust: Trust::SameUser,
        devices,
    }
}

fn memory(bytes: usize) -> OwnedFd {
    let fd = memfd::create("fuzz", bytes as u64, false).expect("a memfd");
    memfd::reserve(&fd, bytes as u64, "fuzz").expect("a little memory");
    fd
}

/// What a producer makes of a consumer's first packet; whether it was a Hello.
pub(crate) fn hello(packet: &[u8]) -> bool {
    thread_local!(static FACTS: Facts = facts(MemoryKind::Inline, Vec::new()));
    FACTS.with(|facts| match read_hello(facts, packet) {
        Ok((hello, mode)) if frames::refuse_hello(facts, &hello, mode).is_ok() => {
            assert!((1..=63).contains(&hello.leases));
            true
        }
        _ => false,
    })
}

/// What a producer makes of a source's descriptor; whether it would publish it.
pub(crate) fn external(descriptor: &FrameDescriptor) -> bool {
    thread_local!(static FACTS: Facts = {
        let device = |_| {
            let (fd, kind) = (memory(BUFFER_BYTES as usize), MemoryKind::Memfd);
            Device { fd, kind, bytes: BUFFER_BYTES, writable: false }
        };
        facts(MemoryKind::Memfd, (0..3).map(device).collect())
    });
    let inside = |plane: &Plane| {
        let end = plane.offset_bytes.checked_add(plane.size_bytes);
        (0..3).contains(&plane.buffer_index) && end.is_some_and(|end| end <= BUFFER_BYTES)
    };
    let passed = FACTS.with(|facts| facts.check_external(descriptor)).is_ok();
    let planes = descriptor.planes.get(..descriptor.plane_count.into());
    let right = planes.is_some_and(|planes| !planes.is_empty() && planes.iter().all(inside));
    assert_eq!(passed, right, "every plane is in a buffer that is there");
    passed
}

/// A lane and its consumers' pages, made once a thread.
struct Stage {
    lane: LaneView,
    state: State,
    facts: Facts,
    /// The consumers' own mappings.
    pages: Vec<PageView>,
}

impl Stage {
    fn new() -> Self {
        let slots = size_of::<LaneHeader>().next_multiple_of(64);
        let bytes = slots + SLOTS_BYTES;
        let map = Mapping::writable(memory(bytes), bytes as u64).expect("a mapping");
        let lane = LaneView::new(map, slots as u64).expect("room for the slots");
        let facts = facts(MemoryKind::Inline, Vec::new());
        let mut stage = Stage { lane, state: state(&facts), facts, pages: Vec::new() };
        let modes = [Mode::Latest, Mode::Lossless];
        for (index, (leases, mode)) in LEASES.into_iter().zip(modes).enumerate() {
            let fd = memory(size_of::<ConsumerPage>());
            let view = |map: crate::error::Result<Mapping>| {
                PageView::new(map.expect("a mapping")).expect("a page")
            };
            let bytes = size_of::<ConsumerPage>() as u64;
            stage.pages.push(view(Mapping::writable(&fd, bytes)));
            stage.state.members.push(Member {
                id: index as u32,
                pid: 0,
                uid: 0,
                leases,
                mode,
                page: view(Mapping::read_only(&fd, bytes)),
                bell: Arc::new(Bell::shared().expect("an eventfd")),
                attached_ns: 0,
                revoked: 0,
                answered: 0,
                cursor: 1,
                key_answered: 0,
            });
        }
        stage
    }

    /// A fresh lane; the pages stay as they are.
    fn restart(&mut self) {
        let members = std::mem::take(&mut self.state.members);
        self.state = state(&self.facts);
        self.state.members = members;
        self.state.members.cheats.clear();
        for member in self.state.members.iter_mut() {
            (member.cursor, member.answered) = (1, 0);
        }
    }

    fn fill(&self, index: usize, image: &ConsumerPage) {
        let page = &self.pages[index];
        for (cell, value) in image.cells.iter().enumerate() {
            page.cell(cell).store(value.load(Relaxed), Relaxed);
        }
        page.cursor().store(image.cursor.load(Relaxed), Relaxed);
        page.waiting().store(image.waiting.load(Relaxed), Relaxed);
        page.arm_ticket().store(image.arm_ticket.load(Relaxed), Relaxed);
    }

    /// Claims, and publishes what is claimed.
    fn step(&mut self, claimed: &mut Vec<usize>, code: u8) {
        if code & 1 == 0 {
            match self.state.claim(&self.lane, &self.facts) {
                Ok(slot) => claimed.push(slot),
                Err(busy) => {
                    assert!(matches!(busy, Busy::Claims | Busy::Lossless), "a slot is free")
                }
            }
        } else if !claimed.is_empty() {
            let slot = claimed.remove(0);
            if code & 2 == 0 {
                self.state.ring.publish(&self.lane, &[slot]);
            } else {
                self.state.ring.abandon(slot);
            }
            self.state.claims_out -= 1;
        }
        let pinned = self.state.pinned();
        let held = self.state.ring.ready() | self.state.ring.retired();
        assert_eq!(pinned & !held, 0, "only what is published is held");
        assert!(pinned.count_ones() as usize <= LEASES.iter().sum(), "no more than was granted");
        let asked = self.state.somebody_waits();
        let ringing = self.state.members.ringing();
        let bells = ringing.sleepers.len() + ringing.pollers.len();
        assert_eq!(asked, ringing.shared_sleepers || bells > 0);
        assert!(bells <= LEASES.len(), "one bell a consumer");
        assert!(self.state.members.ringing().pollers.is_empty(), "a ticket is answered once");
    }
}

/// A producer goes through its steps while consumers put images of pages, honest or not, in the
/// place of theirs. `data`: an image, then so many steps, and so on.
pub(crate) fn page(data: &[u8]) {
    thread_local!(static STAGE: std::cell::RefCell<Stage> = Stage::new().into());
    STAGE.with_borrow_mut(|stage| {
        stage.restart();
        let (mut claimed, mut rest, mut turn) = (Vec::new(), data, 0);
        while let Ok((image, more)) = ConsumerPage::read_from_prefix(rest) {
            stage.fill(turn % LEASES.len(), &image);
            let (steps, more) = more.split_at(more.len().min(16));
            steps.iter().for_each(|&code| stage.step(&mut claimed, code));
            (rest, turn) = (more, turn + 1);
        }
        assert!(stage.state.members.cheats.len() <= 1, "one lossless consumer lies at most once");
        let _ = (stage.state.holders(), stage.state.laggards());
    });
}
