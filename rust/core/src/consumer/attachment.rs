//! A consumer's hold on one epoch of a frame lane.

use super::Holding;
use super::import::{Import, Imports};
use super::lane_info::LaneInfo;
use super::tie::Tie;
use crate::clock::monotonic_ns;
use crate::error::{Error, Result, protocol};
use crate::layout::{ErrorKind, FrameDescriptor, LaneFlag, MemoryKind, Mode, Plane};
use crate::mem::buffer::{BufferView, DevicePlane, sync_dma_buf};
use crate::mem::map::Mapping;
use crate::mem::view::LaneView;
use crate::ring::consumer::{self as ring, Proof};
use crate::ring::token::{sequence_of, slot_of};
use rustix::fd::OwnedFd;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// An external buffer, mapped when a frame in it is first read.
pub(crate) struct ClientDevice {
    pub(crate) fd: OwnedFd,
    pub(crate) bytes: u64,
    pub(crate) view: OnceLock<BufferView>,
}

/// What a frame's holder has found out about it.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) descriptor: OnceLock<FrameDescriptor>,
    /// The buffer it is in, where that was imported.
    pub(crate) import: OnceLock<Import>,
    /// Planes, by bit, whose dma-buf the kernel was told of that it is read.
    pub(crate) reading: AtomicU8,
}

/// One epoch, from attach until its last frame is dropped.
pub(crate) struct Attachment {
    pub(crate) tie: Tie,
    pub(crate) info: LaneInfo,
    pub(crate) lane: Arc<LaneView>,
    pub(crate) devices: Vec<ClientDevice>,
    pub(crate) imports: Imports,
}

impl Deref for Attachment {
    type Target = Tie;
    #[inline]
    fn deref(&self) -> &Tie {
        &self.tie
    }
}

impl Attachment {
    /// Sequence of the newest frame, 0 before the first.
    #[inline]
    pub(crate) fn newest(&self) -> u64 {
        sequence_of(ring::head(&*self.lane))
    }

    /// Whether frames can be revoked.
    #[inline]
    pub(crate) fn is_device(&self) -> bool {
        self.info.memory_kind != MemoryKind::Inline
    }

    /// Leases a frame above `after` into `cell`; its token, which a hostile lane may have made up.
    #[inline]
    pub(crate) fn borrow(&self, mode: Mode, cell: usize, after: u64) -> Option<u64> {
        let (lane, page) = (&*self.lane, &self.tie.page);
        match mode {
            Mode::Latest => {
                let proof = if self.is_device() { Proof::State } else { Proof::HeadOrState };
                ring::borrow_newest(lane, page, cell, after, proof)
            }
            Mode::Ordered => self.borrow_next(cell, after),
            Mode::Lossless => {
                let newest = self.newest();
                let token = self.borrow_next(cell, after);
                // Where none is left of those there were, all of them were taken back by their
                // device, and the producer must not wait for them.
                let passed = token.map_or(newest, sequence_of);
                if passed > after {
                    ring::advance(page, passed);
                    self.ring_if_wanted(&*self.lane);
                }
                token
            }
        }
    }

    fn borrow_next(&self, cell: usize, after: u64) -> Option<u64> {
        let history = self.info.history.into();
        ring::borrow_from(&*self.lane, &self.page, cell, after + 1, history)
    }

    /// Whether a token names a slot that this lane does not have.
    pub(crate) fn is_impossible(&self, token: u64) -> bool {
        slot_of(token) >= self.info.slots as usize
    }

    /// Ends a lease.
    #[inline]
    pub(crate) fn release(&self, cell: usize) {
        ring::clear(&self.page, cell);
        if self.info.flags & LaneFlag::BELL_ON_RELEASE != 0 {
            self.ring_if_wanted(&*self.lane);
        }
    }

    /// Whether the frame is still what it was when it was borrowed.
    #[inline]
    pub(crate) fn check(&self, token: u64) -> bool {
        ring::check(&*self.lane, token) && !(self.is_device() && self.is_lost())
    }

    /// Copies a device frame's descriptor to its holder's place and says whether the frame may be
    /// used: of a slot that exists, intact, and before its deadline.
    pub(crate) fn hold_device_frame(&self, holder: &Holding, token: u64) -> bool {
        let descriptor = self.lane.load_descriptor(slot_of(token));
        let in_time = descriptor.valid_until_ns == 0 || monotonic_ns() < descriptor.valid_until_ns;
        let intact = ring::check(&*self.lane, token) && !self.lost.load(Relaxed);
        let _ = holder.place().descriptor.set(descriptor); // a fresh place is empty
        intact && in_time && !self.is_impossible(token)
    }

    /// Where a plane of an inline frame lies in lane memory.
    pub(crate) fn inline_range(&self, token: u64, plane: &Plane) -> Result<Range<usize>> {
        let payload = self.info.payload_range(slot_of(token));
        let range = crate::producer::plane_range(plane, payload.len())?;
        Ok(payload.start + range.start..payload.start + range.end)
    }

    /// A plane of a device frame, in its buffer, which is mapped on first use.
    pub(crate) fn device_plane<'a>(
        &'a self,
        holder: &'a Holding,
        number: usize,
        plane: &Plane,
    ) -> Result<DevicePlane<'a>> {
        if self.info.memory_kind == MemoryKind::HbMem {
            return self.imported_plane(holder, number, plane);
        }
        let device = self.device(plane)?;
        if self.info.memory_kind == MemoryKind::Dmabuf {
            begin_reading(device, holder.place(), number, plane)?;
        }
        let view = match device.view.get() {
            Some(view) => view,
            None => {
                let map = Mapping::read_only(&device.fd, device.bytes)?;
                device.view.get_or_init(|| BufferView::new(map))
            }
        };
        Ok(view.plane(crate::producer::plane_range(plane, view.len())?))
    }

    fn device(&self, plane: &Plane) -> Result<&ClientDevice> {
        let index = usize::try_from(plane.buffer_index).unwrap_or(usize::MAX);
        self.devices.get(index).ok_or_else(|| {
            protocol(format!("buffer {} of {}", plane.buffer_index, self.devices.len()))
        })
    }

    /// A descriptor of the buffer a plane is in.
    pub(crate) fn plane_fd(&self, plane: &Plane) -> Result<OwnedFd> {
        if !matches!(self.info.memory_kind, MemoryKind::Dmabuf | MemoryKind::Memfd) {
            let kind = self.info.memory_kind.name();
            let text = format!("frames in {kind} memory have no descriptors of their own");
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let fd = &self.device(plane)?.fd;
        fd.try_clone().map_err(|error| Error::io("a descriptor of a frame's buffer", error))
    }

    /// The holder of a frame is done with reading it.
    #[inline]
    pub(crate) fn end_reading(&self, holder: &Holding) {
        if self.info.memory_kind == MemoryKind::Dmabuf {
            self.tell_end(holder);
        }
    }

    fn tell_end(&self, holder: &Holding) {
        let known = holder.place();
        let reading = known.reading.load(Relaxed);
        let Some(descriptor) = known.descriptor.get().filter(|_| reading != 0) else { return };
        for (number, plane) in descriptor.planes.iter().enumerate() {
            if reading & 1 << number != 0
                && let Ok(device) = self.device(plane)
                && let Err(error) = sync_dma_buf(&device.fd, true)
            {
                tracing::debug!(%error, "DMA_BUF_IOCTL_SYNC at the end");
            }
        }
    }

    fn imported_plane<'a>(
        &self,
        holder: &'a Holding,
        number: usize,
        plane: &Plane,
    ) -> Result<DevicePlane<'a>> {
        let known = holder.place();
        let import = match known.import.get() {
            Some(import) => import,
            None => {
                let descriptor = known.descriptor.get().ok_or_else(|| protocol("no descriptor"))?;
                let import = self.imports.fresh(descriptor)?;
                known.import.get_or_init(|| import)
            }
        };
        DevicePlane::imported(&**import, number, plane).ok_or_else(|| {
            let size = plane.size_bytes;
            protocol(format!("plane {number} of {size} bytes is not in the imported buffer"))
        })
    }

    /// A frame was taken back.
    pub(crate) fn revoked(&self, token: u64) -> Error {
        let text = format!(
            "frame {} of lane {:?} was taken back at its deadline",
            sequence_of(token),
            self.info.name
        );
        Error::new(ErrorKind::Revoked, text)
    }
}

/// Tells the kernel once for each buffer of a frame.
fn begin_reading(device: &ClientDevice, known: &Known, number: usize, plane: &Plane) -> Result<()> {
    // Planes of one buffer are told of under the first of them.
    let planes = known.descriptor.get().map_or(&[][..], |descriptor| &descriptor.planes);
    let first = planes.iter().position(|other| other.buffer_index == plane.buffer_index);
    let bit = 1 << (first.unwrap_or(number) & 7);
    if known.reading.load(Relaxed) & bit == 0 {
        sync_dma_buf(&device.fd, false)
            .map_err(|errno| Error::system("DMA_BUF_IOCTL_SYNC", errno))?;
        known.reading.fetch_or(bit, Relaxed);
    }
    Ok(())
}
