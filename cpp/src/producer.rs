//! The producer and how it is made.
#![allow(unsafe_code, reason = "handles, frames and owners come as pointers")]

use crate::bridge::ffi::{ClaimedFrame, Owner, give_back};
use crate::status::{enter, invalid, make, text};
use crate::types::{FrameDescriptor, Layout, ProducerOptions, Report};
use cxx::UniquePtr;
use framelane::{PixelFormat, Result, Returned};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

pub struct Producer(framelane::Producer);

// SAFETY: the headers say that an owner runs, and is destroyed, on another thread.
unsafe impl Send for Owner {}

/// The kinds of the device buffers stand beside the options: C has one for all of them.
pub fn create_producer(
    name: &[u8],
    options: &ProducerOptions,
    device_kinds: &[u8],
) -> *mut Producer {
    make(|| {
        let name = text(name, "the lane's name")?;
        let memory = options.0.memory;
        if let Some(other) = device_kinds.iter().find(|kind| u32::from(**kind) != memory) {
            let text = format!("a device buffer of memory kind {other} on a lane of kind {memory}");
            return Err(invalid(text));
        }
        let options = framelane_ffi::producer_options(&options.0)?;
        Ok(Producer(framelane::Producer::create(name, options)?))
    })
}

/// # Safety
/// A pointer that `create_producer` returned and that was not dropped before.
pub unsafe fn drop_producer(producer: *mut Producer) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(producer) });
        Ok(())
    });
}

impl Producer {
    pub fn claim(&self, frame: &mut ClaimedFrame) -> u32 {
        enter(|| {
            frame.hold(self.0.claim()?);
            Ok(())
        })
    }

    pub fn claim_within(&self, timeout_ns: u64, frame: &mut ClaimedFrame) -> u32 {
        enter(|| {
            frame.hold(self.0.claim_within(Duration::from_nanos(timeout_ns))?);
            Ok(())
        })
    }

    pub fn publish_batch(&self, frames: &mut [ClaimedFrame], last: &mut u64) -> u32 {
        enter(|| {
            if frames.iter().any(|frame| !frame.live) {
                return Err(invalid("a frame of the batch is empty: claim it first"));
            }
            let taken = frames.iter_mut().map(ClaimedFrame::take).collect::<Result<_>>()?;
            *last = self.0.publish_batch(taken)?;
            Ok(())
        })
    }

    pub fn publish_external(
        &self,
        descriptor: &FrameDescriptor,
        owner: UniquePtr<Owner>,
        sequence: &mut u64,
    ) -> u32 {
        enter(|| {
            let returned = move |returned: Returned| {
                if !owner.is_null() {
                    give_back(owner, returned.sequence, returned.revoked);
                }
            };
            *sequence = self.0.publish_external(&descriptor.0, Box::new(returned))?;
            Ok(())
        })
    }

    pub fn reclaim(&self) -> usize {
        let mut ran = 0;
        enter(|| {
            ran = self.0.reclaim();
            Ok(())
        });
        ran
    }

    pub fn recall(&self) {
        enter(|| {
            self.0.recall();
            Ok(())
        });
    }

    pub fn report(&self, report: &mut Report) {
        report.0 = self.0.report();
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn consumers(&self) -> usize {
        self.0.consumers()
    }

    pub fn name(&self) -> String {
        self.0.name().to_owned()
    }

    pub fn directory(&self) -> Vec<u8> {
        self.0.directory().as_os_str().as_bytes().to_vec()
    }
}

pub fn pixel_format(name: &[u8], format: &mut u32) -> u32 {
    enter(|| {
        *format = PixelFormat::parse(text(name, "the format's name")?)?.number();
        Ok(())
    })
}

pub fn lay_out(format: u32, width: u32, height: u32, align: u32, out: &mut Layout) -> u32 {
    enter(|| {
        out.0 = framelane_ffi::lay_out(format, width, height, align)?;
        Ok(())
    })
}
