//! What a lane of either kind is from its producer's side, and what its service thread sees of it.

use super::bell::wake;
use super::facts::Facts;
use super::member::{Member, Ringing};
use crate::error::{Error, Result};
use crate::fork;
use crate::layout::{ErrorKind, Hello, LaneKind, Mode, Report, Select, Selected};
use crate::mem::view::PageView;
use crate::ring::words::LaneWords;
use crate::wire::peer::Peer;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::OwnedFd;
use std::sync::Condvar;
use std::sync::atomic::AtomicU64;

/// Shared by the producer's handle, what it is filling and its service thread.
pub(crate) struct Base {
    pub(crate) facts: Facts,
    pub(crate) memory: OwnedFd,
    /// A release, a cursor step, a detach or a close: whoever waits for room looks again.
    pub(crate) changed: Condvar,
    /// Eventfd that wakes the service thread.
    pub(crate) control: OwnedFd,
    pub(crate) copied_bytes: AtomicU64,
    pub(crate) generation: u64,
}

impl Base {
    pub(crate) fn new(facts: Facts, memory: OwnedFd) -> Result<Self> {
        let control = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| Error::system("eventfd", errno))?;
        Ok(Base {
            facts,
            memory,
            changed: Condvar::new(),
            control,
            copied_bytes: AtomicU64::new(0),
            generation: fork::generation(),
        })
    }

    /// The lane memory of this process, or an error in a forked child.
    #[inline]
    pub(crate) fn refuse_fork(&self) -> Result<()> {
        if fork::is_foreign(self.generation) {
            return Err(forked(&self.facts.name));
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn closed(&self) -> Error {
        Error::new(ErrorKind::Closed, format!("lane {:?} is closed", self.facts.name))
    }

    /// Tells everybody that the lane has ended, after its state says so: readers, asleep or not,
    /// whoever waits for room, and the service thread.
    pub(crate) fn tell_end(&self, lane: &impl LaneWords, everybody: Ringing) {
        everybody.ring(lane);
        self.changed.notify_all();
        self.wake_service();
        wake(lane.wake(), i32::MAX as u32);
    }

    pub(crate) fn wake_service(&self) {
        let _ = rustix::io::write(&self.control, &1u64.to_ne_bytes());
    }
}

pub(crate) fn forked(name: &str) -> Error {
    let text = format!("lane {name:?} was opened before a fork; open it again in this process");
    Error::new(ErrorKind::Forked, text)
}

/// A lane of either kind, as its service thread sees it.
pub(crate) trait Served: Send + Sync {
    fn base(&self) -> &Base;
    /// Refuses what this kind of lane does not serve; what of it needs no state.
    fn refuse_hello(&self, hello: &Hello, mode: Mode) -> Result<()>;
    /// Makes a consumer LIVE, under the mutex. `page` is the one view its first words are written
    /// with.
    fn join(&self, member: Member, peer: Peer, hello: &Hello, page: &PageView) -> Result<()>;
    /// A consumer is gone.
    fn leave(&self, id: u32);
    /// Something was released or a cursor moved.
    fn released(&self);
    /// Somebody wants a key record.
    fn key_wanted(&self) {}
    /// Somebody who may wants another lane to be active.
    fn select(&self, _wish: &Select) -> Result<Selected> {
        let kind = match self.base().facts.lane_kind {
            LaneKind::Stream => "a stream lane",
            _ => "a frame lane",
        };
        let text = format!("{:?} is {kind}: only a switch selects", self.base().facts.name);
        Err(Error::new(ErrorKind::Unsupported, text))
    }
    fn report(&self, now_ns: u64) -> Report;
    /// Does what is due; the consumers to disconnect, with the reason.
    fn expire(&self, now_ns: u64) -> Vec<(u32, String)>;
    /// When the next thing is due; without one, the service thread now sleeps until it is woken.
    fn next_deadline_ns(&self) -> Option<u64>;
    fn has_closed(&self) -> bool;
}
