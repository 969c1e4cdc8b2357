//! The producer's state behind its one in-process mutex.
//!
//! The mutex is held for bounded scans only: never across a fill, an owner, a callback or a system
//! call. Whatever those need is collected here and done by the caller afterwards.

use super::bell::Bell;
use super::external::Held;
use super::facts::Facts;
use crate::layout::{LaneFlag, Mode};
use crate::mem::view::{LaneView, PageView};
use crate::ring::producer::{self as ring, Ring};
use crate::ring::waiting;
use crate::ring::words::LaneWords;
use std::sync::Arc;

/// A consumer that is LIVE: from before its Welcome until its death is noticed.
pub(crate) struct Member {
    pub(crate) id: u32,
    pub(crate) pid: u32,
    pub(crate) uid: u32,
    pub(crate) leases: usize,
    pub(crate) mode: Mode,
    pub(crate) page: PageView,
    pub(crate) bell: Arc<Bell>,
    pub(crate) attached_ns: u64,
    pub(crate) revoked: u64,
    /// Ticket answered last.
    pub(crate) answered: u32,
    /// Largest cursor seen: the page may say anything.
    pub(crate) cursor: u64,
}

/// Numbers for `info` and `top`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) published: u64,
    pub(crate) abandoned: u64,
    pub(crate) no_free_slot: u64,
    pub(crate) revoked: u64,
    pub(crate) departed_copied: u64,
}

/// Everything the mutex guards.
pub(crate) struct State {
    pub(crate) ring: Ring,
    pub(crate) members: Vec<Member>,
    pub(crate) held: Vec<Option<Held>>,
    pub(crate) counts: Counts,
    pub(crate) claims_out: u32,
    /// Claims made, less those that ended under this mutex. The others count themselves out in
    /// the lane's tally.
    pub(crate) claims_made: u64,
    /// Threads waiting in a claim.
    pub(crate) claimants: u32,
    /// Consumers to disconnect, with the reason; the service thread does it.
    pub(crate) cheats: Vec<(u32, String)>,
    /// The service thread sleeps without a deadline: the next device frame must wake it.
    pub(crate) service_idle: bool,
    pub(crate) closed: bool,
}

/// Bells to ring once the mutex is released.
#[derive(Default)]
pub(crate) struct Ringing {
    pub(crate) shared_sleepers: bool,
    pub(crate) sleepers: Vec<Arc<Bell>>,
    pub(crate) pollers: Vec<Arc<Bell>>,
}

impl Ringing {
    /// Makes the system calls: one for all sleepers on the lane's word, one for each other bell.
    pub(crate) fn ring(self, lane: &LaneView) {
        if self.shared_sleepers {
            super::bell::wake(lane.wake(), i32::MAX as u32);
        }
        self.sleepers.iter().for_each(|bell| bell.wake_sleepers());
        self.pollers.iter().for_each(|bell| bell.ring());
    }
}

/// Why a slot cannot be claimed now.
pub(crate) enum Busy {
    /// The producer itself holds all its claims.
    Claims,
    /// A lossless consumer has not taken the frame that the coming publish would retire.
    Lossless,
    /// No slot is free. Does not happen while the slot sum of the lane holds.
    Slots,
    /// The lane has ended.
    Closed,
}

impl State {
    /// Slots named by any cell of any member.
    #[inline]
    pub(crate) fn pinned(&self) -> u64 {
        self.members.iter().fold(0, |all, m| all | self.ring.pinned_by(&m.page, m.leases))
    }

    /// Claims a slot, or says why not.
    #[inline]
    pub(crate) fn claim(&mut self, lane: &LaneView, facts: &Facts) -> Result<usize, Busy> {
        if self.closed {
            return Err(Busy::Closed);
        }
        if self.claims_out >= facts.claims {
            return Err(Busy::Claims);
        }
        if facts.flags & LaneFlag::LOSSLESS != 0 && !self.lossless_consumers_passed() {
            return Err(Busy::Lossless);
        }
        let pinned = self.pinned();
        let slot = self.ring.claim(lane, pinned).ok_or(Busy::Slots)?;
        self.claims_out += 1;
        self.claims_made += 1;
        Ok(slot)
    }

    /// Whether every lossless cursor has passed the frame that the coming publish would retire.
    fn lossless_consumers_passed(&mut self) -> bool {
        let newest = self.ring.newest();
        let mut passed = true;
        for member in self.members.iter_mut().filter(|member| member.mode == Mode::Lossless) {
            let cursor = ring::cursor(&member.page);
            if cursor < member.cursor || cursor > newest + 1 {
                // Its word counts no longer; until it is gone it neither blocks nor moves.
                let why = format!("cursor {cursor} is outside {}..={}", member.cursor, newest + 1);
                if member.cursor != u64::MAX {
                    self.cheats.push((member.id, why));
                }
                member.cursor = u64::MAX;
                continue;
            }
            member.cursor = cursor;
            passed &= self.ring.has_passed(cursor, self.claims_out.into());
        }
        passed
    }

    /// Whether anybody sleeps, polls or waits for a claim. After the fence of a publish.
    #[inline]
    pub(crate) fn somebody_waits(&self) -> bool {
        let waits = |member: &Member| {
            let wanted = waiting::wanted(&member.page, member.answered);
            wanted.sleepers != 0 || wanted.ticket.is_some()
        };
        self.claimants > 0 || self.members.iter().any(waits)
    }

    /// Collects the bells of everybody who waits.
    pub(crate) fn ringing(&mut self) -> Ringing {
        let mut ringing = Ringing::default();
        for member in &mut self.members {
            let wanted = waiting::wanted(&member.page, member.answered);
            if wanted.sleepers != 0 {
                match *member.bell {
                    Bell::Shared { .. } => ringing.shared_sleepers = true,
                    Bell::Private { .. } => ringing.sleepers.push(member.bell.clone()),
                }
            }
            if let Some(ticket) = wanted.ticket {
                member.answered = ticket;
                ringing.pollers.push(member.bell.clone());
            }
        }
        ringing
    }

    /// Bells of everybody, whether they asked or not: the lane ends.
    pub(crate) fn everybody(&self) -> Ringing {
        let bells: Vec<_> = self.members.iter().map(|member| member.bell.clone()).collect();
        Ringing { shared_sleepers: true, sleepers: bells.clone(), pollers: bells }
    }

    /// Leases promised to members.
    pub(crate) fn leases_granted(&self) -> u32 {
        self.members.iter().map(|member| member.leases as u32).sum()
    }
}

/// Numbers of the bits that are set.
pub(crate) fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (set != 0).then(|| {
            let bit = set.trailing_zeros() as usize;
            set &= set - 1;
            bit
        })
    })
}
