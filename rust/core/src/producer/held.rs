//! Device frames that are out: when each comes back, and whom it is taken from.

use super::external::Return;
use super::state::{State, bits};
use crate::mem::view::LaneView;
use crate::ring::producer as ring;
use crate::ring::words::LaneWords;
use std::sync::atomic::Ordering::Relaxed;

impl State {
    /// Takes back the retired device frames that nobody names, and those that were past their
    /// deadline before anybody named them: nobody honest borrows such a frame.
    pub(crate) fn collect(&mut self, lane: &LaneView, into: &mut Vec<Return>) {
        let pinned = self.pinned();
        for slot in bits(self.ring.retired()) {
            if pinned & 1 << slot == 0 {
                self.take_unnamed(lane, slot, into);
            } else if self.held.get(slot).and_then(Option::as_ref).is_some_and(|h| h.expired) {
                self.revoke(lane, slot, into);
            }
        }
    }

    fn take_unnamed(&mut self, lane: &LaneView, slot: usize, into: &mut Vec<Return>) {
        let sequence = self.ring.sequence(slot);
        if let Some(held) = self.held.get_mut(slot).and_then(Option::take) {
            self.ring.collect(lane, slot);
            into.push(held.into_return(sequence, false));
        }
    }

    /// The owner that still stands in a slot just claimed: its frame was released after the last
    /// look at the cells and before the claim's own.
    pub(crate) fn take_displaced(&mut self, slot: usize, into: &mut Vec<Return>) {
        let sequence = self.ring.sequence(slot);
        if let Some(held) = self.held[slot].take() {
            into.push(held.into_return(sequence, false));
        }
    }

    /// Asks consumers to ring on release while somebody still holds a retired device frame or a
    /// claim waits, and stops asking when not. Returns what a last look found free.
    pub(crate) fn ask_for_releases(&mut self, lane: &LaneView, into: &mut Vec<Return>) {
        ring::want_release(lane);
        self.collect(lane, into);
        let wanted = self.claimants > 0 || bits(self.ring.retired()).any(|s| self.is_held(s));
        if !wanted {
            lane.release_wanted().store(0, Relaxed);
        }
    }

    fn is_held(&self, slot: usize) -> bool {
        self.held.get(slot).is_some_and(Option::is_some)
    }

    /// Takes device frames back whose deadline has passed: retired ones nobody names simply go
    /// back, named ones are revoked, an unnamed newest frame stays.
    pub(crate) fn expire(&mut self, lane: &LaneView, now_ns: u64, into: &mut Vec<Return>) {
        if self.held.is_empty() {
            return;
        }
        self.collect(lane, into);
        let pinned = self.pinned();
        let retired = self.ring.retired();
        for slot in bits(self.ring.ready() | retired) {
            let Some(held) = self.held[slot].as_mut() else { continue };
            if held.deadline_ns == 0 || held.expired || now_ns < held.deadline_ns {
                continue;
            }
            match (pinned & 1 << slot != 0, retired & 1 << slot != 0) {
                (true, _) => self.revoke(lane, slot, into),
                (false, true) => self.take_unnamed(lane, slot, into),
                (false, false) => held.expired = true,
            }
        }
    }

    /// Takes one device frame from whoever holds it, and counts it against them.
    fn revoke(&mut self, lane: &LaneView, slot: usize, into: &mut Vec<Return>) {
        let sequence = self.ring.sequence(slot);
        let before = self.counts.revoked;
        for member in self.members.iter_mut() {
            if self.ring.pinned_by(&member.page, member.leases) & 1 << slot != 0 {
                member.revoked += 1;
                self.counts.revoked += 1;
            }
        }
        self.ring.revoke(lane, slot);
        if let Some(held) = self.held[slot].take() {
            into.push(held.into_return(sequence, self.counts.revoked > before));
        }
    }

    /// Takes every device frame back, whoever holds it: the lane ends.
    pub(crate) fn take_all(&mut self, lane: &LaneView, into: &mut Vec<Return>) {
        for slot in bits(self.ring.ready() | self.ring.retired()) {
            if self.is_held(slot) {
                self.revoke(lane, slot, into);
            }
        }
    }

    /// Takes back every device frame that nobody holds, the newest included. They are retired
    /// first, so that nobody can borrow one between the look at the cells and its return.
    pub(crate) fn recall(&mut self, lane: &LaneView, into: &mut Vec<Return>) {
        if !self.held.is_empty() {
            self.ring.retire_all(lane);
            self.ask_for_releases(lane, into);
        }
    }

    /// Earliest deadline of a device frame that has not passed yet.
    pub(crate) fn next_deadline_ns(&self) -> Option<u64> {
        let pending = self.held.iter().flatten().filter(|held| !held.expired);
        pending.map(|held| held.deadline_ns).filter(|&deadline| deadline != 0).min()
    }
}
