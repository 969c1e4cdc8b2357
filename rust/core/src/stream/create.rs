//! Making the memory of a stream lane.

use super::lane::{State, StreamLane};
use super::options::StreamWriterOptions;
use crate::clock::realtime_ns;
use crate::error::Result;
use crate::layout::limit::CONSUMERS;
use crate::layout::stream_limit::CONFIGS;
use crate::layout::{
    LaneFlag, LaneHeader, LaneKind, MemoryKind, RecordInfo, StreamConfig, StreamHeader,
};
use crate::mem::stream::{Parts, STREAM_HEADER, StreamView};
use crate::mem::view::{write_struct, write_struct_at};
use crate::mem::{budget, memfd};
use crate::producer::Trust;
use crate::producer::base::Base;
use crate::producer::create::{self, Memory};
use crate::producer::facts::Facts;
use crate::random;
use crate::ring::stream::writer::Ring;
use crate::ring::stream::{ALIGN, Shape};
use std::sync::Mutex;
use zerocopy::FromZeros;

struct Geometry {
    parts: Parts,
    shape: Shape,
    page: u64,
    total: u64,
}

impl Geometry {
    /// Of options that were validated, so that no sum overflows.
    fn new(options: &StreamWriterOptions) -> Self {
        let page = rustix::param::page_size() as u64;
        let data_bytes = options.data_bytes.next_multiple_of(page);
        let index_capacity = u64::from(options.index_capacity).next_power_of_two();
        let record_limit = (data_bytes / 2).min(u64::from(u32::MAX) & !(ALIGN - 1));
        let shape = Shape { data_bytes, record_limit, index_capacity, configs: CONFIGS };
        let index = (size_of::<LaneHeader>() + size_of::<StreamHeader>()) as u64;
        let configs = index + index_capacity * size_of::<RecordInfo>() as u64;
        let head = configs + CONFIGS * size_of::<StreamConfig>() as u64;
        let data = head.next_multiple_of(page);
        Geometry { parts: Parts { index, configs, data }, shape, page, total: data + data_bytes }
    }

    fn header(&self) -> StreamHeader {
        let mut header = StreamHeader::new_zeroed();
        header.index_offset = self.parts.index;
        header.configs_offset = self.parts.configs;
        header.data_offset = self.parts.data;
        header.data_bytes = self.shape.data_bytes;
        header.record_limit_bytes = self.shape.record_limit;
        header.index_capacity = self.shape.index_capacity as u32;
        header.config_capacity = self.shape.configs as u32;
        header
    }
}

/// Makes the memory of a lane and everything around it but its name and service thread.
pub(super) fn create(name: &str, options: &StreamWriterOptions) -> Result<StreamLane> {
    options.validate()?;
    create::refuse_few_descriptors(CONSUMERS as u32, 0)?;
    let geometry = Geometry::new(options);
    budget::check(geometry.total)?;
    let Memory { fd, map, locked } =
        create::memory(name, geometry.total, false, options.numa_node, options.lock_memory)?;
    let facts = facts(name, options, &geometry, locked);
    write_struct_at(&map, STREAM_HEADER, geometry.header());
    write_struct(&map, create::header(&facts));
    // From here on no new mapping can write, ours excepted.
    memfd::seal_read_only(&fd)?;
    let view = StreamView::new(map, geometry.parts, geometry.shape)?;
    let mut config = options.config;
    config.settle();
    let ring = Ring::new(geometry.shape, &view, config);
    let interval = u64::try_from(options.key_request_interval.as_nanos()).unwrap_or(u64::MAX);
    Ok(StreamLane {
        state: Mutex::new(State::new(ring, config, interval)),
        base: Base::new(facts, fd)?,
        view,
    })
}

fn facts(name: &str, options: &StreamWriterOptions, geometry: &Geometry, locked: bool) -> Facts {
    let flags = [
        (options.lossless, LaneFlag::BELL_ON_RELEASE | LaneFlag::LOSSLESS),
        (options.trust == Trust::TrustedOnly, LaneFlag::TRUSTED_ONLY),
        (options.trust == Trust::Untrusted, LaneFlag::UNTRUSTED),
        (locked, LaneFlag::LOCKED),
        (options.numa_node.is_some(), LaneFlag::NUMA_BOUND),
    ];
    Facts {
        name: name.to_owned(),
        epoch: random::nonzero_u64(),
        lane_kind: LaneKind::Stream,
        memory_kind: MemoryKind::Inline,
        slot_count: 0,
        history: 0,
        claims: 0,
        lease_budget: 0,
        lease_ns: 0,
        flags: flags.into_iter().filter_map(|(set, bits)| set.then_some(bits)).sum(),
        total_bytes: geometry.total,
        payload_offset: 0,
        payload_stride: 0,
        payload_bytes: 0,
        page_bytes: geometry.page as u32,
        created_ns: realtime_ns(),
        uid: rustix::process::geteuid().as_raw(),
        access: options.access,
        trust: options.trust,
        devices: Vec::new(),
    }
}
