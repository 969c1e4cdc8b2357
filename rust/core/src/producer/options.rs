//! What a lane is made with.

use crate::error::{Error, Result, invalid};
use crate::format::FrameLayout;
use crate::layout::limit::{DEVICE_BUFFERS, SLOTS};
use crate::layout::{ErrorKind, MemoryKind};
use rustix::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

/// Who may attach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// The producer's own user, and root. Socket mode 0600.
    #[default]
    Owner,
    /// Members of a group by number. Socket mode 0660.
    Group(u32),
    /// Every user of the machine. Socket mode 0666.
    Everyone,
}

/// Which peers are trusted not to block the producer's bells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// On a lane for its own user, peers of that user share its wake word and get eventfds. Others
    /// get bells of their own, and so does everybody where other users may attach.
    #[default]
    SameUser,
    /// Only the producer's own user id is admitted at all.
    TrustedOnly,
    /// Nobody: every peer gets a bell word and a socket bell of its own.
    Untrusted,
}

/// Huge pages for the payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HugePages {
    /// Ordinary pages.
    #[default]
    Off,
    /// Huge pages where enough are free, else ordinary ones; `framelane info` says which.
    Try,
    /// Huge pages or an error.
    Require,
}

/// Where the owners of returned external buffers run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reclaim {
    /// On a thread of the producer's own.
    #[default]
    Thread,
    /// In [`Producer::reclaim`](crate::Producer::reclaim), called by the source's own loop.
    Pump,
}

/// An external buffer that consumers map once, at attach.
#[derive(Debug)]
pub struct DeviceBuffer {
    /// A memfd sealed against shrinking, or a dma-buf.
    pub fd: OwnedFd,
    /// `Memfd` or `Dmabuf`.
    pub kind: MemoryKind,
}

/// How to make a lane. Each method returns the options for chaining.
///
/// Slots = `lease_budget` + `claims` + 1 + `history`, at most 64.
#[derive(Debug)]
pub struct ProducerOptions {
    pub(crate) layout: Option<FrameLayout>,
    pub(crate) payload_bytes: Option<u64>,
    pub(crate) lease_budget: u32,
    pub(crate) claims: u32,
    pub(crate) history: u32,
    pub(crate) lossless: bool,
    pub(crate) lease: Duration,
    pub(crate) frame_period: Duration,
    pub(crate) memory: MemoryKind,
    pub(crate) device_buffers: Vec<DeviceBuffer>,
    pub(crate) huge_pages: HugePages,
    pub(crate) lock_memory: bool,
    pub(crate) numa_node: Option<u32>,
    pub(crate) access: Access,
    pub(crate) trust: Trust,
    pub(crate) reclaim: Reclaim,
    pub(crate) directory: Option<PathBuf>,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl ProducerOptions {
    /// An inline lane: 8 leases, 1 claim, history 1.
    pub fn new() -> Self {
        ProducerOptions {
            layout: None,
            payload_bytes: None,
            lease_budget: 8,
            claims: 1,
            history: 1,
            lossless: false,
            lease: Duration::ZERO,
            frame_period: Duration::ZERO,
            memory: MemoryKind::Inline,
            device_buffers: Vec::new(),
            huge_pages: HugePages::Off,
            lock_memory: false,
            numa_node: None,
            access: Access::Owner,
            trust: Trust::SameUser,
            reclaim: Reclaim::Thread,
            directory: None,
        }
    }

    /// Geometry that each claimed frame starts with; also sets the payload size.
    pub fn layout(mut self, layout: FrameLayout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Payload of a slot in bytes, where it is not the layout's.
    pub fn payload_bytes(mut self, bytes: u64) -> Self {
        self.payload_bytes = Some(bytes);
        self
    }

    /// Leases that all consumers together may hold (8).
    pub fn lease_budget(mut self, leases: u32) -> Self {
        self.lease_budget = leases;
        self
    }

    /// Frames the producer may hold claimed at once (1).
    pub fn claims(mut self, claims: u32) -> Self {
        self.claims = claims;
        self
    }

    /// Frames before the newest that stay reachable (1).
    pub fn history(mut self, frames: u32) -> Self {
        self.history = frames;
        self
    }

    /// Admits lossless consumers, for which a claim waits.
    pub fn lossless(mut self, allowed: bool) -> Self {
        self.lossless = allowed;
        self
    }

    /// Time a device frame is guaranteed after publication. Zero, the default: never revoked.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Time from one frame to the next, where the source knows it: a lease has to last two of
    /// them. Zero, the default: unknown.
    pub fn frame_period(mut self, period: Duration) -> Self {
        self.frame_period = period;
        self
    }

    /// Where the pixels are; other than `Inline`, frames come through `publish_external`.
    pub fn memory(mut self, kind: MemoryKind) -> Self {
        self.memory = kind;
        self
    }

    /// External buffers, named by index in a plane's `buffer_index`.
    pub fn device_buffers(mut self, buffers: Vec<DeviceBuffer>) -> Self {
        self.device_buffers = buffers;
        self
    }

    /// Huge pages for the payload.
    pub fn huge_pages(mut self, huge: HugePages) -> Self {
        self.huge_pages = huge;
        self
    }

    /// Locks lane memory into RAM where the limits allow it.
    pub fn lock_memory(mut self, lock: bool) -> Self {
        self.lock_memory = lock;
        self
    }

    /// Binds lane memory to one NUMA node.
    pub fn numa_node(mut self, node: Option<u32>) -> Self {
        self.numa_node = node;
        self
    }

    /// Who may attach.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Which peers are trusted with shared bells.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Where owners of returned external buffers run.
    pub fn reclaim(mut self, reclaim: Reclaim) -> Self {
        self.reclaim = reclaim;
        self
    }

    /// Runtime directory; None, the default, searches as described in
    /// [`runtime_dir`](crate::runtime_dir).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }

    pub(crate) fn slot_count(&self) -> Result<u32> {
        let sum =
            u64::from(self.lease_budget) + u64::from(self.claims) + 1 + u64::from(self.history);
        if sum > SLOTS {
            return Err(invalid(format!(
                "{} leases + {} claims + 1 + {} history make {sum} slots, a lane has at most \
                 {SLOTS}",
                self.lease_budget, self.claims, self.history
            )));
        }
        Ok(sum as u32)
    }

    pub(crate) fn validate(&self) -> Result<()> {
        if self.lease_budget == 0 || self.claims == 0 {
            return Err(invalid("a lane needs at least 1 lease and 1 claim"));
        }
        self.slot_count()?;
        match self.memory {
            MemoryKind::Inline => self.validate_inline(),
            _ => self.validate_device(),
        }
    }

    fn validate_inline(&self) -> Result<()> {
        if self.payload()? == 0 {
            return Err(invalid("an inline lane needs a layout or a payload size"));
        }
        if !self.lease.is_zero() {
            return Err(invalid(
                "inline frames are never revoked: a lease time is for device lanes",
            ));
        }
        if !self.device_buffers.is_empty() {
            return Err(invalid("device buffers belong to a device lane"));
        }
        Ok(())
    }

    fn validate_device(&self) -> Result<()> {
        if self.huge_pages != HugePages::Off {
            return Err(invalid("huge pages are for inline payload, this lane has none"));
        }
        let least = self.frame_period.saturating_mul(2);
        if !self.lease.is_zero() && self.lease < least {
            return Err(invalid(format!(
                "a lease of {:?} is shorter than two frame periods, {least:?}: readers would lose \
                 frames before the next one comes",
                self.lease
            )));
        }
        let count = self.device_buffers.len();
        if count as u64 > DEVICE_BUFFERS {
            return Err(invalid(format!("{count} device buffers, the limit is {DEVICE_BUFFERS}")));
        }
        let odd = self.device_buffers.iter().find(|buffer| buffer.kind != self.memory);
        match odd {
            Some(odd) if self.memory != MemoryKind::HbMem => Err(invalid(format!(
                "a {} buffer on a lane of {} memory",
                odd.kind.name(),
                self.memory.name()
            ))),
            Some(_) => Err(invalid("hb_mem buffers travel by share id, not by descriptor")),
            None => Ok(()),
        }
    }

    /// Payload of one slot.
    pub(crate) fn payload(&self) -> Result<u64> {
        if self.memory != MemoryKind::Inline {
            return Ok(0);
        }
        let needed = self.layout.as_ref().map_or(0, |layout| layout.total_bytes);
        let payload = self.payload_bytes.unwrap_or(needed);
        if payload < needed {
            let text = format!("the layout needs {needed} bytes, the payload has {payload}");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(payload)
    }
}
