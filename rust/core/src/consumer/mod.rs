//! The consumer: one reader of a lane.

mod attachment;
mod bell;
mod borrow;
mod closer;
mod connect;
mod frame;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod handshake;
mod import;
mod lane_info;
mod options;
mod parcel;
mod poller;
mod reattach;
mod waiting;

pub use closer::Closer;
pub use frame::{Frame, RevocablePlane};
pub use import::register_importer;
pub use lane_info::LaneInfo;
pub use options::ConsumerOptions;

pub(crate) use connect::{Found, connect, not_found, queue_full};

use crate::clock::{Deadline, monotonic_ns};
use crate::error::{Error, Result, invalid};
use crate::hold::{Guest, Host};
use crate::layout::{ErrorKind, Mode};
use attachment::{Attachment, Known};
use bell::WakeWord;
use borrow::Borrowed;
use poller::Poller;
use rustix::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

type Epoch = Host<Attachment, Known>;
type Holding = Guest<Attachment, Known>;

/// Reads one lane.
///
/// Can be sent to another thread, but is used by one at a time; [`Closer`] works from any. When
/// its producer is restarted it attaches to the new one by itself, and the next frame says so.
pub struct Consumer {
    name: String,
    options: ConsumerOptions,
    places: Vec<PathBuf>,
    current: Option<Epoch>,
    sleeping_on: Option<WakeWord>,
    /// Earlier epochs of which frames are still held.
    old: Vec<Epoch>,
    poller: Poller,
    /// Whether the descriptor was handed out, so that it has to be armed.
    polled: bool,
    closer: Closer,
    /// Lost its producer, and is not to look for another.
    ended: bool,
    /// Why the last attempt to attach to a producer that is there failed.
    obstacle: Option<Error>,
    /// Sequence delivered last in this epoch.
    last: u64,
    /// Newest sequence for which a borrow has failed: not news again until a newer one comes.
    barren: u64,
    /// Whether a frame of this epoch has been delivered.
    started: bool,
    announce_epoch: bool,
    received: u64,
    missed: u64,
    looked_ns: u64,
}

impl Consumer {
    /// Attaches to the lane `name`.
    ///
    /// # Errors
    /// `InvalidName`, `InvalidArgument`; `NotFound` with the places searched when no producer came
    /// in time; `TimedOut` when one is there and does not answer; `PermissionDenied`; what the
    /// producer refuses with: `LayoutMismatch` with the first differing field, `NoLeases`,
    /// `Unsupported`, and `TooMany` when it did so until the end of the time.
    pub fn open(name: &str, options: ConsumerOptions) -> Result<Consumer> {
        crate::name::validate(name)?;
        if !(1..=63).contains(&options.leases) {
            return Err(invalid(format!("{} leases, 1 to 63 can be asked for", options.leases)));
        }
        let closer = Closer::new()?;
        let deadline = Deadline::after(options.wait_for_lane);
        let mut consumer = Consumer {
            name: name.to_owned(),
            places: crate::runtime_dir::places(options.directory.as_deref()),
            options,
            current: None,
            sleeping_on: None,
            old: Vec::new(),
            poller: Poller::new(closer.fd())?,
            polled: false,
            closer,
            ended: false,
            obstacle: None,
            last: 0,
            barren: 0,
            started: false,
            announce_epoch: false,
            received: 0,
            missed: 0,
            looked_ns: monotonic_ns(),
        };
        if !consumer.attach_until(deadline)? {
            let obstacle = consumer.obstacle.take();
            return Err(obstacle.unwrap_or_else(|| not_found(name, &consumer.places)));
        }
        consumer.announce_epoch = false;
        Ok(consumer)
    }

    /// The next frame of this consumer's mode, if there is one now. After None the descriptor of
    /// [`fd`](Self::fd) is drained and armed.
    ///
    /// # Errors
    /// `LeasesInUse` when all granted frames are held; `Closed`; `Disconnected` without
    /// re-attaching; `OldEpochsHeld`; `Protocol` for impossible lane contents; `Forked`; and when
    /// re-attaching, what the new producer refuses with.
    #[inline]
    pub fn try_next(&mut self) -> Result<Option<Frame>> {
        self.refuse()?;
        if self.has_news() {
            // The frame is made where it is returned: moving it costs as much as borrowing it.
            match self.borrow(self.options.mode, self.last) {
                Borrowed::Frame(guest, token) => return Ok(Some(self.deliver(guest, token))),
                Borrowed::Nothing => {}
                Borrowed::Failed => return Err(self.failure()),
            }
        }
        self.settle_and_take()
    }

    #[cold]
    fn settle_and_take(&mut self) -> Result<Option<Frame>> {
        self.settle()?;
        self.take()
    }

    /// The next frame, waiting up to `timeout` for it. None when the time is over, which is not
    /// an error.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Frame>> {
        if let Some(frame) = self.take()? {
            return Ok(Some(frame));
        }
        let deadline = Deadline::after(timeout);
        while self.wait_until(deadline)? {
            if let Some(frame) = self.take()? {
                return Ok(Some(frame));
            }
        }
        self.take()
    }

    /// The newest valid frame, also one that was delivered before; None when there is none.
    /// Frames that an ordered reader skips by this count as missed.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next); `Unsupported` for a lossless reader, which skips nothing.
    pub fn latest(&mut self) -> Result<Option<Frame>> {
        if self.options.mode == Mode::Lossless {
            let text = "a lossless reader takes every frame: use next";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        self.refuse()?;
        if !self.has_news() {
            self.settle()?;
        }
        let newest = self.current.as_ref().map_or(0, |epoch| epoch.newest());
        if newest == 0 {
            return Ok(None);
        }
        let borrowed = self.borrow(Mode::Latest, self.last.min(newest - 1));
        self.delivered(borrowed)
    }

    /// Waits up to `timeout` until there is something to read; whether there is.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn wait(&mut self, timeout: Duration) -> Result<bool> {
        self.refuse()?;
        if self.has_news() {
            return Ok(true);
        }
        let deadline = Deadline::after(timeout);
        while self.wait_until(deadline)? {
            if self.has_news() {
                return Ok(true);
            }
        }
        Ok(self.has_news())
    }

    /// Whether there is something to read now. If not, the descriptor of [`fd`](Self::fd) is
    /// drained and armed, as after a [`try_next`](Self::try_next) that found nothing.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn ready(&mut self) -> Result<bool> {
        self.refuse()?;
        if !self.has_news() {
            self.settle()?;
        }
        Ok(self.has_news())
    }

    /// A descriptor that becomes readable when there may be a frame, for epoll, poll or an event
    /// loop. Made once; it survives re-attaching. Each time it is readable, call
    /// [`try_next`](Self::try_next) until it returns None before polling again, and expect to be
    /// woken for nothing now and then, at first for instance.
    pub fn fd(&mut self) -> BorrowedFd<'_> {
        if !self.polled && !self.closer.is_foreign() {
            // Nothing is armed yet, and a frame may be waiting: have the caller look once.
            self.polled = self.poller.ring_once(self.closer.fd()).is_ok();
        }
        self.poller.fd()
    }

    /// A handle that closes this consumer from any thread.
    pub fn closer(&self) -> Closer {
        self.closer.clone()
    }

    /// Frames delivered.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Frames that passed without being delivered, all epochs together.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Random id of the producer attached to now, 0 while there is none.
    pub fn epoch(&self) -> u64 {
        self.current.as_ref().map_or(0, |epoch| epoch.info.epoch)
    }

    /// The lane as of the last attach; None while there is no producer.
    pub fn lane(&self) -> Option<&LaneInfo> {
        self.current.as_ref().map(|epoch| &epoch.info)
    }

    /// Frames of this consumer that are held now, earlier epochs included.
    pub fn held(&self) -> u32 {
        self.current.iter().chain(&self.old).map(Epoch::guests).sum()
    }

    /// Stops reading. Held frames stay valid; the connection ends with the last of them.
    pub fn close(self) {
        drop(self);
    }

    #[inline]
    fn refuse(&self) -> Result<()> {
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

    /// Whether the lane has a frame that has neither been delivered nor found impossible.
    #[inline]
    fn has_news(&self) -> bool {
        self.current.as_ref().is_some_and(|epoch| epoch.newest() > self.last.max(self.barren))
    }

    /// The next frame of the mode, without any system call.
    #[inline]
    fn take(&mut self) -> Result<Option<Frame>> {
        self.refuse()?;
        if !self.has_news() {
            return Ok(None);
        }
        let borrowed = self.borrow(self.options.mode, self.last);
        self.delivered(borrowed)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // A closer may live longer, and is not to keep the lane mapped.
        if !self.closer.is_foreign() {
            self.closer.sleeps_on(None);
        }
    }
}
