//! Leasing the next frame, and making it what the caller gets.

use super::connect::not_found;
use super::{Consumer, Frame, Holding};
use crate::error::{Error, Result};
use crate::layout::limit::SLOTS;
use crate::layout::{ErrorKind, Mode};
use crate::mem::view::Lease;
use crate::ring::token::{sequence_of, slot_of};
use std::sync::atomic::Ordering::Relaxed;

/// What a borrow came to; small enough for registers.
pub(super) enum Borrowed {
    Frame(Holding, u64),
    Nothing,
    /// See [`Consumer::failure`].
    Failed,
}

impl Consumer {
    /// Leases a frame above `after`, all in registers.
    #[inline(always)]
    pub(super) fn borrow(&mut self, mode: Mode, after: u64) -> Borrowed {
        let Some(epoch) = &mut self.link.current else { return Borrowed::Nothing };
        let newest = epoch.newest();
        let Some(guest) = epoch.admit() else { return Borrowed::Failed };
        let token = match epoch.borrow(mode, guest.number(), after) {
            Some(token) => token,
            None => {
                self.barren = newest;
                return Borrowed::Nothing;
            }
        };
        let held = if epoch.is_device() {
            epoch.hold_device_frame(&guest, token)
        } else {
            slot_of(token) < epoch.info.slots as usize
        };
        if held {
            return Borrowed::Frame(guest, token);
        }
        epoch.release(guest.number());
        self.barren = newest;
        if !epoch.is_impossible(token) {
            drop(guest);
            return self.pass_over(mode, sequence_of(token));
        }
        self.last = sequence_of(token); // told once; what comes after it may be right
        Borrowed::Failed
    }

    /// Goes on after a device frame that is past its deadline: what comes after it may be in time.
    #[cold]
    fn pass_over(&mut self, mode: Mode, mut after: u64) -> Borrowed {
        let Some(epoch) = &mut self.link.current else { return Borrowed::Nothing };
        for _ in 0..SLOTS {
            let newest = epoch.newest();
            let Some(guest) = epoch.admit() else { return Borrowed::Failed };
            let Some(token) = epoch.borrow(mode, guest.number(), after) else {
                self.barren = newest;
                return Borrowed::Nothing;
            };
            if epoch.hold_device_frame(&guest, token) {
                return Borrowed::Frame(guest, token);
            }
            epoch.release(guest.number());
            after = sequence_of(token);
        }
        Borrowed::Nothing
    }

    /// Makes the frame of what was borrowed.
    #[inline(always)]
    pub(super) fn deliver(&mut self, guest: Holding, token: u64) -> Frame {
        let missed = self.note(sequence_of(token));
        let new_epoch = std::mem::take(&mut self.link.announce_epoch);
        Frame { guest, lease: Lease { token }, missed, selection: 0, new_epoch, switched: false }
    }

    /// A borrow as its result.
    pub(super) fn delivered(&mut self, borrowed: Borrowed) -> Result<Option<Frame>> {
        match borrowed {
            Borrowed::Frame(guest, token) => Ok(Some(self.deliver(guest, token))),
            Borrowed::Nothing => Ok(None),
            Borrowed::Failed => Err(self.failure()),
        }
    }

    /// Counts a delivered frame; how many passed before it.
    #[inline]
    fn note(&mut self, sequence: u64) -> u64 {
        let Some(epoch) = &self.link.current else { return 0 };
        if sequence <= self.last {
            return 0; // the newest once more
        }
        // What was published before this consumer came has not been missed by it.
        let missed = if self.started { sequence - self.last - 1 } else { 0 };
        self.started = true;
        self.last = sequence;
        self.received += 1;
        self.missed = self.missed.saturating_add(missed); // a hostile lane may jump at will
        epoch.page.received().store(self.received, Relaxed);
        epoch.page.missed().store(self.missed, Relaxed);
        epoch.page.last_sequence().store(sequence, Relaxed);
        missed
    }

    /// Why a borrow failed.
    #[cold]
    pub(super) fn failure(&self) -> Error {
        let Some(epoch) = &self.link.current else {
            return not_found(&self.link.name, &self.link.places);
        };
        if epoch.guests() >= self.link.wish.leases {
            let text = format!(
                "all {} frames granted on lane {:?} are held; release one",
                self.link.wish.leases, self.link.name
            );
            return Error::new(ErrorKind::LeasesInUse, text);
        }
        let text =
            format!("lane {:?} names a slot beyond its {}", self.link.name, epoch.info.slots);
        crate::error::protocol(text)
    }
}
