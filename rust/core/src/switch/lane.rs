//! A switch from its controller's side: select, and everything it touches.

use super::options::{self, SwitchControllerOptions};
use super::report;
use crate::clock::{Deadline, monotonic_ns, realtime_ns};
use crate::error::{Error, Result, invalid, protocol};
use crate::layout::limit::CONSUMERS;
use crate::layout::{
    Choice, ErrorKind, Hello, LaneFlag, LaneHeader, LaneKind, MemoryKind, Mode, Report, Select,
    Selected, SwitchHeader,
};
use crate::mem::memfd;
use crate::mem::switch::{SWITCH_BYTES, SWITCH_HEADER, SwitchView};
use crate::mem::view::{PageView, write_struct, write_struct_at};
use crate::producer::Trust;
use crate::producer::base::{Base, Served};
use crate::producer::create::{self, Memory};
use crate::producer::facts::Facts;
use crate::producer::member::{Member, Members};
use crate::random;
use crate::ring::{producer as frames, switch as ring};
use crate::wire::message;
use crate::wire::peer::Peer;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, PoisonError};
use zerocopy::FromZeros;

/// Shared by the controller's handle and its service thread.
pub(super) struct SwitchLane {
    base: Base,
    view: SwitchView,
    /// Names of the lanes, by index.
    pub(super) lanes: Vec<String>,
    state: Mutex<State>,
}

impl Deref for SwitchLane {
    type Target = Base;
    fn deref(&self) -> &Base {
        &self.base
    }
}

/// Everything the mutex guards.
pub(super) struct State {
    pub(super) members: Members,
    pub(super) selection: u64,
    pub(super) switches: u64,
    pub(super) switched_ns: u64,
    /// Somebody has chosen, against whom no policy chooses.
    pub(super) held: bool,
    closed: bool,
}

/// Makes the memory of a switch and everything around it but its name and service thread.
pub(super) fn create(
    name: &str,
    lanes: &[&str],
    options: &SwitchControllerOptions,
) -> Result<SwitchLane> {
    options::refuse_lanes(name, lanes, options.active)?;
    create::refuse_few_descriptors(CONSUMERS as u32, 0)?;
    let page = rustix::param::page_size() as u64;
    let total = (SWITCH_BYTES as u64).next_multiple_of(page);
    let Memory { fd, map, .. } = create::memory(name, total, false, None, false)?;
    let facts = facts(name, options, total, page);
    let selection = ring::selection(1, options.active);
    let mut members = SwitchHeader::new_zeroed();
    members.member_count = lanes.len() as u32;
    for (member, lane) in members.members.iter_mut().zip(lanes) {
        message::put_text(&mut member.name, lane);
    }
    write_struct_at(&map, SWITCH_HEADER, members);
    let mut header: LaneHeader = create::header(&facts);
    header.head = selection.into();
    write_struct(&map, header);
    // From here on no new mapping can write, ours excepted.
    memfd::seal_read_only(&fd)?;
    let state = State {
        members: Members::default(),
        selection,
        switches: 0,
        switched_ns: monotonic_ns(),
        held: false,
        closed: false,
    };
    Ok(SwitchLane {
        base: Base::new(facts, fd)?,
        view: SwitchView::new(map)?,
        lanes: lanes.iter().map(|&lane| lane.to_owned()).collect(),
        state: Mutex::new(state),
    })
}

fn facts(name: &str, options: &SwitchControllerOptions, total: u64, page: u64) -> Facts {
    let flags = match options.trust {
        Trust::SameUser => 0,
        Trust::TrustedOnly => LaneFlag::TRUSTED_ONLY,
        Trust::Untrusted => LaneFlag::UNTRUSTED,
    };
    Facts {
        name: name.to_owned(),
        epoch: random::nonzero_u64(),
        lane_kind: LaneKind::Switch,
        memory_kind: MemoryKind::Inline,
        slot_count: 0,
        history: 0,
        claims: 0,
        lease_budget: 0,
        lease_ns: 0,
        flags,
        total_bytes: total,
        payload_offset: 0,
        payload_stride: 0,
        payload_bytes: 0,
        page_bytes: page as u32,
        created_ns: realtime_ns(),
        uid: rustix::process::geteuid().as_raw(),
        access: options.access,
        trust: options.trust,
        devices: Vec::new(),
    }
}

impl SwitchLane {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the mutex cannot leave shared memory half-changed: it is one word.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a lane active for as long as nobody says otherwise; the selection.
    pub(super) fn choose(&self, index: usize) -> Result<u64> {
        self.refuse_fork()?;
        options::refuse_index(&self.facts.name, self.lanes.len(), index)?;
        let mut state = self.lock();
        state.held = true;
        self.change(state, index)
    }

    /// Makes a lane active unless somebody has chosen; whether it is.
    pub(super) fn propose(&self, index: usize) -> Result<bool> {
        self.refuse_fork()?;
        options::refuse_index(&self.facts.name, self.lanes.len(), index)?;
        let state = self.lock();
        if state.held {
            return Ok(ring::index_of(state.selection) == index);
        }
        self.change(state, index).map(|_| true)
    }

    /// Takes a choice back.
    pub(super) fn set_automatic(&self) -> Result<u64> {
        self.refuse_fork()?;
        let mut state = self.lock();
        if state.closed {
            return Err(self.closed());
        }
        state.held = false;
        let selection = state.selection;
        drop(state);
        self.changed.notify_all();
        Ok(selection)
    }

    /// Index of a lane by its name.
    pub(super) fn index_of(&self, lane: &str) -> Result<usize> {
        let found = self.lanes.iter().position(|name| name == lane);
        found.ok_or_else(|| {
            let (name, lanes) = (&self.facts.name, self.lanes.join(", "));
            invalid(format!("lane {lane:?} does not stand behind switch {name:?}; {lanes} do"))
        })
    }

    /// Consumes the guard: bells are rung by system calls.
    fn change(&self, mut state: MutexGuard<'_, State>, index: usize) -> Result<u64> {
        if state.closed {
            return Err(self.closed());
        }
        if ring::index_of(state.selection) != index {
            state.selection = ring::selection(ring::epoch_of(state.selection) + 1, index);
            state.switches += 1;
            state.switched_ns = monotonic_ns();
            ring::select(&self.view, state.selection);
        }
        let selection = state.selection;
        let waits = state.members.somebody_waits();
        let ringing = waits.then(|| state.members.ringing());
        drop(state);
        if let Some(ringing) = ringing {
            ringing.ring(&self.view);
        }
        self.changed.notify_all();
        Ok(selection)
    }

    /// Waits until the selection or its standing is other than it was; both of now.
    pub(super) fn wait_change(
        &self,
        since: (u64, bool),
        deadline: Deadline,
    ) -> Result<(u64, bool)> {
        self.refuse_fork()?;
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(self.closed());
            }
            let now = (state.selection, state.held);
            let Some(left) = deadline.left().filter(|_| now == since) else { return Ok(now) };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the switch, and tells everybody.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        frames::close(&self.view);
        let ringing = state.members.everybody();
        drop(state);
        self.tell_end(&self.view, ringing);
    }
}

impl Served for SwitchLane {
    fn base(&self) -> &Base {
        &self.base
    }

    fn refuse_hello(&self, hello: &Hello, mode: Mode) -> Result<()> {
        if hello.leases != 0 || mode != Mode::Latest {
            let (leases, mode) = (hello.leases, mode.name());
            return Err(protocol(format!("{leases} leases and mode {mode} of a switch")));
        }
        Ok(())
    }

    fn join(&self, member: Member, peer: Peer, _hello: &Hello, _page: &PageView) -> Result<()> {
        let mut state = self.lock();
        state.members.refuse_crowd(&self.facts.name, peer)?;
        state.members.push(member);
        Ok(())
    }

    fn leave(&self, id: u32) {
        let left = self.lock().members.take(id);
        drop(left); // unmaps its page, outside the mutex
    }

    fn released(&self) {}

    fn select(&self, wish: &Select) -> Result<Selected> {
        let selection = match Choice::from_number(wish.choice) {
            Some(Choice::Index) => self.choose(wish.index as usize)?,
            Some(Choice::Name) => self.choose(self.index_of(message::text(&wish.member)?)?)?,
            Some(Choice::Automatic) => self.set_automatic()?,
            None => return Err(protocol(format!("{} is no kind of choice", wish.choice))),
        };
        let mut selected: Selected = message::new();
        selected.selection = selection;
        selected.held = self.lock().held.into();
        Ok(selected)
    }

    fn report(&self, now_ns: u64) -> Report {
        report::report(self, now_ns)
    }

    fn expire(&self, _now_ns: u64) -> Vec<(u32, String)> {
        std::mem::take(&mut self.lock().members.cheats)
    }

    fn next_deadline_ns(&self) -> Option<u64> {
        None
    }

    fn has_closed(&self) -> bool {
        self.lock().closed
    }
}

impl SwitchLane {
    /// Selection of now and whether somebody has chosen it.
    pub(super) fn now(&self) -> Result<(u64, bool)> {
        self.refuse_fork()?;
        let state = self.lock();
        if state.closed {
            return Err(Error::new(ErrorKind::Closed, "the switch is closed"));
        }
        Ok((state.selection, state.held))
    }
}
