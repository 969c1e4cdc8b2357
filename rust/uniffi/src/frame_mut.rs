//! A claimed frame being filled.

use crate::failure::{Result, invalid, structure};
use crate::frame::{Live, Span};
use std::sync::{Arc, Mutex, PoisonError};
use zerocopy::IntoBytes;

/// A frame as it was claimed.
#[derive(uniffi::Record)]
pub struct Claimed {
    /// Keeps the slot.
    pub frame: Arc<FrameMut>,
    /// Where the descriptor is as the lane lays it out, until the frame is published.
    pub descriptor: Span,
    /// Where the slot's payload is.
    pub payload: Span,
}

/// A slot that was claimed.
#[derive(uniffi::Object)]
pub struct FrameMut {
    held: Mutex<Option<framelane::FrameMut>>,
    _live: Live,
}

impl FrameMut {
    pub fn take(&self) -> Result<framelane::FrameMut> {
        let taken = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        taken.ok_or_else(|| invalid("the frame was published or abandoned"))
    }

    fn with<T>(&self, body: impl FnOnce(&mut framelane::FrameMut) -> Result<T>) -> Result<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        body(held.as_mut().ok_or_else(|| invalid("the frame was published or abandoned"))?)
    }
}

impl Claimed {
    pub fn new(mut frame: framelane::FrameMut) -> Self {
        let (descriptor, payload) = frame.split_mut();
        let descriptor = Span::of(descriptor.as_bytes());
        let address = payload.as_mut_ptr().expose_provenance() as u64;
        let payload = Span { address, length: payload.len() as u64 };
        let frame = Arc::new(FrameMut { held: Mutex::new(Some(frame)), _live: Live::new() });
        Claimed { frame, descriptor, payload }
    }
}

#[uniffi::export]
impl FrameMut {
    /// Says what the frame is, a `FrameDescriptor`.
    pub fn describe(&self, descriptor: Vec<u8>) -> Result<()> {
        let what = structure(&descriptor, "FrameDescriptor")?;
        self.with(|frame| {
            *frame.descriptor_mut() = what;
            Ok(())
        })
    }

    /// Counts bytes as copied by the SDK.
    pub fn count_copied(&self, bytes: u64) -> Result<()> {
        self.with(|frame| {
            frame.count_copied(bytes);
            Ok(())
        })
    }

    /// Makes the frame the newest of the lane; its sequence.
    pub fn publish(&self) -> Result<u64> {
        Ok(self.take()?.publish()?)
    }

    /// Gives the slot back unpublished. Does nothing a second time.
    pub fn abandon(&self) {
        drop(self.take().ok());
    }
}
