//! Making lane memory.

use super::base::Base;
use super::external::Returns;
use super::facts::{Facts, verify_devices};
use super::lane::Lane;
use super::options::{HugePages, ProducerOptions, Trust};
use super::state::State;
use crate::clock::realtime_ns;
use crate::error::{Error, Result};
use crate::layout::layout::{LANE_MAGIC, VERSION};
use crate::layout::limit::CONSUMERS;
use crate::layout::{
    ErrorKind, FrameDescriptor, LAYOUT_HASH, LaneFlag, LaneHeader, LaneKind, MemoryKind,
};
use crate::mem::map::Mapping;
use crate::mem::memfd::HUGE_PAGE_BYTES;
use crate::mem::view::{LaneView, SLOTS_BYTES, write_struct};
use crate::mem::{budget, memfd};
use crate::ring::producer::Ring;
use crate::{random, wire};
use rustix::fd::OwnedFd;
use std::sync::Mutex;
use std::thread::JoinHandle;
use zerocopy::FromZeros;

/// Offsets and sizes of lane memory.
struct Geometry {
    page: u64,
    payload_offset: u64,
    payload_stride: u64,
    total: u64,
}

impl Geometry {
    fn new(slots: u32, payload: u64, page: u64) -> Result<Self> {
        let too_large = || {
            let text = format!("{slots} slots of {payload} bytes exceed the address space");
            Error::new(ErrorKind::TooLarge, text)
        };
        let head = (size_of::<LaneHeader>() + SLOTS_BYTES) as u64;
        let payload_offset = head.next_multiple_of(page);
        let payload_stride = payload.checked_next_multiple_of(page).ok_or_else(too_large)?;
        let total = payload_stride
            .checked_mul(slots.into())
            .and_then(|bytes| bytes.checked_add(payload_offset))
            .filter(|&bytes| bytes <= isize::MAX as u64)
            .ok_or_else(too_large)?;
        Ok(Geometry { page, payload_offset, payload_stride, total })
    }
}

/// Makes the memory of a lane and everything around it but its name and service thread.
pub(crate) fn create(
    name: &str,
    mut options: ProducerOptions,
) -> Result<(Lane, Option<JoinHandle<()>>)> {
    options.validate()?;
    refuse_few_descriptors(options.lease_budget, options.device_buffers.len())?;
    let slots = options.slot_count()?;
    let payload = options.payload()?;
    let (geometry, huge) = geometry(&options, slots, payload)?;
    let Memory { fd, map, locked } =
        memory(name, geometry.total, huge, options.numa_node, options.lock_memory)?;
    let devices = verify_devices(std::mem::take(&mut options.device_buffers))?;
    let facts = Facts {
        name: name.to_owned(),
        lane_kind: LaneKind::Frame,
        epoch: random::nonzero_u64(),
        memory_kind: options.memory,
        slot_count: slots,
        history: options.history,
        claims: options.claims,
        lease_budget: options.lease_budget,
        lease_ns: u64::try_from(options.lease.as_nanos()).unwrap_or(u64::MAX),
        flags: flags(&options, huge, locked),
        total_bytes: geometry.total,
        payload_offset: geometry.payload_offset,
        payload_stride: geometry.payload_stride,
        payload_bytes: payload,
        page_bytes: geometry.page as u32,
        created_ns: realtime_ns(),
        uid: rustix::process::geteuid().as_raw(),
        access: options.access,
        trust: options.trust,
        devices,
    };
    write_struct(&map, header(&facts));
    // From here on no new mapping can write, ours excepted.
    memfd::seal_read_only(&fd)?;
    let view = LaneView::new(map, size_of::<LaneHeader>() as u64)?;
    let (returns, return_thread) = Returns::new(options.reclaim, name)?;
    let lane = Lane {
        template: template(&options),
        state: Mutex::new(state(&facts)),
        base: Base::new(facts, fd)?,
        view,
        returns,
        claims_left: Default::default(),
    };
    Ok((lane, return_thread))
}

/// Lane memory while it is made.
pub(crate) struct Memory {
    pub(crate) fd: OwnedFd,
    pub(crate) map: Mapping,
    pub(crate) locked: bool,
}

/// Memory for a lane, all of it there, not sealed yet.
pub(crate) fn memory(
    name: &str,
    bytes: u64,
    huge: bool,
    numa_node: Option<u32>,
    lock: bool,
) -> Result<Memory> {
    let fd = memfd::create(&format!("framelane:{name}"), bytes, huge)?;
    let map = Mapping::writable(&fd, bytes)?;
    if let Some(node) = numa_node {
        map.bind_to_node(node)?;
    }
    memfd::reserve(&fd, bytes, name)?;
    map.populate()?;
    let map = map.keep_from_children()?;
    let locked = lock && lock_if_allowed(&map);
    Ok(Memory { fd, map, locked })
}

pub(super) fn state(facts: &Facts) -> State {
    let external = facts.memory_kind != MemoryKind::Inline;
    State {
        ring: Ring::new(facts.slot_count as usize, facts.history.into()),
        members: Default::default(),
        held: (0..if external { facts.slot_count } else { 0 }).map(|_| None).collect(),
        counts: Default::default(),
        claims_out: 0,
        claims_made: 0,
        claimants: 0,
        service_idle: true,
        closed: false,
    }
}

/// Chooses the page size, and compares what is needed with what there is.
fn geometry(options: &ProducerOptions, slots: u32, payload: u64) -> Result<(Geometry, bool)> {
    let page = rustix::param::page_size() as u64;
    if options.huge_pages != HugePages::Off {
        let huge = Geometry::new(slots, payload, HUGE_PAGE_BYTES)?;
        let total = huge.total.next_multiple_of(HUGE_PAGE_BYTES);
        let free = budget::free_huge_bytes();
        if total <= free {
            return Ok((Geometry { total, ..huge }, true));
        }
        if options.huge_pages == HugePages::Require {
            let text = format!(
                "the lane needs {total} bytes in huge pages, {free} are free (vm.nr_hugepages)"
            );
            return Err(Error::new(ErrorKind::OutOfMemory, text));
        }
        tracing::info!(needed = total, free, "too few huge pages, using ordinary ones");
    }
    let geometry = Geometry::new(slots, payload, page)?;
    budget::check(geometry.total)?;
    Ok((geometry, false))
}

/// A consumer costs a socket, a pidfd, an eventfd and, while it attaches, two memfds.
pub(crate) fn refuse_few_descriptors(consumers: u32, device_buffers: usize) -> Result<()> {
    let consumers = u64::from(consumers).min(CONSUMERS);
    let needed = 16 + 3 * consumers + 2 + device_buffers as u64;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    match limit {
        Some(limit) if limit < needed => {
            let text = format!(
                "{consumers} consumers and {device_buffers} device buffers need {needed} file \
                 descriptors, the limit of this process is {limit} (ulimit -n)"
            );
            Err(Error::new(ErrorKind::TooMany, text))
        }
        _ => Ok(()),
    }
}

fn lock_if_allowed(map: &Mapping) -> bool {
    match map.lock() {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(%error, "lane memory stays unlocked");
            false
        }
    }
}

fn flags(options: &ProducerOptions, huge: bool, locked: bool) -> u32 {
    let device = options.memory != MemoryKind::Inline;
    [
        (device || options.lossless, LaneFlag::BELL_ON_RELEASE),
        (options.lossless, LaneFlag::LOSSLESS),
        (options.trust == Trust::TrustedOnly, LaneFlag::TRUSTED_ONLY),
        (options.trust == Trust::Untrusted, LaneFlag::UNTRUSTED),
        (huge, LaneFlag::HUGE_PAGES),
        (locked, LaneFlag::LOCKED),
        (options.numa_node.is_some(), LaneFlag::NUMA_BOUND),
    ]
    .into_iter()
    .filter_map(|(set, bit)| set.then_some(bit))
    .sum()
}

fn template(options: &ProducerOptions) -> FrameDescriptor {
    let mut template = FrameDescriptor::new_zeroed();
    template.brightness_avg = -1.0;
    template.capture_clock = crate::layout::ClockId::Monotonic.number();
    template.color_matrix = crate::layout::ColorMatrix::Unspecified.number();
    template.color_transfer = crate::layout::ColorTransfer::Unspecified.number();
    if let Some(layout) = &options.layout {
        layout.apply(&mut template);
    }
    template
}

pub(crate) fn header(facts: &Facts) -> LaneHeader {
    let mut header = LaneHeader::new_zeroed();
    header.magic = LANE_MAGIC;
    header.layout_hash = LAYOUT_HASH;
    header.layout_version = VERSION as u32;
    header.header_bytes = size_of::<LaneHeader>() as u32;
    header.epoch = facts.epoch;
    header.total_bytes = facts.total_bytes;
    if facts.lane_kind == LaneKind::Frame {
        header.slots_offset = size_of::<LaneHeader>() as u64;
    }
    header.payload_offset = facts.payload_offset;
    header.payload_stride = facts.payload_stride;
    header.payload_bytes = facts.payload_bytes;
    header.lease_ns = facts.lease_ns;
    header.created_ns = facts.created_ns;
    header.page_bytes = facts.page_bytes;
    header.flags = facts.flags;
    header.slot_count = facts.slot_count;
    header.history = facts.history;
    header.claims = facts.claims;
    header.lease_budget = facts.lease_budget;
    header.producer_pid = std::process::id();
    header.producer_uid = facts.uid;
    header.device_buffers = facts.devices.len() as u32;
    header.lane_kind = facts.lane_kind.number();
    header.memory_kind = facts.memory_kind.number();
    wire::message::put_text(&mut header.name, &facts.name);
    header
}
