//! Finding a producer, losing it, and finding the next one.

use super::connect::{Found, connect, not_found, queue_full};
use super::handshake;
use super::link::{Epoch, LOOK_AGAIN, Reading};
use crate::clock::{Deadline, monotonic_ns};
use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::ring::waiting;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Earlier epochs that may stay mapped because frames of them are held.
const OLD_EPOCHS: usize = 2;

/// First wait where a producer is there but has no room now; doubled up to `LOOK_AGAIN`.
const TRY_AGAIN: Duration = Duration::from_millis(2);

/// Attaching and re-attaching, for whatever kind of lane.
pub(crate) trait Reattach: Reading {
    /// The first attach.
    ///
    /// # Errors
    /// `NotFound` when no producer came in time, or what the one that is there lacks.
    fn attach_first(&mut self, deadline: Deadline) -> Result<()> {
        if !self.attach_until(deadline)? {
            let link = self.link_mut();
            let obstacle = link.obstacle.take();
            return Err(obstacle.unwrap_or_else(|| not_found(&link.name, &link.places)));
        }
        Ok(())
    }

    /// Attaches to a producer, waiting for one until the deadline or, where that was asked for, a
    /// signal; whether there is one.
    fn attach_until(&mut self, deadline: Deadline) -> Result<bool> {
        let mut pause = TRY_AGAIN;
        loop {
            self.link().refuse()?;
            if self.try_attach()? {
                return Ok(true);
            }
            let link = self.link();
            let wait = if link.obstacle.is_some() { pause } else { LOOK_AGAIN };
            let Some(slice) = deadline.slice(wait) else { return Ok(false) };
            if link.poller.wait(None, slice)?.interrupted && link.manner.return_on_signal {
                return Ok(false);
            }
            pause = LOOK_AGAIN.min(pause * 2);
        }
    }

    /// One attempt; whether it succeeded. Failures that another moment may cure are no errors;
    /// where a producer is there, `obstacle` says what it lacks.
    fn try_attach(&mut self) -> Result<bool> {
        let link = self.link_mut();
        // Watch first: a producer that comes between the look and the wait must wake us, and
        // whoever cures an error below polls this descriptor for the next attempt.
        link.poller.search(&link.places)?;
        self.make_room_for_epoch()?;
        let link = self.link_mut();
        link.obstacle = None;
        let connection = match connect(&link.name, &link.places)? {
            Found::Connected(connection) => connection,
            Found::Nobody => return Ok(false),
            Found::Busy => {
                link.obstacle = Some(queue_full(&link.name));
                return Ok(false);
            }
        };
        match handshake::attach(self, connection) {
            Ok(epoch) => {
                self.link_mut().poller.attached(epoch.tie())?;
                self.attached(epoch);
                Ok(true)
            }
            // It died or ended on us.
            Err(error) if error.kind() == ErrorKind::Disconnected => Ok(false),
            Err(error) => {
                let link = self.link_mut();
                let error = error.context(format!("attaching to lane {:?}", link.name));
                match error.kind() {
                    // It is busy with others, who come back all at once when it was restarted, or
                    // does not answer now.
                    ErrorKind::TooMany | ErrorKind::TimedOut => {
                        tracing::info!(%error, "will try again");
                        link.obstacle = Some(error);
                        Ok(false)
                    }
                    _ => Err(error),
                }
            }
        }
    }

    fn attached(&mut self, epoch: Self::Epoch) {
        self.begin(&epoch);
        let link = self.link_mut();
        let word = epoch.tie().wake_word();
        link.closer.sleeps_on(Some(word.clone()));
        link.sleeping_on = Some(word);
        link.announce_epoch = std::mem::replace(&mut link.attached_before, true);
        link.looked_ns = monotonic_ns();
        if link.polled {
            // The look that led here has armed the page of the epoch before, if any.
            waiting::arm(&epoch.tie().page);
        }
        link.current = Some(epoch);
    }

    /// The producer is gone: what is held of it stays, the rest is let go.
    fn lose(&mut self) -> Result<()> {
        let link = self.link_mut();
        if let Some(epoch) = link.current.take() {
            epoch.tie().lost.store(true, Relaxed);
            link.poller.detached(epoch.tie());
            link.closer.sleeps_on(None);
            link.sleeping_on = None;
            if epoch.held() > 0 {
                link.old.push(epoch);
            }
        }
        link.ended = !link.manner.reattach;
        link.refuse_detached()
    }

    fn make_room_for_epoch(&mut self) -> Result<()> {
        let link = self.link_mut();
        link.old.retain(|epoch| epoch.held() > 0);
        if link.old.len() < OLD_EPOCHS {
            return Ok(());
        }
        let held: u32 = link.old.iter().map(Epoch::held).sum();
        let text = format!(
            "{held} frames of {OLD_EPOCHS} earlier producers of lane {:?} are still held; release \
             them to attach to the next",
            link.name
        );
        Err(Error::new(ErrorKind::OldEpochsHeld, text))
    }
}

impl<R: Reading + ?Sized> Reattach for R {}
