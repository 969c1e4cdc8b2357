//! What binds a reader to one epoch of a lane of either kind: page, bell and connection.

use super::bell::{ClientBell, WakeWord};
use crate::error::Result;
use crate::fork;
use crate::layout::BellByte;
use crate::mem::view::PageView;
use crate::ring::consumer as ring;
use crate::ring::words::{LaneWords, PageWords};
use crate::wire::{peer, socket};
use rustix::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The words of a lane of either kind, kept mapped.
pub(crate) type SharedWords = Arc<dyn LaneWords + Send + Sync>;

/// From attach until the last of what was read is dropped.
pub(crate) struct Tie {
    pub(crate) name: String,
    pub(crate) leases: u32,
    pub(crate) words: SharedWords,
    pub(crate) page: PageView,
    pub(crate) bell: ClientBell,
    pub(crate) socket: OwnedFd,
    pub(crate) pidfd: Option<OwnedFd>,
    /// The connection is over: device frames no longer count.
    pub(crate) lost: AtomicBool,
    pub(crate) generation: u64,
}

impl Tie {
    /// What to sleep on.
    pub(super) fn wake_word(&self) -> WakeWord {
        WakeWord::of(&self.words, &self.bell)
    }

    /// Whether the producer has ended the lane in good order.
    pub(crate) fn has_closed(&self) -> bool {
        self.words.closed().load(Relaxed) != 0
    }

    /// After a release or a cursor step: rings a producer that waits for it.
    #[inline]
    pub(crate) fn ring_if_wanted(&self, lane: &impl LaneWords) {
        if ring::release_wanted(lane) {
            self.tell(BellByte::Released);
        }
    }

    /// Sends the producer a bell.
    pub(crate) fn tell(&self, bell: BellByte) {
        // A full socket already holds a bell that the producer has not read.
        let _ = socket::send(&self.socket, &[bell.number()]);
    }

    /// Whether the producer has gone, and its device with it. A holder that only checks its frame
    /// hears of it nowhere else, which is worth a system call.
    pub(super) fn is_lost(&self) -> bool {
        if !self.lost.load(Relaxed) && peer::is_gone(&self.socket, self.pidfd.as_ref()) {
            self.lost.store(true, Relaxed);
        }
        self.lost.load(Relaxed)
    }

    /// Notes bytes the SDK copied for this reader.
    pub(crate) fn count_copied(&self, bytes: usize) {
        self.page.copied_bytes().fetch_add(bytes as u64, Relaxed);
    }

    /// An error in a forked child, whose parent this attachment belongs to.
    #[inline]
    pub(crate) fn refuse_fork(&self) -> Result<()> {
        if fork::is_foreign(self.generation) {
            return Err(crate::producer::forked(&self.name));
        }
        Ok(())
    }
}

impl Drop for Tie {
    fn drop(&mut self) {
        if self.refuse_fork().is_err() {
            return; // the page is the parent's, and not even mapped here
        }
        // Nobody holds a frame any more; the producer learns it from the hang-up.
        for cell in 0..self.leases as usize {
            self.page.cell(cell).store(0, std::sync::atomic::Ordering::Release);
        }
        socket::hang_up(&self.socket);
    }
}
