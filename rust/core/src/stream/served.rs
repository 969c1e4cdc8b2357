//! A stream lane as its service thread sees it.

use super::lane::StreamLane;
use super::report;
use crate::clock::monotonic_ns;
use crate::error::{Error, Result, protocol};
use crate::layout::{ErrorKind, Hello, Mode, Report, StreamStart};
use crate::mem::view::PageView;
use crate::producer::base::{Base, Served};
use crate::producer::member::Member;
use crate::ring::stream::reader;
use crate::ring::words::PageWords;
use crate::wire::peer::Peer;
use std::sync::atomic::Ordering::Relaxed;

impl Served for StreamLane {
    fn base(&self) -> &Base {
        &self.base
    }

    fn refuse_hello(&self, hello: &Hello, mode: Mode) -> Result<()> {
        if mode == Mode::Latest {
            let text = "a stream is read record after record: ask for ordered or lossless";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        if hello.leases != 0 {
            return Err(protocol(format!("{} leases of a stream, which has none", hello.leases)));
        }
        match StreamStart::from_number(hello.start) {
            Some(_) => Ok(()),
            None => Err(protocol(format!("{} is no place to start a stream", hello.start))),
        }
    }

    fn join(&self, mut member: Member, peer: Peer, hello: &Hello, page: &PageView) -> Result<()> {
        let mut state = self.lock();
        state.members.refuse_crowd(&self.facts.name, peer)?;
        if member.mode == Mode::Lossless {
            // Chosen and pinned at once: nothing is overwritten while the mutex is held.
            member.cursor = self.first_for(hello).unwrap_or(state.ring.newest() + 1);
            page.cursor().store(member.cursor, Relaxed);
        }
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
        // Under the mutex, or a waiter could look before and sleep after.
        drop(self.lock());
        self.changed.notify_all();
    }

    fn key_wanted(&self) {
        self.released();
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

impl StreamLane {
    /// Where a lossless reader begins; None: with the next record.
    fn first_for(&self, hello: &Hello) -> Option<u64> {
        let (view, shape) = (&self.view, self.view.shape());
        match StreamStart::from_number(hello.start)? {
            StreamStart::NewestKey => reader::newest_key(view, shape),
            StreamStart::OldestKey => reader::oldest_key(view, shape),
            StreamStart::KeyBefore => {
                let before = monotonic_ns().saturating_sub(hello.start_age_ns);
                reader::key_before(view, shape, before)
            }
            StreamStart::Next => None,
        }
    }
}
