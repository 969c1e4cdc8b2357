//! Frames in device memory: whose buffer each is, and giving it back.
//!
//! An owner is taken once, under the producer's mutex, and run outside it: on the return thread or
//! in the source's own loop, never on the service thread, whose job is to notice deaths.

use super::lane::Lane;
use super::options::Reclaim;
use super::state::State;
use crate::clock::monotonic_ns;
use crate::error::{Error, Result};
use crate::layout::FrameDescriptor;
use crate::mem::view::Claim;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Why and of which frame a buffer came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Sequence of the frame that was in the buffer.
    pub sequence: u64,
    /// Whether it was taken from a consumer that overstayed the lease.
    pub revoked: bool,
}

/// Runs when the buffer of an external frame may be used again.
pub type Owner = Box<dyn FnOnce(Returned) + Send>;

/// An owner with what it will be told.
pub(crate) struct Return {
    owner: Owner,
    returned: Returned,
}

impl Return {
    fn run(self) {
        (self.owner)(self.returned);
    }

    /// Runs where nobody could handle a panic, and other owners wait for their turn.
    fn run_caught(self) {
        let sequence = self.returned.sequence;
        if catch_unwind(AssertUnwindSafe(|| self.run())).is_err() {
            tracing::error!(sequence, "the owner of a frame panicked");
        }
    }
}

/// A published external frame.
pub(crate) struct Held {
    pub(crate) owner: Owner,
    /// 0: never revoked.
    pub(crate) deadline_ns: u64,
    /// Its deadline has passed while nobody held it: nothing more to do until it retires.
    pub(crate) expired: bool,
}

impl Held {
    pub(crate) fn into_return(self, sequence: u64, revoked: bool) -> Return {
        Return { owner: self.owner, returned: Returned { sequence, revoked } }
    }
}

/// Where returns go.
pub(crate) enum Returns {
    Thread(Mutex<Option<Sender<Return>>>),
    Pump(Mutex<VecDeque<Return>>),
}

impl Returns {
    /// The place for returns, and the thread that runs them if there is one.
    pub(crate) fn new(reclaim: Reclaim, lane: &str) -> Result<(Self, Option<JoinHandle<()>>)> {
        if reclaim == Reclaim::Pump {
            return Ok((Returns::Pump(Mutex::default()), None));
        }
        let (sender, receiver) = channel::<Return>();
        let thread = crate::signals::spawn_without_signals(format!("fl-ret {lane}"), move || {
            receiver.into_iter().for_each(Return::run_caught);
        })
        .map_err(|error| Error::io("starting the return thread", error))?;
        Ok((Returns::Thread(Mutex::new(Some(sender))), Some(thread)))
    }

    /// Hands returns over. Not called under the producer's mutex.
    pub(crate) fn hand_over(&self, items: Vec<Return>) {
        if items.is_empty() {
            return;
        }
        match self {
            Returns::Pump(waiting) => lock(waiting).extend(items),
            Returns::Thread(sender) => {
                let sender = lock(sender).clone();
                for item in items {
                    match &sender {
                        Some(sender) => {
                            if let Err(unsent) = sender.send(item) {
                                unsent.0.run_caught();
                            }
                        }
                        None => item.run_caught(),
                    }
                }
            }
        }
    }

    /// Runs what waits for the pump now; the number of owners run. One that panics leaves the
    /// others for the next time.
    pub(crate) fn run_waiting(&self) -> usize {
        let Returns::Pump(waiting) = self else { return 0 };
        let count = lock(waiting).len();
        for _ in 0..count {
            let Some(item) = lock(waiting).pop_front() else { break };
            item.run();
        }
        count
    }

    /// The lane has ended and nothing more is handed over: what waits for a pump runs here, the
    /// return thread ends once it has run the rest.
    pub(crate) fn finish(&self) {
        match self {
            Returns::Thread(sender) => drop(lock(sender).take()),
            Returns::Pump(waiting) => {
                let items = std::mem::take(&mut *lock(waiting));
                items.into_iter().for_each(Return::run_caught);
            }
        }
    }
}

impl Lane {
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
        let slot = match state.claim(&self.view, &self.facts) {
            Ok(slot) => slot,
            Err(busy) => {
                let error = self.no_slot(&mut state, &busy);
                drop(state);
                self.returns.hand_over(returns);
                return Err(error);
            }
        };
        state.take_displaced(slot, &mut returns);
        let deadline_ns = self.store_external(&mut state, slot, descriptor);
        state.held[slot] = Some(Held { owner, deadline_ns, expired: false });
        let sequence = state.ring.publish(&self.view, &[slot]);
        state.claims_out -= 1;
        state.claims_made -= 1; // no FrameMut was made of it
        state.counts.published += 1;
        state.ask_for_releases(&self.view, &mut returns);
        let ringing = state.members.ringing();
        let wake_service = deadline_ns != 0 && std::mem::take(&mut state.service_idle);
        self.let_go(state);
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
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
