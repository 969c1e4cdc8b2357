//! What a reader knows about the stream it reads.

use crate::consumer::{check_common, wrong};
use crate::error::Result;
use crate::layout::stream_limit::CONFIGS;
use crate::layout::{LaneHeader, LaneKind, StreamHeader};
use crate::mem::stream::Parts;
use crate::ring::stream::Shape;
use crate::wire::message;

/// Constants of one epoch of a stream lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Name of the lane.
    pub name: String,
    /// Random id of the writer incarnation.
    pub epoch: u64,
    /// Number the writer gave this reader.
    pub consumer_id: u32,
    /// Bytes of the data ring.
    pub data_bytes: u64,
    /// Largest record, in bytes.
    pub record_limit_bytes: u64,
    /// Records the lane keeps at most.
    pub index_capacity: u32,
    /// Bits of [`LaneFlag`](crate::layout::LaneFlag).
    pub flags: u32,
    /// Size of lane memory, in bytes.
    pub total_bytes: u64,
    /// Process that owns the lane, as it says itself.
    pub producer_pid: u32,
    /// Its user.
    pub producer_uid: u32,
}

impl StreamInfo {
    /// Checks copied headers against the size of what they came from; nothing of them is believed
    /// before. Whether the parts lie inside the lane is checked where they are mapped.
    pub(crate) fn from_headers(
        header: &LaneHeader,
        stream: &StreamHeader,
        file_bytes: u64,
    ) -> Result<(Self, Parts, Shape)> {
        check_common(header, LaneKind::Stream, file_bytes)?;
        if !stream.index_capacity.is_power_of_two() {
            return wrong("index capacity", stream.index_capacity.into());
        }
        if u64::from(stream.config_capacity) != CONFIGS {
            return wrong("config capacity", stream.config_capacity.into());
        }
        if stream.data_bytes % 8 != 0 || stream.data_bytes > file_bytes {
            return wrong("data bytes", stream.data_bytes);
        }
        if stream.record_limit_bytes > stream.data_bytes / 2 {
            return wrong("record limit", stream.record_limit_bytes);
        }
        let info = StreamInfo {
            name: message::text(&header.name)?.to_owned(),
            epoch: header.epoch,
            consumer_id: 0,
            data_bytes: stream.data_bytes,
            record_limit_bytes: stream.record_limit_bytes,
            index_capacity: stream.index_capacity,
            flags: header.flags,
            total_bytes: header.total_bytes,
            producer_pid: header.producer_pid,
            producer_uid: header.producer_uid,
        };
        let parts = Parts {
            index: stream.index_offset,
            configs: stream.configs_offset,
            data: stream.data_offset,
        };
        let shape = Shape {
            data_bytes: stream.data_bytes,
            record_limit: stream.record_limit_bytes,
            index_capacity: stream.index_capacity.into(),
            configs: stream.config_capacity.into(),
        };
        Ok((info, parts, shape))
    }
}
