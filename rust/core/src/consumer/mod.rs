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
mod link;
mod options;
mod parcel;
mod poller;
mod reattach;
mod tie;
mod waiting;

pub use closer::Closer;
pub use frame::{Frame, RevocablePlane};
pub use import::register_importer;
pub use lane_info::LaneInfo;
pub use options::ConsumerOptions;

pub(crate) use connect::{Found, connect, not_found, queue_full};

pub(crate) use handshake::{ANSWER, Wish};
pub(crate) use lane_info::{check_common, wrong};
pub(crate) use link::{Epoch as EpochOf, Link, Manner, Reading};
pub(crate) use parcel::{Parcel, refuse_other};
pub(crate) use reattach::Reattach;
pub(crate) use tie::Tie;
pub(crate) use waiting::{SLICE, Waiting, Woken};

use crate::clock::Deadline;
use crate::error::{Error, Result, invalid};
use crate::hold::{Guest, Host};
use crate::layout::{ErrorKind, Mode, Welcome};
use crate::ring::consumer as ring;
use crate::ring::words::PageWords;
use attachment::{Attachment, Known};
use borrow::Borrowed;
use rustix::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

type Epoch = Host<Attachment, Known>;
type Holding = Guest<Attachment, Known>;

/// Reads one lane.
///
/// Can be sent to another thread, but is used by one at a time; [`Closer`] works from any. When
/// its producer is restarted it attaches to the new one by itself, and the next frame says so.
pub struct Consumer {
    pub(crate) link: Link<Epoch>,
    mode: Mode,
    /// Sequence delivered last in this epoch.
    last: u64,
    /// Newest sequence for which a borrow has failed: not news again until a newer one comes.
    barren: u64,
    /// Whether a frame of this epoch has been delivered.
    started: bool,
    received: u64,
    missed: u64,
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
        let deadline = Deadline::after(options.wait_for_lane);
        let mut consumer = Self::detached(name, options)?;
        consumer.attach_first(deadline)?;
        Ok(consumer)
    }

    /// A consumer that has yet to look for its lane.
    pub(crate) fn detached(name: &str, options: ConsumerOptions) -> Result<Consumer> {
        if !(1..=63).contains(&options.leases) {
            return Err(invalid(format!("{} leases, 1 to 63 can be asked for", options.leases)));
        }
        let ConsumerOptions { mode, leases, wants_writable, .. } = options;
        let wish = Wish { mode, leases, wants_writable, stream: None, switch: false };
        let manner =
            Manner { reattach: options.reattach, return_on_signal: options.return_on_signal };
        Ok(Consumer {
            link: Link::new(name, options.directory, wish, manner)?,
            mode,
            last: 0,
            barren: 0,
            started: false,
            received: 0,
            missed: 0,
        })
    }

    /// Goes on after others were read: what passed meanwhile has not been missed.
    pub(crate) fn resume(&mut self) {
        self.started = false;
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
        self.link.refuse()?;
        if self.has_news() {
            // The frame is made where it is returned: moving it costs as much as borrowing it.
            match self.borrow(self.mode, self.last) {
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
        if self.mode == Mode::Lossless {
            let text = "a lossless reader takes every frame: use next";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        self.link.refuse()?;
        if !self.has_news() {
            self.settle()?;
        }
        self.take_latest()
    }

    /// The newest valid frame, without any system call.
    pub(crate) fn take_latest(&mut self) -> Result<Option<Frame>> {
        let newest = self.link.current.as_ref().map_or(0, |epoch| epoch.newest());
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
        self.link.refuse()?;
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

    /// Whether a read would find something at once. It only looks at the lane's memory: it neither
    /// arms the descriptor nor looks for a producer.
    #[inline]
    pub fn is_ready(&self) -> bool {
        self.has_news()
    }

    /// Whether there is something to read now. If not, the descriptor of [`fd`](Self::fd) is
    /// drained and armed, as after a [`try_next`](Self::try_next) that found nothing.
    ///
    /// # Errors
    /// As [`try_next`](Self::try_next).
    pub fn ready(&mut self) -> Result<bool> {
        self.link.refuse()?;
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
        self.link.fd()
    }

    /// A handle that closes this consumer from any thread.
    pub fn closer(&self) -> Closer {
        self.link.closer.clone()
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
        self.link.current.as_ref().map_or(0, |epoch| epoch.info.epoch)
    }

    /// The lane as of the last attach; None while there is no producer.
    pub fn lane(&self) -> Option<&LaneInfo> {
        self.link.current.as_ref().map(|epoch| &epoch.info)
    }

    /// Frames of this consumer that are held now, earlier epochs included.
    pub fn held(&self) -> u32 {
        self.link.held()
    }

    /// Stops reading. Held frames stay valid; the connection ends with the last of them.
    pub fn close(self) {
        drop(self);
    }

    /// The next frame of the mode, without any system call.
    #[inline]
    pub(crate) fn take(&mut self) -> Result<Option<Frame>> {
        self.link.refuse()?;
        if !self.has_news() {
            return Ok(None);
        }
        let borrowed = self.borrow(self.mode, self.last);
        self.delivered(borrowed)
    }
}

impl link::Epoch for Epoch {
    fn tie(&self) -> &Tie {
        &self.tie
    }

    fn held(&self) -> u32 {
        self.guests()
    }

    fn outlives_producer(&self) -> bool {
        !self.is_device()
    }
}

impl Reading for Consumer {
    type Epoch = Epoch;

    fn link(&self) -> &Link<Epoch> {
        &self.link
    }

    fn link_mut(&mut self) -> &mut Link<Epoch> {
        &mut self.link
    }

    #[inline]
    fn has_news(&self) -> bool {
        self.link.current.as_ref().is_some_and(|epoch| epoch.newest() > self.last.max(self.barren))
    }

    fn open_epoch(&self, parcel: Parcel, connection: OwnedFd, welcome: &Welcome) -> Result<Epoch> {
        let attachment = parcel.open(&self.link.name, &self.link.wish, connection, welcome)?;
        Ok(Epoch::new(attachment, self.link.wish.leases))
    }

    fn begin(&mut self, epoch: &Epoch) {
        self.last = match self.mode {
            Mode::Lossless => epoch.page.cursor().load(Relaxed).saturating_sub(1),
            Mode::Latest | Mode::Ordered => 0,
        };
        // A lossless reader has joined before its first frame: a gap there would be a loss.
        self.started = self.mode == Mode::Lossless;
        self.barren = 0;
        if self.mode == Mode::Ordered && epoch.info.history == 0 {
            tracing::warn!(
                lane = self.link.name,
                "ordered reading of a lane without history: only the newest frame is reachable"
            );
        }
    }

    fn idle(&self) {
        if let Some(epoch) = self.link.current.as_ref().filter(|epoch| epoch.guests() == 0) {
            ring::warm(&epoch.page, 0);
        }
    }
}
