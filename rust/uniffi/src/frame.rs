//! A frame under lease, and where its bytes are.

use crate::failure::{Result, invalid};
use framelane::MemoryKind;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Frames and records that other languages hold.
static LIVE: AtomicU64 = AtomicU64::new(0);

/// One of them, counted.
pub struct Live(());

impl Live {
    pub fn new() -> Self {
        LIVE.fetch_add(1, Relaxed);
        Live(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
    }
}

/// Frames and records of this process, leased or claimed, that are not let go of yet.
#[uniffi::export]
pub fn live_objects() -> u64 {
    LIVE.load(Relaxed)
}

/// Bytes in memory.
#[derive(Clone, Copy, uniffi::Record)]
pub struct Span {
    /// Of the first byte; 0 where `Frame.plane` has to be asked.
    pub address: u64,
    /// Number of bytes.
    pub length: u64,
}

impl Span {
    /// Where a slice is. Whoever reads there has to keep what it was borrowed from.
    pub fn of(bytes: &[u8]) -> Self {
        let address = bytes.as_ptr().expose_provenance() as u64;
        Span { address, length: bytes.len() as u64 }
    }
}

/// A frame as it was read: all there is to know in one call.
#[derive(uniffi::Record)]
pub struct Leased {
    /// Keeps the bytes.
    pub frame: Arc<Frame>,
    /// Number of the frame in its epoch, from 1.
    pub sequence: u64,
    /// Producer incarnation the frame comes from.
    pub epoch: u64,
    /// Frames that passed between the one before and this one.
    pub missed: u64,
    /// Whether this is the first frame after the producer was restarted.
    pub new_epoch: bool,
    /// Slot the frame is in.
    pub slot: u32,
    /// Switch epoch under which a switch read the frame; 0 of any other reader.
    pub switch_epoch: u64,
    /// Index of the lane of a switch that the frame comes from.
    pub lane_index: u32,
    /// Whether this is the first frame that a switch delivers under another selection.
    pub switched: bool,
    /// Where the frame's descriptor is.
    pub descriptor: Span,
    /// Where the planes are.
    pub planes: Vec<Span>,
}

/// A lease.
#[derive(uniffi::Object)]
pub struct Frame {
    held: Mutex<Option<framelane::Frame>>,
    _live: Live,
}

impl Frame {
    fn with<T>(&self, look: impl FnOnce(&framelane::Frame) -> framelane::Result<T>) -> Result<T> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = held.as_ref().ok_or_else(|| invalid("the frame was released"))?;
        Ok(look(frame)?)
    }
}

/// A plane of device memory is mapped only when somebody asks.
fn in_place(frame: &framelane::Frame, index: usize) -> Span {
    let plane = frame.plane(index).ok();
    plane.map_or(Span { address: 0, length: 0 }, Span::of)
}

impl Leased {
    pub fn new(frame: framelane::Frame) -> Self {
        let held = Arc::new(Frame { held: Mutex::new(Some(frame)), _live: Live::new() });
        let guard = held.held.lock().unwrap_or_else(PoisonError::into_inner);
        let frame = guard.as_ref().expect("just put there");
        let what = std::ptr::from_ref(frame.descriptor());
        let descriptor = Span {
            address: what.expose_provenance() as u64,
            length: size_of::<framelane::FrameDescriptor>() as u64,
        };
        Leased {
            frame: held.clone(),
            sequence: frame.sequence(),
            epoch: frame.epoch(),
            missed: frame.missed(),
            new_epoch: frame.new_epoch(),
            slot: frame.slot() as u32,
            switch_epoch: frame.switch_epoch(),
            lane_index: frame.lane_index() as u32,
            switched: frame.switched(),
            descriptor,
            planes: (0..frame.plane_count()).map(|index| in_place(frame, index)).collect(),
        }
    }
}

#[uniffi::export]
impl Frame {
    /// Where one plane is, mapped if it has to be.
    pub fn plane(&self, index: u32) -> Result<Span> {
        self.with(|frame| {
            if frame.descriptor().memory_kind == MemoryKind::Inline.number() {
                return Ok(Span::of(frame.plane(index as usize)?));
            }
            let plane = frame.revocable_plane(index as usize)?;
            let address = plane.address.expose_provenance() as u64;
            Ok(Span { address, length: plane.len as u64 })
        })
    }

    /// Whether everything read from the frame before this call counts.
    pub fn check(&self) -> Result<bool> {
        self.with(|frame| Ok(frame.check()))
    }

    /// A descriptor of the dma-buf or memfd that one plane is in; the caller owns and closes it.
    pub fn plane_fd(&self, index: u32) -> Result<i32> {
        let fd = self.with(|frame| frame.plane_fd(index as usize))?;
        Ok(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }

    /// Ends the lease. Does nothing a second time.
    pub fn release(&self) -> Result<()> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(held.map_or(Ok(()), framelane::Frame::release)?)
    }
}
