//! Sleeping until the active lane has news or another lane is active.
//!
//! Order on every path, as for one lane: read the wake words, drain the descriptors, announce,
//! fence, look again, and only then sleep on the words read first.

use super::reader::{CONTROL, Switch};
use crate::clock::{Deadline, monotonic_ns, timespec};
use crate::consumer::{EpochOf, SLICE, Waiting, Woken};
use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::ring::waiting;
use crate::ring::words::AtomicU32;
use rustix::event::epoll::{self, Event};
use rustix::io::Errno;
use rustix::thread::{ClockId, futex};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// This kernel has no futex_waitv (Linux before 5.16), or does not let us use it.
pub(super) static NO_WAITV: AtomicBool = AtomicBool::new(false);

/// What the descriptors say.
pub(super) enum Ready {
    /// Those of these keys are readable.
    Keys(Vec<u64>),
    /// Nobody has looked.
    All,
}

impl Ready {
    fn has(&self, key: u64) -> bool {
        match self {
            Ready::Keys(keys) => keys.contains(&key),
            Ready::All => true,
        }
    }
}

impl Switch {
    /// Sleeps until there may be news; false when the deadline has passed.
    pub(super) fn wait_until(&mut self, deadline: Deadline) -> Result<bool> {
        self.control.link.refuse()?;
        self.look_now_and_then()?;
        if self.has_news() {
            // What was found may all have been dropped; the deadline counts all the same.
            return Ok(deadline.left().is_some());
        }
        let Some(slice) = deadline.slice(SLICE) else { return Ok(false) };
        let woken = match self.both_attached() && !NO_WAITV.load(Relaxed) {
            true => self.sleep_on_words(slice)?,
            false => self.sleep_on_descriptors(slice)?,
        };
        match woken {
            Woken::ByNews => Ok(true),
            Woken::BySignal => Ok(!self.control.link.manner.return_on_signal),
            Woken::Not => self.look(&Ready::All).map(|()| true),
        }
    }

    fn both_attached(&self) -> bool {
        self.control.link.current.is_some()
            && self.active.is_some_and(|index| self.lanes[index].is_attached())
    }

    fn sleep_on_words(&self, slice: Duration) -> Result<Woken> {
        let Some(active) = self.active else { return Ok(Woken::Not) };
        let (control, lane) = (&self.control.link, &self.lanes[active].consumer.link);
        let (Some(epoch), Some(attachment)) = (&control.current, &lane.current) else {
            return Ok(Woken::Not);
        };
        let (Some(first), Some(second)) = (&control.sleeping_on, &lane.sleeping_on) else {
            return Ok(Woken::Not);
        };
        let ties = [epoch.tie(), attachment.tie()];
        let words = [first.word(), second.word()];
        let values = words.map(waiting::sleep_on);
        ties.iter().for_each(|tie| waiting::announce(&tie.page));
        let news = self.has_news() || control.closer.is_closed();
        let over = ties.iter().any(|tie| tie.has_closed());
        let slept = if news || over { Err(Errno::AGAIN) } else { sleep(words, values, slice) };
        ties.iter().for_each(|tie| waiting::withdraw(&tie.page));
        match slept {
            _ if over && !news => Ok(Woken::Not),
            Ok(()) | Err(Errno::AGAIN) => Ok(Woken::ByNews),
            Err(Errno::INTR) => Ok(Woken::BySignal),
            Err(Errno::TIMEDOUT) => Ok(Woken::Not),
            Err(Errno::NOSYS | Errno::PERM) => {
                NO_WAITV.store(true, Relaxed);
                Ok(Woken::ByNews)
            }
            Err(errno) => Err(Error::system("futex_waitv", errno)),
        }
    }

    fn sleep_on_descriptors(&mut self, slice: Duration) -> Result<Woken> {
        self.arm();
        if self.has_news() || self.control.link.closer.is_closed() {
            return Ok(Woken::ByNews);
        }
        let (ready, interrupted) = self.poll(slice)?;
        self.look(&ready)?;
        Ok(if interrupted { Woken::BySignal } else { Woken::ByNews })
    }

    /// Asks for one ring of the switch's descriptor and of the active lane's.
    fn arm(&self) {
        if let Some(epoch) = &self.control.link.current {
            waiting::arm(&epoch.tie().page);
        }
        let lane = self.active.map(|index| &self.lanes[index].consumer.link);
        if let Some(epoch) = lane.and_then(|link| link.current.as_ref()) {
            waiting::arm(&epoch.tie().page);
        }
    }

    /// Which descriptors are readable, and whether a signal came instead.
    fn poll(&self, timeout: Duration) -> Result<(Ready, bool)> {
        let mut events = Vec::<Event>::with_capacity(1 + self.lanes.len());
        let room = rustix::buffer::spare_capacity(&mut events);
        let interrupted = match epoll::wait(&self.epoll, room, Some(&timespec(timeout))) {
            Ok(_) => false,
            Err(Errno::INTR) => true,
            Err(errno) => return Err(Error::system("epoll_wait", errno)),
        };
        Ok((Ready::Keys(events.iter().map(|event| event.data.u64()).collect()), interrupted))
    }

    /// After a read found nothing: empties and arms the descriptor, notices deaths and arrivals.
    pub(super) fn settle(&mut self) -> Result<()> {
        if !self.polled {
            return self.look_now_and_then();
        }
        let (ready, _) = self.poll(Duration::ZERO)?;
        self.look(&ready)?;
        self.arm();
        Ok(())
    }

    /// For readers that find frames without sleeping: notices deaths and arrivals within a slice.
    pub(super) fn look_now_and_then(&mut self) -> Result<()> {
        // First of all: of a forked child the descriptors are the parent's.
        self.control.link.refuse()?;
        let now = monotonic_ns();
        match now.saturating_sub(self.looked_ns) >= SLICE.as_nanos() as u64 {
            true => self.look(&Ready::All),
            false => Ok(()),
        }
    }

    /// Looks at all connections that are ready, and so empties their descriptors.
    fn look(&mut self, ready: &Ready) -> Result<()> {
        self.looked_ns = monotonic_ns();
        if ready.has(CONTROL) {
            self.look_at_control()?;
        }
        self.follow()?;
        let mut failed = Ok(());
        for (index, lane) in self.lanes.iter_mut().enumerate().filter(|(_, l)| ready.has(l.key)) {
            let looked = lane.look(self.active == Some(index));
            failed = failed.and(looked);
        }
        failed
    }

    /// Whatever is wrong with the controller, its readers carry on.
    fn look_at_control(&mut self) -> Result<()> {
        if self.obstacle.is_some() && !self.courtesy.is_due() {
            let tie = self.control.link.current.as_ref().map(EpochOf::tie);
            return self.control.link.poller.drain(tie).map(drop);
        }
        self.control.link.patience = self.courtesy.patience();
        self.obstacle = match self.control.look_at_connection() {
            Err(error) if matches!(error.kind(), ErrorKind::Closed | ErrorKind::Forked) => {
                return Err(error);
            }
            other => other.err().or(self.control.link.obstacle.clone()),
        };
        self.courtesy.note(self.obstacle.as_ref());
        let there = self.control.link.current.as_ref();
        if there.is_some_and(|epoch| epoch.epoch != self.controller) {
            self.control.seen = 0; // its lanes could not be taken over, or were not yet
        }
        Ok(())
    }
}

/// Sleeps on both words, each as long as it has the value that was read first.
fn sleep(words: [&AtomicU32; 2], values: [u32; 2], slice: Duration) -> rustix::io::Result<()> {
    let waits = [0, 1].map(|at| {
        let mut wait = futex::Wait::new();
        wait.val = values[at].into();
        wait.uaddr = futex::WaitPtr::new(words[at].as_ptr().cast());
        wait.flags = futex::WaitFlags::SIZE_U32;
        wait
    });
    // The time of waitv is a point on a clock.
    let until = monotonic_ns().saturating_add(slice.as_nanos() as u64);
    let until = timespec(Duration::from_nanos(until));
    let flags = futex::WaitvFlags::empty();
    futex::waitv(&waits, flags, Some(&until), ClockId::Monotonic).map(drop)
}
