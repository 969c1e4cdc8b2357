//! A stream lane from its writer's side: begin, commit, and everything they touch.

use crate::clock::{Deadline, monotonic_ns};
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::layout::{ErrorKind, RecordInfo, StreamConfig};
use crate::mem::stream::StreamView;
use crate::producer::base::Base;
use crate::producer::member::Members;
use crate::ring::producer as frames;
use crate::ring::stream::writer::{self, Place, Ring};
use crate::ring::words::{LaneWords, PageWords};
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared by the writer's handle, its open record and its service thread.
pub(crate) struct StreamLane {
    pub(super) base: Base,
    pub(super) view: StreamView,
    pub(super) state: Mutex<State>,
}

impl Deref for StreamLane {
    type Target = Base;
    #[inline]
    fn deref(&self) -> &Base {
        &self.base
    }
}

/// Numbers for `info` and `top`.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) abandoned: u64,
    pub(super) no_room: u64,
    pub(super) departed_copied: u64,
    pub(super) written_bytes: u64,
    pub(super) key_records: u64,
    pub(super) key_requests: u32,
}

/// Everything the mutex guards: bounded work only, no system call.
pub(crate) struct State {
    pub(super) ring: Ring,
    pub(super) config: StreamConfig,
    pub(super) members: Members,
    pub(super) counts: Counts,
    pub(super) newest: RecordInfo,
    /// Threads waiting for room.
    waiters: u32,
    key_interval_ns: u64,
    /// When the writer was last told that a key record is wanted.
    key_told_ns: Option<u64>,
    pub(super) closed: bool,
}

/// Why nothing can be written now.
enum Busy {
    /// A record is open.
    Open,
    /// A lossless reader has not released what would be overwritten.
    Lossless(u64),
    Closed,
}

impl State {
    pub(super) fn new(ring: Ring, config: StreamConfig, key_interval_ns: u64) -> Self {
        State {
            config: StreamConfig { id: ring.config_id(), ..config },
            ring,
            members: Members::default(),
            counts: Counts::default(),
            newest: RecordInfo::ZERO,
            waiters: 0,
            key_interval_ns,
            key_told_ns: None,
            closed: false,
        }
    }

    /// Whether `oldest` may move to what the coming step needs.
    fn permit(&mut self, oldest: u64) -> std::result::Result<(), Busy> {
        if self.closed {
            return Err(Busy::Closed);
        }
        if self.ring.is_open() {
            return Err(Busy::Open);
        }
        if oldest > self.members.lowest_cursor(self.ring.newest(), writer::cursor) {
            return Err(Busy::Lossless(oldest));
        }
        Ok(())
    }

    /// Readers whose wish for a key record has not been granted.
    pub(super) fn key_wishes(&self) -> u32 {
        let wishes = self
            .members
            .iter()
            .filter(|member| member.page.key_frame_requests().load(Relaxed) != member.key_answered);
        wishes.count() as u32
    }

    /// A key record was committed. When a wish was last told stays: readers that ask again and
    /// again are not to make every record a key record.
    fn settle_key_wishes(&mut self) {
        self.counts.key_requests = self.counts.key_requests.wrapping_add(self.key_wishes());
        for member in self.members.iter_mut() {
            member.key_answered = member.page.key_frame_requests().load(Relaxed);
        }
    }

    /// How long until a wish that was told may be told again.
    fn told_again_in(&self, now: u64) -> Option<Duration> {
        let due = self.key_told_ns?.saturating_add(self.key_interval_ns);
        due.checked_sub(now).filter(|&left| left > 0).map(Duration::from_nanos)
    }

    /// Whether to tell the writer now that a key record is wanted.
    fn tells_key_wish(&mut self, now: u64) -> bool {
        let told = self.key_told_ns;
        let too_soon = told.is_some_and(|told| now.saturating_sub(told) < self.key_interval_ns);
        if too_soon || self.key_wishes() == 0 {
            return false;
        }
        self.key_told_ns = Some(now);
        true
    }
}

impl StreamLane {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic under the mutex cannot leave shared memory half-changed in a way that matters:
        // each step of the ring is safe to stop at, as for a killed process.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Room for a record of up to `room` bytes; without a deadline at once or not at all.
    pub(super) fn begin(&self, room: u64, deadline: Option<Deadline>) -> Result<Place> {
        let limit = self.view.shape().record_limit;
        if room > limit {
            return Err(self.too_large(room, limit));
        }
        let oldest = |state: &State| state.ring.oldest_for(room);
        let mut state = self.permitted(deadline, oldest)?;
        Ok(state.ring.begin(&self.view, room))
    }

    /// The state once `oldest` may move to where `needed` says, as a lossless reader permits.
    fn permitted(
        &self,
        deadline: Option<Deadline>,
        needed: impl Fn(&State) -> u64,
    ) -> Result<MutexGuard<'_, State>> {
        self.refuse_fork()?;
        let mut state = self.lock();
        let oldest = needed(&state);
        let first = state.permit(oldest);
        self.report_cheats(&state);
        let Err(busy) = first else { return Ok(state) };
        let Some(deadline) = deadline else { return Err(self.no_room(&mut state, &busy)) };
        state.waiters += 1;
        let permitted = loop {
            // Announce first, then look again: a release in between rings.
            frames::want_release(&self.view);
            let oldest = needed(&state);
            let Err(busy) = state.permit(oldest) else { break Ok(()) };
            self.report_cheats(&state);
            let left = deadline.left().filter(|_| !matches!(busy, Busy::Closed));
            let Some(left) = left else { break Err(self.no_room(&mut state, &busy)) };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        };
        state.waiters -= 1;
        if state.waiters == 0 {
            self.view.release_wanted().store(0, Relaxed);
        }
        permitted.map(|()| state)
    }

    #[cold]
    fn no_room(&self, state: &mut State, busy: &Busy) -> Error {
        let name = &self.facts.name;
        let text = match busy {
            Busy::Closed => return self.closed(),
            Busy::Open => {
                format!("lane {name:?}: a record is being written; commit or abandon it first")
            }
            Busy::Lossless(oldest) => {
                format!("lane {name:?} waits for {}", state.laggards(*oldest))
            }
        };
        state.counts.no_room += 1;
        Error::new(ErrorKind::NoFreeSlot, text)
    }

    #[cold]
    pub(super) fn too_large(&self, bytes: u64, limit: u64) -> Error {
        let name = &self.facts.name;
        let text = format!("a record of {bytes} bytes on lane {name:?}, {limit} is the limit");
        Error::new(ErrorKind::RecordTooLarge, text)
    }

    /// Ends an open record with so many of its bytes; its sequence.
    pub(super) fn commit(&self, place: &Place, size: u64, mut info: RecordInfo) -> Result<u64> {
        self.refuse_fork()?;
        let mut state = self.lock();
        if state.closed {
            return Err(self.closed());
        }
        info.publish_ns = monotonic_ns();
        let sequence = state.ring.commit(&self.view, place, size, &mut info);
        state.newest = info;
        state.counts.written_bytes += size;
        if info.is_key() {
            state.counts.key_records += 1;
            state.settle_key_wishes();
        }
        self.ring_waiting(state);
        step("commit.rung");
        Ok(sequence)
    }

    /// Wakes and rings whoever waits; consumes the guard, as it makes system calls.
    fn ring_waiting(&self, mut state: MutexGuard<'_, State>) {
        let wake_waiters = state.waiters > 0;
        if state.members.somebody_waits() {
            let ringing = state.members.ringing();
            drop(state);
            ringing.ring(&self.view);
        } else {
            drop(state);
        }
        if wake_waiters {
            self.changed.notify_all();
        }
    }

    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.ring.abandon();
        state.counts.abandoned += 1;
        drop(state);
        self.changed.notify_all();
    }

    /// Config of the records to come; its number.
    pub(super) fn set_config(
        &self,
        mut config: StreamConfig,
        deadline: Option<Deadline>,
    ) -> Result<u32> {
        config.refuse_impossible()?;
        config.settle();
        let needed = |state: &State| match state.config.says_the_same(&config) {
            true => 0,
            false => state.ring.oldest_for_config(),
        };
        let mut state = self.permitted(deadline, needed)?;
        if state.config.says_the_same(&config) {
            return Ok(state.config.id);
        }
        let id = state.ring.set_config(&self.view, config);
        state.config = StreamConfig { id, ..config };
        Ok(id)
    }

    /// Whether a reader wants a key record, as often as the interval allows; waits for it until
    /// the deadline, where there is one.
    pub(super) fn key_frame_wanted(&self, deadline: Option<Deadline>) -> bool {
        if self.refuse_fork().is_err() {
            return false;
        }
        let mut state = self.lock();
        loop {
            let now = monotonic_ns();
            if state.tells_key_wish(now) {
                return true;
            }
            let left = deadline.and_then(Deadline::left).filter(|_| !state.closed);
            let Some(left) = left else { return false };
            // A wish that was told too recently becomes due without anybody ringing.
            let left = state.told_again_in(now).map_or(left, |due| due.min(left));
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends the lane: nothing is written from here on, and everybody is told.
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

    fn report_cheats(&self, state: &State) {
        if !state.members.cheats.is_empty() {
            self.wake_service();
        }
    }
}
