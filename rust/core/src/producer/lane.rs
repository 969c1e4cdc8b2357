//! A lane from its producer's side: claim, publish, and everything they touch.

use super::bell::wake;
use super::external::{Held, Owner, Return, Returns};
use super::facts::Facts;
use super::frame_mut::FrameMut;
use super::state::{Busy, State};
use crate::clock::{Deadline, monotonic_ns};
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::fork;
use crate::layout::{ErrorKind, FrameDescriptor, MemoryKind};
use crate::mem::view::{Claim, LaneView};
use crate::ring::words::LaneWords;
use rustix::fd::OwnedFd;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Shared by the producer handle, its claimed frames and its service thread.
pub(crate) struct Lane {
    pub(crate) facts: Facts,
    pub(crate) view: LaneView,
    pub(crate) memory: OwnedFd,
    pub(crate) template: FrameDescriptor,
    pub(crate) state: Mutex<State>,
    /// A release, a cursor step, a detach or a close: claimants look again.
    pub(crate) changed: Condvar,
    pub(crate) returns: Returns,
    /// Eventfd that wakes the service thread.
    pub(crate) control: OwnedFd,
    pub(crate) copied_bytes: AtomicU64,
    pub(crate) generation: u64,
}

impl Lane {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the mutex cannot leave shared memory half-changed in a way that matters:
        // each step of the ring is safe to stop at, as for a killed process.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The frame memory of this process, or an error in a forked child.
    #[inline]
    pub(crate) fn refuse_fork(&self) -> Result<()> {
        if fork::is_foreign(self.generation) {
            return Err(forked(&self.facts.name));
        }
        Ok(())
    }

    /// Claims a slot; without a deadline at once or not at all.
    #[inline]
    pub(crate) fn claim(self: &Arc<Self>, deadline: Option<Deadline>) -> Result<FrameMut> {
        self.refuse_fork()?;
        if self.facts.memory_kind != MemoryKind::Inline {
            let text = format!("lane {:?} takes frames through publish_external", self.facts.name);
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let slot = self.claim_slot(deadline)?;
        Ok(FrameMut::new(self.clone(), Claim { slot }))
    }

    #[inline]
    fn claim_slot(&self, deadline: Option<Deadline>) -> Result<usize> {
        let mut state = self.lock();
        match (self.try_claim(&mut state)?, deadline) {
            (Ok(slot), _) => Ok(slot),
            (Err(busy), None) => Err(self.no_free_slot(&mut state, &busy)),
            (Err(_), Some(deadline)) => self.claim_later(state, deadline),
        }
    }

    #[inline]
    fn try_claim(&self, state: &mut State) -> Result<std::result::Result<usize, Busy>> {
        if state.closed {
            let text = format!("lane {:?} is closed", self.facts.name);
            return Err(Error::new(ErrorKind::Closed, text));
        }
        Ok(state.claim(&self.view, self.facts.claims))
    }

    /// Waits for a release, a cursor step or a detach.
    #[cold]
    fn claim_later(&self, mut state: MutexGuard<'_, State>, deadline: Deadline) -> Result<usize> {
        state.claimants += 1;
        let claimed = loop {
            // Announce first, then look again: a release in between rings.
            state.ring.want_release(&self.view);
            let busy = match self.try_claim(&mut state) {
                Err(closed) => break Err(closed),
                Ok(Ok(slot)) => break Ok(slot),
                Ok(Err(busy)) => busy,
            };
            let Some(left) = deadline.left() else {
                break Err(self.no_free_slot(&mut state, &busy));
            };
            self.report_cheats(&state);
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.claimants -= 1;
        let mut returns = Vec::new();
        state.ask_for_releases(&self.view, &mut returns); // clears the wish if nobody has it
        drop(state);
        self.returns.hand_over(returns);
        claimed
    }

    fn no_free_slot(&self, state: &mut State, busy: &Busy) -> Error {
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
            Busy::Slots => format!("lane {name:?}: every slot is held: {}", state.holders()),
        };
        Error::new(ErrorKind::NoFreeSlot, text)
    }

    /// Publishes claimed slots in order.
    #[inline]
    pub(crate) fn publish(&self, claims: &mut [&mut Claim]) -> Result<u64> {
        self.refuse_fork()?;
        debug_assert!(claims.len() <= 64, "claims are slots");
        let now = monotonic_ns();
        let mut slots = [0; 64];
        for (slot, claim) in slots.iter_mut().zip(claims.iter()) {
            *slot = claim.slot;
        }
        let mut state = self.lock();
        if state.closed {
            let text = format!("lane {:?} is closed", self.facts.name);
            return Err(Error::new(ErrorKind::Closed, text));
        }
        let first = state.ring.upcoming(0);
        for (sequence, claim) in (first..).zip(claims.iter_mut()) {
            let descriptor = self.view.claimed_descriptor(claim);
            descriptor.sequence = sequence;
            descriptor.publish_ns = now;
            descriptor.valid_until_ns = 0;
        }
        step("publish.described");
        let last = state.ring.publish(&self.view, &slots[..claims.len()]);
        state.claims_out -= claims.len() as u32;
        state.counts.published += claims.len() as u64;
        let ringing = state.ringing();
        let wake_claimants = state.claimants > 0;
        drop(state);
        ringing.ring(&self.view);
        step("publish.rung");
        if wake_claimants {
            self.changed.notify_all();
        }
        Ok(last)
    }

    /// Publishes a frame that lives in a device buffer.
    pub(crate) fn publish_external(
        self: &Arc<Self>,
        descriptor: &FrameDescriptor,
        owner: Owner,
    ) -> Result<u64> {
        self.refuse_fork()?;
        self.facts.check_external(descriptor)?;
        let mut returns = Vec::new();
        let mut state = self.lock();
        state.collect(&self.view, &mut returns);
        let slot = match self.try_claim(&mut state) {
            Ok(Ok(slot)) => slot,
            Ok(Err(busy)) => {
                let error = self.no_free_slot(&mut state, &busy);
                drop(state);
                self.returns.hand_over(returns);
                return Err(error);
            }
            Err(closed) => return Err(closed),
        };
        let deadline_ns = self.store_external(&mut state, slot, descriptor);
        state.held[slot] = Some(Held { owner, deadline_ns, expired: false });
        let sequence = state.ring.publish(&self.view, &[slot]);
        state.claims_out -= 1;
        state.counts.published += 1;
        state.ask_for_releases(&self.view, &mut returns);
        let ringing = state.ringing();
        let wake_service = deadline_ns != 0 && std::mem::take(&mut state.service_idle);
        drop(state);
        ringing.ring(&self.view);
        if wake_service {
            self.wake_service();
        }
        self.returns.hand_over(returns);
        Ok(sequence)
    }

    /// Stores the descriptor of a claimed device slot; its deadline.
    fn store_external(&self, state: &mut State, slot: usize, descriptor: &FrameDescriptor) -> u64 {
        let now = monotonic_ns();
        let deadline_ns = match self.facts.lease_ns {
            0 => 0,
            lease => now.saturating_add(lease),
        };
        let mut stored = *descriptor;
        stored.sequence = state.ring.upcoming(0);
        stored.publish_ns = now;
        stored.valid_until_ns = deadline_ns;
        stored.memory_kind = self.facts.memory_kind.number();
        self.view.store_descriptor(&mut Claim { slot }, &stored);
        deadline_ns
    }

    /// Gives a claimed slot back unpublished.
    pub(crate) fn abandon(&self, slot: usize) {
        let mut state = self.lock();
        state.ring.abandon(slot);
        state.claims_out -= 1;
        state.counts.abandoned += 1;
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
        state.take_back(&self.view, true, &mut returns);
        self.view.closed().store(1, Relaxed);
        step("close.flagged");
        self.view.wake().fetch_add(1, Relaxed);
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        let ringing = state.everybody();
        drop(state);
        ringing.ring(&self.view);
        self.changed.notify_all();
        self.wake_service();
        self.returns.hand_over(returns);
        self.returns.finish();
        wake(self.view.wake(), i32::MAX as u32);
        step("close.rung");
    }

    pub(crate) fn wake_service(&self) {
        let _ = rustix::io::write(&self.control, &1u64.to_ne_bytes());
    }

    fn report_cheats(&self, state: &State) {
        if !state.cheats.is_empty() {
            self.wake_service();
        }
    }
}

pub(crate) fn forked(name: &str) -> Error {
    let text = format!("lane {name:?} was opened before a fork; open it again in this process");
    Error::new(ErrorKind::Forked, text)
}
