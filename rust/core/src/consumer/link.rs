//! A reader's hold on a lane of either kind, through all its epochs.

use super::bell::WakeWord;
use super::closer::Closer;
use super::handshake::{ANSWER, Wish};
use super::parcel::Parcel;
use super::poller::Poller;
use super::tie::Tie;
use crate::clock::monotonic_ns;
use crate::error::{Error, Result};
use crate::layout::{ErrorKind, Welcome};
use rustix::fd::{BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

/// One epoch of a lane, as its reader has it mapped.
pub(crate) trait Epoch {
    fn tie(&self) -> &Tie;
    /// Frames or records of it that are held.
    fn held(&self) -> u32;
    /// Whether what is left to read counts although the producer has gone.
    fn outlives_producer(&self) -> bool;
}

/// Whoever reads a lane; attaching, waiting and re-attaching are the same for all of them, see
/// [`Reattach`](super::reattach::Reattach) and [`Waiting`](super::waiting::Waiting).
pub(crate) trait Reading {
    type Epoch: Epoch;
    fn link(&self) -> &Link<Self::Epoch>;
    fn link_mut(&mut self) -> &mut Link<Self::Epoch>;
    /// Whether the lane has something that has neither been delivered nor found impossible.
    fn has_news(&self) -> bool;
    /// Maps what a producer has handed over.
    fn open_epoch(
        &self,
        parcel: Parcel,
        connection: OwnedFd,
        welcome: &Welcome,
    ) -> Result<Self::Epoch>;
    /// A fresh epoch: where to begin in it.
    fn begin(&mut self, epoch: &Self::Epoch);
    /// Nothing was found by a reader that does not sleep.
    fn idle(&self) {}
}

/// How to attach, beyond what a producer is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) reattach: bool,
    pub(crate) return_on_signal: bool,
}

/// The connection to whoever owns the lane now, and what outlives it.
pub(crate) struct Link<E> {
    pub(crate) name: String,
    pub(crate) places: Vec<PathBuf>,
    pub(crate) wish: Wish,
    pub(crate) manner: Manner,
    /// How long a producer may take for a handshake.
    pub(crate) patience: Duration,
    pub(crate) current: Option<E>,
    pub(crate) sleeping_on: Option<WakeWord>,
    /// Earlier epochs of which frames or records are still held.
    pub(super) old: Vec<E>,
    pub(crate) poller: Poller,
    /// Whether the descriptor was handed out, so that it has to be armed.
    pub(crate) polled: bool,
    pub(crate) closer: Closer,
    /// Lost its producer, and is not to look for another.
    pub(super) ended: bool,
    /// Why the last attempt to attach to a producer that is there failed.
    pub(crate) obstacle: Option<Error>,
    /// The next frame or record is the first of its epoch.
    pub(crate) announce_epoch: bool,
    /// Has been attached: the next epoch is that of a restarted producer.
    pub(super) attached_before: bool,
    pub(super) looked_ns: u64,
}

impl<E: Epoch> Link<E> {
    pub(crate) fn new(
        name: &str,
        directory: Option<PathBuf>,
        wish: Wish,
        manner: Manner,
    ) -> Result<Self> {
        crate::name::validate(name)?;
        let closer = Closer::new()?;
        Ok(Link {
            name: name.to_owned(),
            places: crate::runtime_dir::places(directory.as_deref()),
            wish,
            manner,
            patience: ANSWER,
            current: None,
            sleeping_on: None,
            old: Vec::new(),
            poller: Poller::new(closer.fd())?,
            polled: false,
            closer,
            ended: false,
            obstacle: None,
            announce_epoch: false,
            attached_before: false,
            looked_ns: monotonic_ns(),
        })
    }

    /// The descriptor, and from now on it is armed.
    pub(crate) fn fd(&mut self) -> BorrowedFd<'_> {
        if !self.polled && !self.closer.is_foreign() {
            // Nothing is armed yet, and something may be waiting: have the caller look once.
            self.polled = self.poller.ring_once(self.closer.fd()).is_ok();
        }
        self.poller.fd()
    }

    /// Frames or records that are held now, earlier epochs included.
    pub(crate) fn held(&self) -> u32 {
        self.current.iter().chain(&self.old).map(Epoch::held).sum()
    }

    #[inline]
    pub(crate) fn refuse(&self) -> Result<()> {
        if self.closer.is_foreign() {
            return Err(crate::producer::forked(&self.name));
        }
        if self.current.is_none() {
            self.refuse_detached()?;
        }
        if self.closer.is_closed() {
            return Err(self.closed());
        }
        Ok(())
    }

    #[cold]
    fn closed(&self) -> Error {
        let text = format!("this consumer of lane {:?} is closed", self.name);
        Error::new(ErrorKind::Closed, text)
    }

    /// Errors of a consumer without a producer.
    #[cold]
    pub(super) fn refuse_detached(&self) -> Result<()> {
        if self.ended {
            let text = format!("the producer of lane {:?} is gone", self.name);
            return Err(Error::new(ErrorKind::Disconnected, text));
        }
        Ok(())
    }
}

impl<E> Drop for Link<E> {
    fn drop(&mut self) {
        // A closer may live longer, and is not to keep the lane mapped.
        if !self.closer.is_foreign() {
            self.closer.sleeps_on(None);
        }
    }
}

/// Longest wait before a lane that is not there is looked for again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(100);
