//! Sleeping until there is news.
//!
//! Order on every path: read the wake word, drain the descriptor, announce, fence, look again, and
//! only then sleep on the word read first.

use super::link::{Epoch, Reading};
use super::reattach::Reattach;
use crate::clock::{Deadline, monotonic_ns, timespec};
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::ring::waiting;
use rustix::io::Errno;
use rustix::thread::futex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Longest sleep on a futex before the connection is looked at: a futex does not tell of a death.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// What ended one sleep.
pub(crate) enum Woken {
    ByNews,
    BySignal,
    Not,
}

/// Waiting, for whatever kind of lane.
pub(crate) trait Waiting: Reading {
    /// Sleeps until there may be news; false when the deadline has passed.
    fn wait_until(&mut self, deadline: Deadline) -> Result<bool> {
        self.link().refuse()?;
        if self.link().current.is_none() {
            return self.attach_until(deadline);
        }
        let Some(slice) = deadline.slice(SLICE) else {
            self.look_now_and_then()?;
            return Ok(false);
        };
        match self.sleep(slice)? {
            Woken::ByNews => Ok(true),
            Woken::BySignal => Ok(!self.link().manner.return_on_signal),
            Woken::Not => {
                self.look_at_connection()?;
                Ok(true)
            }
        }
    }

    fn sleep(&mut self, slice: Duration) -> Result<Woken> {
        let link = self.link();
        let (Some(epoch), Some(word)) = (&link.current, &link.sleeping_on) else {
            return Ok(Woken::ByNews);
        };
        let (tie, word) = (epoch.tie(), word.word());
        let value = waiting::sleep_on(word);
        waiting::announce(&tie.page);
        step("wait.announced");
        if self.has_news() || link.closer.is_closed() || tie.has_closed() {
            waiting::withdraw(&tie.page);
            return match self.has_news() || link.closer.is_closed() {
                true => Ok(Woken::ByNews),
                false => Ok(Woken::Not),
            };
        }
        let slept = futex::wait(word, futex::Flags::empty(), value, Some(&timespec(slice)));
        waiting::withdraw(&tie.page);
        match slept {
            Ok(()) | Err(Errno::AGAIN) => Ok(Woken::ByNews),
            Err(Errno::INTR) => Ok(Woken::BySignal),
            Err(Errno::TIMEDOUT) => Ok(Woken::Not),
            Err(errno) => Err(Error::system("futex wait", errno)),
        }
    }

    /// After a read found nothing: empties and arms the descriptor, notices a death.
    fn settle(&mut self) -> Result<()> {
        let link = self.link();
        if link.polled {
            let tie = link.current.as_ref().map(Epoch::tie);
            let seen = link.poller.drain(tie)?;
            if let Some(tie) = tie {
                waiting::arm(&tie.page);
            }
            return self.go_on(seen.lost);
        }
        self.look_now_and_then()
    }

    /// For readers that never sleep: notices a death within a slice.
    fn look_now_and_then(&mut self) -> Result<()> {
        self.idle();
        let now = monotonic_ns();
        if now.saturating_sub(self.link().looked_ns) >= SLICE.as_nanos() as u64 {
            self.look_at_connection()?;
        }
        Ok(())
    }

    fn look_at_connection(&mut self) -> Result<()> {
        self.link_mut().looked_ns = monotonic_ns();
        let link = self.link();
        let tie = link.current.as_ref().map(Epoch::tie);
        let seen = link.poller.drain(tie)?;
        if link.polled
            && let Some(tie) = tie
        {
            waiting::arm(&tie.page); // the look may have taken a ring meant for the poller
        }
        self.go_on(seen.lost)
    }

    /// Goes on with this producer, or looks for the next. What is left to read is read first.
    fn go_on(&mut self, lost: bool) -> Result<()> {
        let over = match &self.link().current {
            None => true,
            Some(epoch) => lost || epoch.tie().has_closed(),
        };
        if !over {
            return Ok(());
        }
        if let Some(epoch) = &self.link().current {
            epoch.tie().lost.store(true, Relaxed);
            if self.has_news() && epoch.outlives_producer() {
                return Ok(());
            }
            self.lose()?;
        }
        self.link().refuse()?;
        self.try_attach().map(drop)
    }
}

impl<R: Reading + ?Sized> Waiting for R {}
