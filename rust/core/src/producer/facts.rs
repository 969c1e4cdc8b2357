//! What is constant for the life of a lane.

use super::options::{Access, DeviceBuffer, Trust};
use crate::error::{Error, Result, invalid};
use crate::layout::{ErrorKind, FrameDescriptor, LaneKind, MemoryKind, Plane};
use crate::mem::memfd;
use rustix::fd::OwnedFd;
use std::ops::Range;

/// An external buffer with its verified size.
pub(crate) struct Device {
    pub(crate) fd: OwnedFd,
    pub(crate) kind: MemoryKind,
    pub(crate) bytes: u64,
    /// Whoever gets this descriptor could write through it.
    pub(crate) writable: bool,
}

/// Constants of a lane.
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) epoch: u64,
    pub(crate) lane_kind: LaneKind,
    pub(crate) memory_kind: MemoryKind,
    pub(crate) slot_count: u32,
    pub(crate) history: u32,
    pub(crate) claims: u32,
    pub(crate) lease_budget: u32,
    pub(crate) lease_ns: u64,
    pub(crate) flags: u32,
    pub(crate) total_bytes: u64,
    pub(crate) payload_offset: u64,
    pub(crate) payload_stride: u64,
    pub(crate) payload_bytes: u64,
    pub(crate) page_bytes: u32,
    pub(crate) created_ns: u64,
    pub(crate) uid: u32,
    pub(crate) access: Access,
    pub(crate) trust: Trust,
    pub(crate) devices: Vec<Device>,
}

impl Facts {
    /// Payload of a slot within lane memory.
    #[inline]
    pub(crate) fn payload_range(&self, slot: usize) -> Range<usize> {
        let start = (self.payload_offset + slot as u64 * self.payload_stride) as usize;
        start..start + self.payload_bytes as usize
    }

    /// Refuses a descriptor whose planes do not lie in buffers this lane has.
    pub(crate) fn check_external(&self, descriptor: &FrameDescriptor) -> Result<()> {
        if self.memory_kind == MemoryKind::Inline {
            let text = format!("lane {:?} is inline: claim a frame and publish it", self.name);
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let count = usize::from(descriptor.plane_count);
        if count == 0 || count > descriptor.planes.len() {
            return Err(invalid(format!("{count} planes, a frame has 1 to 4")));
        }
        descriptor.planes[..count].iter().try_for_each(|plane| self.check_plane(plane))
    }

    fn check_plane(&self, plane: &Plane) -> Result<()> {
        if self.memory_kind == MemoryKind::HbMem {
            if plane.share_id < 0 {
                return Err(invalid(format!("share id {} of an hb_mem plane", plane.share_id)));
            }
            return Ok(());
        }
        let index = usize::try_from(plane.buffer_index).ok();
        let Some(device) = index.and_then(|index| self.devices.get(index)) else {
            return Err(invalid(format!(
                "buffer {} of a lane with {} device buffers",
                plane.buffer_index,
                self.devices.len()
            )));
        };
        match plane.offset_bytes.checked_add(plane.size_bytes) {
            Some(end) if end <= device.bytes => Ok(()),
            _ => Err(invalid(format!(
                "a plane at {} of {} bytes in buffer {} of {} bytes",
                plane.offset_bytes, plane.size_bytes, plane.buffer_index, device.bytes
            ))),
        }
    }
}

/// Checks the external buffers a lane is made with.
pub(crate) fn verify_devices(buffers: Vec<DeviceBuffer>) -> Result<Vec<Device>> {
    let verify = |(index, buffer): (usize, DeviceBuffer)| {
        let what = format!("device buffer {index}");
        let bytes = match buffer.kind {
            MemoryKind::Memfd => memfd::sealed_size(&buffer.fd, &what)?,
            MemoryKind::Dmabuf => memfd::dma_buf_size(&buffer.fd, &what)?,
            other => return Err(invalid(format!("{what} of {} memory", other.name()))),
        };
        let writable = memfd::is_writable(&buffer.fd, &what)?;
        Ok(Device { fd: buffer.fd, kind: buffer.kind, bytes, writable })
    };
    buffers.into_iter().enumerate().map(verify).collect()
}
