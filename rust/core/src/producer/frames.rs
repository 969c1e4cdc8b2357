//! A frame lane as its service thread sees it.

use super::base::{Base, Served};
use super::facts::Facts;
use super::lane::Lane;
use super::member::Member;
use super::report;
use crate::error::{Error, Result};
use crate::layout::{ErrorKind, Hello, Mode, Report};
use crate::mem::view::PageView;
use crate::ring::words::PageWords;
use crate::wire::peer::Peer;
use std::sync::atomic::Ordering::Relaxed;

impl Served for Lane {
    fn base(&self) -> &Base {
        &self.base
    }

    fn refuse_hello(&self, hello: &Hello, mode: Mode) -> Result<()> {
        refuse_hello(&self.facts, hello, mode)
    }

    fn join(&self, mut member: Member, peer: Peer, hello: &Hello, page: &PageView) -> Result<()> {
        let mut state = self.lock();
        state.members.refuse_crowd(&self.facts.name, peer)?;
        refuse_leases(&self.facts, state.members.leases_granted(), hello.leases)?;
        member.cursor = state.ring.newest() + 1;
        page.cursor().store(member.cursor, Relaxed);
        state.members.push(member);
        Ok(())
    }

    fn leave(&self, id: u32) {
        let mut state = self.lock();
        let Some((member, copied)) = state.members.take(id) else { return };
        state.counts.departed_copied = state.counts.departed_copied.saturating_add(copied);
        drop(state);
        drop(member); // unmaps its page, outside the mutex
        self.released();
    }

    fn released(&self) {
        Lane::released(self);
    }

    fn report(&self, now_ns: u64) -> Report {
        report::report(self, now_ns)
    }

    fn expire(&self, now_ns: u64) -> Vec<(u32, String)> {
        let mut returns = Vec::new();
        let cheats = {
            let mut state = self.lock();
            state.expire(&self.view, now_ns, &mut returns);
            std::mem::take(&mut state.members.cheats)
        };
        self.returns.hand_over(returns);
        cheats
    }

    fn next_deadline_ns(&self) -> Option<u64> {
        let mut state = self.lock();
        let next = state.next_deadline_ns();
        state.service_idle = next.is_none();
        next
    }

    fn has_closed(&self) -> bool {
        self.lock().closed
    }
}

/// What a consumer of frames may ask for.
pub(super) fn refuse_hello(facts: &Facts, hello: &Hello, _mode: Mode) -> Result<()> {
    if !(1..=63).contains(&hello.leases) {
        let text = format!("{} leases asked for, 1 to 63 can be", hello.leases);
        return Err(Error::new(ErrorKind::InvalidArgument, text));
    }
    refuse_memory(facts, hello)
}

fn refuse_memory(facts: &Facts, hello: &Hello) -> Result<()> {
    let kind = facts.memory_kind;
    if hello.memory_kinds & 1 << kind.number() == 0 {
        let text = format!(
            "frames of lane {:?} are in {} memory, which this consumer does not read",
            facts.name,
            kind.name()
        );
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    if hello.wants_writable == 0 && facts.devices.iter().any(|device| device.writable) {
        let text = format!(
            "buffers of lane {:?} could be written by their readers; ask for writable ones",
            facts.name
        );
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    Ok(())
}

fn refuse_leases(facts: &Facts, granted: u32, leases: u32) -> Result<()> {
    if granted + leases <= facts.lease_budget {
        return Ok(());
    }
    let text = format!(
        "{leases} leases asked for, lane {:?} has {} of {} left ({} slots = {} leases + {} \
         claims + 1 + {} history)",
        facts.name,
        facts.lease_budget - granted,
        facts.lease_budget,
        facts.slot_count,
        facts.lease_budget,
        facts.claims,
        facts.history
    );
    Err(Error::new(ErrorKind::NoLeases, text))
}
