//! What a consumer knows about the lane it reads.

use crate::error::{Result, protocol};
use crate::layout::layout::{LANE_MAGIC, VERSION};
use crate::layout::limit::SLOTS;
use crate::layout::{LAYOUT_HASH, LaneHeader, LaneKind, MemoryKind, Slot};
use crate::mem::view::SLOTS_BYTES;
use crate::wire::message;
use std::ops::Range;

/// Constants of one epoch of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneInfo {
    /// Name of the lane.
    pub name: String,
    /// Random id of the producer incarnation.
    pub epoch: u64,
    /// Number the producer gave this consumer.
    pub consumer_id: u32,
    /// Frames this consumer may hold at once.
    pub leases: u32,
    /// Slots of the pool.
    pub slots: u32,
    /// Frames before the newest that stay reachable.
    pub history: u32,
    /// Where the pixels are.
    pub memory_kind: MemoryKind,
    /// Bits of [`LaneFlag`](crate::layout::LaneFlag).
    pub flags: u32,
    /// Usable payload of a slot, in bytes.
    pub payload_bytes: u64,
    /// Time a device frame is guaranteed after publication, in nanoseconds; 0: never revoked.
    pub lease_ns: u64,
    /// Size of lane memory, in bytes.
    pub total_bytes: u64,
    /// Process that owns the lane, as it says itself.
    pub producer_pid: u32,
    /// Its user.
    pub producer_uid: u32,
    pub(crate) payload_offset: u64,
    pub(crate) payload_stride: u64,
    pub(crate) slots_offset: u64,
}

impl LaneInfo {
    /// Checks a copied header against the size of what it came from; nothing of it is believed
    /// before.
    pub(crate) fn from_header(header: &LaneHeader, file_bytes: u64) -> Result<Self> {
        check_common(header, LaneKind::Frame, file_bytes)?;
        let Some(memory_kind) = MemoryKind::from_number(header.memory_kind) else {
            return wrong("memory kind", header.memory_kind.into());
        };
        if !(1..=SLOTS).contains(&header.slot_count.into()) {
            return wrong("slots", header.slot_count.into());
        }
        if header.history >= header.slot_count {
            return wrong("history", header.history.into());
        }
        check_geometry(header)?;
        Ok(LaneInfo {
            name: message::text(&header.name)?.to_owned(),
            epoch: header.epoch,
            consumer_id: 0,
            leases: 0,
            slots: header.slot_count,
            history: header.history,
            memory_kind,
            flags: header.flags,
            payload_bytes: header.payload_bytes,
            lease_ns: header.lease_ns,
            total_bytes: header.total_bytes,
            producer_pid: header.producer_pid,
            producer_uid: header.producer_uid,
            payload_offset: header.payload_offset,
            payload_stride: header.payload_stride,
            slots_offset: header.slots_offset,
        })
    }

    /// Payload of a slot within lane memory; the slot is below `slots`.
    #[inline]
    pub(crate) fn payload_range(&self, slot: usize) -> Range<usize> {
        let start = (self.payload_offset + slot as u64 * self.payload_stride) as usize;
        start..start + self.payload_bytes as usize
    }
}

/// What a header of a lane of either kind has to say.
pub(crate) fn check_common(header: &LaneHeader, kind: LaneKind, file_bytes: u64) -> Result<()> {
    if header.magic != LANE_MAGIC {
        return wrong("magic", header.magic);
    }
    if header.layout_hash != LAYOUT_HASH || u64::from(header.layout_version) != VERSION {
        return wrong("layout", header.layout_hash);
    }
    if header.lane_kind != kind.number() {
        return wrong("lane kind", header.lane_kind.into());
    }
    if header.epoch == 0 {
        return wrong("epoch", 0);
    }
    if header.total_bytes > file_bytes {
        return wrong("total bytes", header.total_bytes);
    }
    Ok(())
}

/// The error for a header that no honest producer writes.
pub(crate) fn wrong<T>(what: &str, value: u64) -> Result<T> {
    Err(protocol(format!("the lane's header says {what} {value}, which cannot be")))
}

fn check_geometry(header: &LaneHeader) -> Result<()> {
    let slots_end = header.slots_offset.checked_add(SLOTS_BYTES as u64);
    let slots_fit = header.slots_offset >= size_of::<LaneHeader>() as u64
        && header.slots_offset % align_of::<Slot>() as u64 == 0
        && slots_end.is_some_and(|end| end <= header.payload_offset);
    let payload_end = u64::from(header.slot_count)
        .checked_mul(header.payload_stride)
        .and_then(|bytes| bytes.checked_add(header.payload_offset));
    let payload_fits = header.payload_bytes <= header.payload_stride
        && payload_end.is_some_and(|end| end <= header.total_bytes);
    if slots_fit && payload_fits {
        return Ok(());
    }
    Err(protocol(format!(
        "the lane's header places slots at {}, and {} payloads of {} bytes every {} from {} in \
         {} bytes",
        header.slots_offset,
        header.slot_count,
        header.payload_bytes,
        header.payload_stride,
        header.payload_offset,
        header.total_bytes
    )))
}
