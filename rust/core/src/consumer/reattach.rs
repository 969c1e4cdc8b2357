//! Finding a producer, losing it, and finding the next one.

use super::connect::{Found, connect, queue_full};
use super::{Consumer, Epoch, handshake};
use crate::clock::{Deadline, monotonic_ns};
use crate::consumer::bell::WakeWord;
use crate::error::{Error, Result};
use crate::layout::{ErrorKind, Mode};
use crate::ring::waiting;
use crate::ring::words::PageWords;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Earlier epochs that may stay mapped because frames of them are held.
const OLD_EPOCHS: usize = 2;

/// Longest wait before the places are looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// First wait where a producer is there but has no room now; doubled up to `LOOK_AGAIN`.
const TRY_AGAIN: Duration = Duration::from_millis(2);

impl Consumer {
    /// Attaches to a producer, waiting for one until the deadline or, where that was asked for, a
    /// signal; whether there is one.
    pub(super) fn attach_until(&mut self, deadline: Deadline) -> Result<bool> {
        let mut pause = TRY_AGAIN;
        loop {
            self.refuse()?;
            if self.try_attach()? {
                return Ok(true);
            }
            let wait = if self.obstacle.is_some() { pause } else { LOOK_AGAIN };
            let Some(slice) = deadline.slice(wait) else { return Ok(false) };
            if self.poller.wait(None, slice)?.interrupted && self.options.return_on_signal {
                return Ok(false);
            }
            pause = LOOK_AGAIN.min(pause * 2);
        }
    }

    /// One attempt; whether it succeeded. Failures that another moment may cure are no errors;
    /// where a producer is there, `obstacle` says what it lacks.
    pub(super) fn try_attach(&mut self) -> Result<bool> {
        // Watch first: a producer that comes between the look and the wait must wake us, and
        // whoever cures an error below polls this descriptor for the next attempt.
        self.poller.search(&self.places)?;
        self.make_room_for_epoch()?;
        self.obstacle = None;
        let connection = match connect(&self.name, &self.places)? {
            Found::Connected(connection) => connection,
            Found::Nobody => return Ok(false),
            Found::Busy => {
                self.obstacle = Some(queue_full(&self.name));
                return Ok(false);
            }
        };
        match handshake::attach(&self.name, &self.options, connection) {
            Ok(attachment) => {
                self.poller.attached(&attachment)?;
                self.begin(Epoch::new(attachment, self.options.leases));
                Ok(true)
            }
            // It died or ended on us.
            Err(error) if error.kind() == ErrorKind::Disconnected => Ok(false),
            Err(error) => {
                let error = error.context(format!("attaching to lane {:?}", self.name));
                match error.kind() {
                    // It is busy with others, who come back all at once when it was restarted, or
                    // does not answer now.
                    ErrorKind::TooMany | ErrorKind::TimedOut => {
                        tracing::info!(%error, "will try again");
                        self.obstacle = Some(error);
                        Ok(false)
                    }
                    _ => Err(error),
                }
            }
        }
    }

    fn begin(&mut self, epoch: Epoch) {
        let word = WakeWord::of(&epoch.lane, &epoch.bell);
        self.closer.sleeps_on(Some(word.clone()));
        self.sleeping_on = Some(word);
        self.last = match self.options.mode {
            Mode::Lossless => epoch.page.cursor().load(Relaxed).saturating_sub(1),
            Mode::Latest | Mode::Ordered => 0,
        };
        // A lossless reader has joined before its first frame: a gap there would be a loss.
        self.started = self.options.mode == Mode::Lossless;
        self.barren = 0;
        self.announce_epoch = true;
        self.looked_ns = monotonic_ns();
        if self.options.mode == Mode::Ordered && epoch.info.history == 0 {
            tracing::warn!(
                lane = self.name,
                "ordered reading of a lane without history: only the newest frame is reachable"
            );
        }
        if self.polled {
            // The look that led here has armed the page of the epoch before, if any.
            waiting::arm(&epoch.page);
        }
        self.current = Some(epoch);
    }

    /// The producer is gone: its frames that are held stay, the rest is let go.
    pub(super) fn lose(&mut self) -> Result<()> {
        if let Some(epoch) = self.current.take() {
            epoch.lost.store(true, Relaxed);
            self.poller.detached(&epoch);
            self.closer.sleeps_on(None);
            self.sleeping_on = None;
            if epoch.guests() > 0 {
                self.old.push(epoch);
            }
        }
        self.ended = !self.options.reattach;
        self.refuse_detached()
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

    fn make_room_for_epoch(&mut self) -> Result<()> {
        self.old.retain(|epoch| epoch.guests() > 0);
        if self.old.len() < OLD_EPOCHS {
            return Ok(());
        }
        let held: u32 = self.old.iter().map(Epoch::guests).sum();
        let text = format!(
            "{held} frames of {OLD_EPOCHS} earlier producers of lane {:?} are still held; release \
             them to attach to the next",
            self.name
        );
        Err(Error::new(ErrorKind::OldEpochsHeld, text))
    }
}
