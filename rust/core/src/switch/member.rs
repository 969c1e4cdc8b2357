//! One lane behind a switch, as a reader of the switch has it.

use crate::clock::monotonic_ns;
use crate::consumer::{Consumer, ConsumerOptions, EpochOf, Reattach, Waiting};
use crate::error::{Error, Result};

/// How long after a refusal a lane that is not active is asked again.
const ASK_AGAIN_NS: u64 = 1_000_000_000;

/// A lane, whether it is there or not.
pub(super) struct MemberLane {
    pub(super) name: String,
    /// What its descriptor is known by in the switch's epoll.
    pub(super) key: u64,
    pub(super) consumer: Consumer,
    /// Why it cannot be attached to, where somebody is there.
    pub(super) problem: Option<Error>,
    ask_again_ns: u64,
}

impl MemberLane {
    pub(super) fn new(name: String, key: u64, options: &ConsumerOptions) -> Result<Self> {
        let consumer = Consumer::detached(&name, options.clone())?;
        Ok(MemberLane { name, key, consumer, problem: None, ask_again_ns: 0 })
    }

    /// The first attach, if its producer is there.
    pub(super) fn attach(&mut self) {
        let tried = self.consumer.try_attach().map(drop);
        let _ = self.note(tried);
    }

    /// Looks at the connection, and for a producer where there is none. Of a lane that is not
    /// active no failure is one of the reader.
    pub(super) fn look(&mut self, active: bool) -> Result<()> {
        if !active && self.problem.is_some() && monotonic_ns() < self.ask_again_ns {
            let tie = self.consumer.link.current.as_ref().map(EpochOf::tie);
            return self.consumer.link.poller.drain(tie).map(drop);
        }
        let looked = self.consumer.look_at_connection();
        let noted = self.note(looked);
        if active { noted } else { Ok(()) }
    }

    fn note(&mut self, outcome: Result<()>) -> Result<()> {
        self.problem = outcome.as_ref().err().cloned();
        if self.problem.is_some() {
            self.ask_again_ns = monotonic_ns().saturating_add(ASK_AGAIN_NS);
        }
        outcome
    }

    /// Becomes the active lane of a reader whose descriptor is polled, or is not.
    pub(super) fn activate(&mut self, polled: bool) {
        self.consumer.resume();
        if polled {
            self.consumer.fd(); // from now on it is armed
        }
    }

    /// Is no longer the active lane: what it publishes is to wake nobody.
    pub(super) fn deactivate(&mut self) {
        self.consumer.link.polled = false;
    }

    pub(super) fn is_attached(&self) -> bool {
        self.consumer.link.current.is_some()
    }
}
