//! A lane from its producer's side: claim, publish, and everything they touch.

use super::base::Base;
use super::external::{Return, Returns};
use super::frame_mut::FrameMut;
use super::state::{Busy, State};
use crate::clock::{Deadline, monotonic_ns};
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::hold::Tally;
use crate::layout::{ErrorKind, FrameDescriptor, MemoryKind};
use crate::mem::view::{Claim, LaneView};
use crate::ring::producer as ring;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by the producer handle, its claimed frames and its service thread.
pub(crate) struct Lane {
    pub(crate) base: Base,
    pub(crate) view: LaneView,
    pub(crate) template: FrameDescriptor,
    pub(crate) state: Mutex<State>,
    pub(crate) returns: Returns,
    /// Claims that are over, with which the last claimed frame finds itself the last.
    pub(crate) claims_left: Tally,
}

impl Deref for Lane {
    type Target = Base;
    #[inline]
    fn deref(&self) -> &Base {
        &self.base
    }
}

impl Lane {
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the mutex cannot leave shared memory half-changed in a way that matters:
        // each step of the ring is safe to stop at, as for a killed process.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims a slot; without a deadline at once or not at all. Everything but the case of a free
    /// slot is kept out of line, so that a claimed frame is made in place.
    #[inline(always)]
    pub(crate) fn claim(self: &Arc<Self>, deadline: Option<Deadline>) -> Result<FrameMut> {
        self.refuse_fork()?;
        if self.facts.memory_kind != MemoryKind::Inline {
            return Err(self.external_only());
        }
        let mut state = self.lock();
        let slot = match state.claim(&self.view, &self.facts) {
            Ok(slot) => {
                self.let_go(state);
                slot
            }
            Err(busy) => self.claim_later(state, busy, deadline)?,
        };
        Ok(FrameMut::new(self, Claim { slot }))
    }

    #[cold]
    fn external_only(&self) -> Error {
        let text = format!("lane {:?} takes frames through publish_external", self.facts.name);
        Error::new(ErrorKind::Unsupported, text)
    }

    /// Waits for a release, a cursor step or a detach.
    #[cold]
    fn claim_later(
        &self,
        mut state: MutexGuard<'_, State>,
        mut busy: Busy,
        deadline: Option<Deadline>,
    ) -> Result<usize> {
        let Some(deadline) = deadline else { return Err(self.no_slot(&mut state, &busy)) };
        state.claimants += 1;
        let claimed = loop {
            // Announce first, then look again: a release in between rings.
            ring::want_release(&self.view);
            busy = match state.claim(&self.view, &self.facts) {
                Ok(slot) => break Ok(slot),
                Err(busy) => busy,
            };
            let left = deadline.left().filter(|_| !matches!(busy, Busy::Closed));
            let Some(left) = left else { break Err(self.no_slot(&mut state, &busy)) };
            self.report_cheats(&state);
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.claimants -= 1;
        let mut returns = Vec::new();
        state.ask_for_releases(&self.view, &mut returns); // clears the wish if nobody has it
        self.let_go(state);
        self.returns.hand_over(returns);
        claimed
    }

    #[cold]
    pub(super) fn no_slot(&self, state: &mut State, busy: &Busy) -> Error {
        if matches!(busy, Busy::Closed) {
            return self.closed();
        }
        state.counts.no_free_slot += 1;
        self.report_cheats(state);
        let name = &self.facts.name;
        let text = match busy {
            Busy::Claims => format!(
                "lane {name:?}: this producer already holds its {} claimed frames; publish or \
                 abandon one",
                self.facts.claims
            ),
            Busy::Lossless => format!("lane {name:?} waits for {}", state.laggards()),
            Busy::Slots | Busy::Closed => {
                format!("lane {name:?}: every slot is held: {}", state.holders())
            }
        };
        Error::new(ErrorKind::NoFreeSlot, text)
    }

    /// Publishes claimed slots in order; the last sequence, and whether the claims are already
    /// counted out, so that their frames end without another word to the lane.
    #[inline(always)]
    pub(crate) fn publish(&self, claims: &mut [&mut Claim]) -> Result<(u64, bool)> {
        self.refuse_fork()?;
        let now = monotonic_ns();
        let mut state = self.lock();
        if state.closed {
            return Err(self.closed());
        }
        let first = state.ring.upcoming(0);
        for (sequence, claim) in (first..).zip(claims.iter_mut()) {
            let descriptor = self.view.claimed_descriptor(claim);
            descriptor.sequence = sequence;
            descriptor.publish_ns = now;
            descriptor.valid_until_ns = 0;
        }
        step("publish.described");
        let last = match claims {
            [claim] => state.ring.publish(&self.view, &[claim.slot]),
            claims => {
                let slots: Vec<usize> = claims.iter().map(|claim| claim.slot).collect();
                state.ring.publish(&self.view, &slots)
            }
        };
        let published = last + 1 - first;
        state.counts.published += published;
        state.claims_out -= published as u32;
        let silent = !state.somebody_waits();
        if silent {
            // Nothing is left to do outside the mutex: the claims end inside it, which saves
            // counting them out one by one.
            state.claims_made -= published;
            drop(state);
        } else {
            self.ring_waiting(state);
        }
        step("publish.rung");
        Ok((last, silent))
    }

    /// Wakes and rings whoever waits; consumes the guard, as it makes system calls.
    #[cold]
    fn ring_waiting(&self, mut state: MutexGuard<'_, State>) {
        let ringing = state.members.ringing();
        let wake_claimants = state.claimants > 0;
        drop(state);
        ringing.ring(&self.view);
        if wake_claimants {
            self.changed.notify_all();
        }
    }

    /// Gives a claimed slot back unpublished.
    pub(crate) fn abandon(&self, slot: usize) {
        let mut state = self.lock();
        state.ring.abandon(slot);
        state.counts.abandoned += 1;
        state.claims_out -= 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Something was released or somebody left: returns buffers and lets claimants look again.
    pub(crate) fn released(&self) {
        let mut returns = Vec::new();
        let mut state = self.lock();
        state.ask_for_releases(&self.view, &mut returns);
        drop(state);
        self.changed.notify_all();
        self.returns.hand_over(returns);
    }

    /// Ends the lane: nothing is claimed or published from here on, and everybody is told.
    pub(crate) fn close(&self) {
        let mut returns: Vec<Return> = Vec::new();
        let mut state = self.lock();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        state.take_all(&self.view, &mut returns);
        ring::close(&self.view);
        let ringing = state.members.everybody();
        drop(state);
        self.tell_end(&self.view, ringing);
        self.returns.hand_over(returns);
        step("close.rung");
    }

    /// Releases the mutex after a claim, and has the liars it found disconnected.
    #[inline]
    pub(super) fn let_go(&self, state: MutexGuard<'_, State>) {
        let liars = !state.members.cheats.is_empty();
        drop(state);
        if liars {
            self.wake_service();
        }
    }

    fn report_cheats(&self, state: &State) {
        if !state.members.cheats.is_empty() {
            self.wake_service();
        }
    }
}
