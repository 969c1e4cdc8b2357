//! Sleeping until there is news.
//!
//! Order on every path: read the wake word, drain the descriptor, announce, fence, look again, and
//! only then sleep on the word read first.

use super::Consumer;
use crate::clock::{Deadline, monotonic_ns, timespec};
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::ring::consumer as ring;
use crate::ring::waiting;
use crate::ring::words::LaneWords;
use rustix::io::Errno;
use rustix::thread::futex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Longest sleep on a futex before the connection is looked at: a futex does not tell of a death.
const SLICE: Duration = Duration::from_millis(50);

/// What ended one sleep.
enum Woken {
    ByNews,
    BySignal,
    Not,
}

impl Consumer {
    /// Sleeps until there may be news; false when the deadline has passed.
    pub(super) fn wait_until(&mut self, deadline: Deadline) -> Result<bool> {
        self.refuse()?;
        if self.current.is_none() {
            return self.attach_until(deadline);
        }
        let Some(slice) = deadline.slice(SLICE) else {
            self.look_now_and_then()?;
            return Ok(false);
        };
        match self.sleep(slice)? {
            Woken::ByNews => Ok(true),
            Woken::BySignal => Ok(!self.options.return_on_signal),
            Woken::Not => {
                self.look_at_connection()?;
                Ok(true)
            }
        }
    }

    fn sleep(&mut self, slice: Duration) -> Result<Woken> {
        let (Some(epoch), Some(word)) = (&self.current, &self.sleeping_on) else {
            return Ok(Woken::ByNews);
        };
        let word = word.word();
        let value = waiting::sleep_on(word);
        waiting::announce(&epoch.page);
        step("wait.announced");
        if self.has_news() || self.closer.is_closed() || epoch.lane.closed().load(Relaxed) != 0 {
            waiting::withdraw(&epoch.page);
            return match self.has_news() || self.closer.is_closed() {
                true => Ok(Woken::ByNews),
                false => Ok(Woken::Not),
            };
        }
        let slept = futex::wait(word, futex::Flags::empty(), value, Some(&timespec(slice)));
        waiting::withdraw(&epoch.page);
        match slept {
            Ok(()) | Err(Errno::AGAIN) => Ok(Woken::ByNews),
            Err(Errno::INTR) => Ok(Woken::BySignal),
            Err(Errno::TIMEDOUT) => Ok(Woken::Not),
            Err(errno) => Err(Error::system("futex wait", errno)),
        }
    }

    /// After a read found nothing: empties and arms the descriptor, notices a death.
    pub(super) fn settle(&mut self) -> Result<()> {
        if self.polled {
            let seen = self.poller.drain(self.current.as_deref())?;
            if let Some(epoch) = &self.current {
                waiting::arm(&epoch.page);
            }
            return self.go_on(seen.lost);
        }
        self.look_now_and_then()
    }

    /// For readers that never sleep: notices a death within a slice.
    fn look_now_and_then(&mut self) -> Result<()> {
        if let Some(epoch) = self.current.as_ref().filter(|epoch| epoch.guests() == 0) {
            ring::warm(&epoch.page, 0);
        }
        let now = monotonic_ns();
        if now.saturating_sub(self.looked_ns) >= SLICE.as_nanos() as u64 {
            self.look_at_connection()?;
        }
        Ok(())
    }

    fn look_at_connection(&mut self) -> Result<()> {
        self.looked_ns = monotonic_ns();
        let seen = self.poller.drain(self.current.as_deref())?;
        if self.polled
            && let Some(epoch) = &self.current
        {
            waiting::arm(&epoch.page); // the look may have taken a ring meant for the poller
        }
        self.go_on(seen.lost)
    }

    /// Goes on with this producer, or looks for the next. What is left to read is read first.
    fn go_on(&mut self, lost: bool) -> Result<()> {
        let over = match &self.current {
            None => true,
            Some(epoch) => lost || epoch.lane.closed().load(Relaxed) != 0,
        };
        if !over {
            return Ok(());
        }
        if let Some(epoch) = &self.current {
            epoch.lost.store(true, Relaxed);
            if self.has_news() && !epoch.is_device() {
                return Ok(());
            }
            self.lose()?;
        }
        self.refuse()?;
        self.try_attach().map(drop)
    }
}
