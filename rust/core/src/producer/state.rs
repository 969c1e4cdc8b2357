//! The producer's state behind its one in-process mutex.
//!
//! The mutex is held for bounded scans only: never across a fill, an owner, a callback or a system
//! call. Whatever those need is collected here and done by the caller afterwards.

use super::external::Held;
use super::facts::Facts;
use super::member::Members;
use crate::layout::LaneFlag;
use crate::mem::view::LaneView;
use crate::ring::producer::{self as ring, Ring};

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
    pub(crate) members: Members,
    pub(crate) held: Vec<Option<Held>>,
    pub(crate) counts: Counts,
    pub(crate) claims_out: u32,
    /// Claims made, less those that ended under this mutex. The others count themselves out in
    /// the lane's tally.
    pub(crate) claims_made: u64,
    /// Threads waiting in a claim.
    pub(crate) claimants: u32,
    /// The service thread sleeps without a deadline: the next device frame must wake it.
    pub(crate) service_idle: bool,
    pub(crate) closed: bool,
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
        let lowest = self.members.lowest_cursor(self.ring.newest(), ring::cursor);
        self.ring.has_passed(lowest, self.claims_out.into())
    }

    /// Whether anybody sleeps, polls or waits for a claim. After the fence of a publish.
    #[inline]
    pub(crate) fn somebody_waits(&self) -> bool {
        self.claimants > 0 || self.members.somebody_waits()
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
