//! The consumer and its closer.
#![allow(unsafe_code, reason = "a handle comes back as a pointer")]

use crate::bridge::ffi::{HeldFrame, LaneFacts};
use crate::status::{enter, make, text};
use crate::types::ConsumerOptions;
use framelane::{Frame, Result};
use rustix::fd::AsRawFd;
use std::time::Duration;

pub struct Consumer(framelane::Consumer);

pub struct Closer(pub framelane::Closer);

pub fn open_consumer(name: &[u8], options: &ConsumerOptions) -> *mut Consumer {
    make(|| {
        framelane_hobot::register();
        let options = framelane_ffi::consumer_options(&options.0)?;
        Ok(Consumer(framelane::Consumer::open(text(name, "the lane's name")?, options)?))
    })
}

/// # Safety
/// A pointer that `open_consumer` returned and that was not dropped before.
pub unsafe fn drop_consumer(consumer: *mut Consumer) {
    enter(|| {
        // SAFETY: the caller's promise; `make` boxed it.
        drop(unsafe { Box::from_raw(consumer) });
        Ok(())
    });
}

/// Success with an empty frame says that there is nothing.
#[inline(always)]
pub fn read(frame: &mut HeldFrame, find: impl FnOnce() -> Result<Option<Frame>>) -> u32 {
    enter(|| {
        if let Some(found) = find()? {
            frame.hold(found);
        }
        Ok(())
    })
}

impl Consumer {
    pub fn next(&mut self, timeout_ns: u64, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.next(Duration::from_nanos(timeout_ns)))
    }

    pub fn try_next(&mut self, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.try_next())
    }

    pub fn latest(&mut self, frame: &mut HeldFrame) -> u32 {
        read(frame, || self.0.latest())
    }

    pub fn wait(&mut self, timeout_ns: u64, ready: &mut bool) -> u32 {
        enter(|| {
            *ready = self.0.wait(Duration::from_nanos(timeout_ns))?;
            Ok(())
        })
    }

    pub fn fd(&mut self) -> i32 {
        self.0.fd().as_raw_fd()
    }

    pub fn received(&self) -> u64 {
        self.0.received()
    }

    pub fn missed(&self) -> u64 {
        self.0.missed()
    }

    pub fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    pub fn held(&self) -> u32 {
        self.0.held()
    }

    /// Whether there is a producer now.
    pub fn lane(&self, facts: &mut LaneFacts) -> bool {
        let Some(info) = self.0.lane() else { return false };
        *facts = LaneFacts {
            name: info.name.clone(),
            epoch: info.epoch,
            payload_bytes: info.payload_bytes,
            lease_ns: info.lease_ns,
            total_bytes: info.total_bytes,
            consumer_id: info.consumer_id,
            leases: info.leases,
            slots: info.slots,
            history: info.history,
            flags: info.flags,
            producer_pid: info.producer_pid,
            producer_uid: info.producer_uid,
            memory_kind: info.memory_kind.number(),
        };
        true
    }

    pub fn closer(&self) -> Box<Closer> {
        Box::new(Closer(self.0.closer()))
    }
}

impl Closer {
    pub fn close(&self) {
        self.0.close();
    }

    pub fn again(&self) -> Box<Closer> {
        Box::new(Closer(self.0.clone()))
    }
}
