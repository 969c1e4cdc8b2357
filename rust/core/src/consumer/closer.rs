//! Closing a consumer from another thread.

use super::bell::WakeWord;
use crate::error::{Error, Result};
use crate::fork;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::thread::futex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

/// Closes its consumer from any thread: a sleeping read returns `Closed`, and so does every later
/// one. Frames already held stay valid.
#[derive(Clone)]
pub struct Closer(Arc<Shared>);

struct Shared {
    closed: AtomicBool,
    /// The process it was made in.
    generation: u64,
    eventfd: OwnedFd,
    sleeping_on: Mutex<Option<WakeWord>>,
}

impl Closer {
    pub(crate) fn new() -> Result<Self> {
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| Error::system("eventfd", errno))?;
        let closed = AtomicBool::new(false);
        let generation = fork::generation();
        let sleeping_on = Mutex::new(None);
        Ok(Closer(Arc::new(Shared { closed, generation, eventfd, sleeping_on })))
    }

    /// Closes the consumer. Does nothing in a forked child, where it is the parent's.
    pub fn close(&self) {
        if self.is_foreign() {
            return; // the descriptor is shared with the parent
        }
        self.0.closed.store(true, SeqCst);
        let _ = rustix::io::write(&self.0.eventfd, &1u64.to_ne_bytes());
        let word = self.0.sleeping_on.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(word) = &*word {
            // Waking needs no right to write. Others who sleep here look again and go on.
            let _ = futex::wake(word.word(), futex::Flags::empty(), i32::MAX as u32);
        }
    }

    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(SeqCst)
    }

    /// Whether this is a forked child, and everything here the parent's.
    #[inline]
    pub(crate) fn is_foreign(&self) -> bool {
        fork::is_foreign(self.0.generation)
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.0.eventfd.as_fd()
    }

    pub(crate) fn sleeps_on(&self, word: Option<WakeWord>) {
        *self.0.sleeping_on.lock().unwrap_or_else(PoisonError::into_inner) = word;
    }
}
