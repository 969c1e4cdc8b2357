//! One lane behind a switch, as a reader of the switch has it.

use super::courtesy::Courtesy;
use crate::consumer::{ANSWER, Consumer, ConsumerOptions, EpochOf, Reattach, Waiting};
use crate::error::{Error, Result};

/// A lane, whether it is there or not.
pub(super) struct MemberLane {
    pub(super) name: String,
    /// What its descriptor is known by in the switch's epoll.
    pub(super) key: u64,
    pub(super) consumer: Consumer,
    /// Why it cannot be attached to, where somebody is there.
    pub(super) problem: Option<Error>,
    courtesy: Courtesy,
}

impl MemberLane {
    pub(super) fn new(name: String, key: u64, options: &ConsumerOptions) -> Result<Self> {
        let consumer = Consumer::detached(&name, options.clone())?;
        Ok(MemberLane { name, key, consumer, problem: None, courtesy: Courtesy::default() })
    }

    /// The first attach, if its producer is there.
    pub(super) fn attach(&mut self) {
        self.consumer.link.patience = self.courtesy.patience();
        let tried = self.consumer.try_attach().map(drop);
        let _ = self.note(tried);
    }

    /// Attaches as a reader of this lane alone would, where a first attempt found an obstacle.
    ///
    /// # Errors
    /// Why the producer that is there cannot be attached to.
    pub(super) fn insist(&mut self) -> Result<()> {
        if self.problem.is_some() && !self.is_attached() {
            self.consumer.link.patience = ANSWER;
            let tried = self.consumer.try_attach().map(drop);
            self.note(tried)?;
        }
        self.problem.clone().map_or(Ok(()), Err)
    }

    /// Looks at the connection, and for a producer where there is none. Of a lane that is not
    /// active no failure is one of the reader, and no silence holds it up for long.
    pub(super) fn look(&mut self, active: bool) -> Result<()> {
        if !active && self.problem.is_some() && !self.courtesy.is_due() {
            let tie = self.consumer.link.current.as_ref().map(EpochOf::tie);
            return self.consumer.link.poller.drain(tie).map(drop);
        }
        self.consumer.link.patience = if active { ANSWER } else { self.courtesy.patience() };
        let looked = self.consumer.look_at_connection();
        let noted = self.note(looked);
        if active { noted } else { Ok(()) }
    }

    fn note(&mut self, outcome: Result<()>) -> Result<()> {
        let obstacle = || self.consumer.link.obstacle.clone();
        self.problem = outcome.as_ref().err().cloned().or_else(obstacle);
        self.courtesy.note(self.problem.as_ref());
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
