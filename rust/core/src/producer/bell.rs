//! Waking one consumer.

use crate::error::{Error, Result};
use crate::layout::{BellByte, BellKind};
use crate::mem::view::BellView;
use crate::wire;
use rustix::fd::OwnedFd;
use rustix::thread::futex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// More threads than one consumer can sensibly have asleep: a bound on the work of one wake-up,
/// because whoever may wait on the word decides how many waiters it has.
const SLEEPERS_WOKEN: u32 = 64;

/// How one consumer is woken.
pub(crate) enum Bell {
    /// Sleeps on the lane's own word; polls an eventfd. For peers trusted not to fill it.
    Shared { eventfd: OwnedFd },
    /// Sleeps on a word of its own; polls its socket. `word` is only ever written by us.
    Private { word: BellView, socket: Arc<OwnedFd> },
}

impl Bell {
    pub(crate) fn shared() -> Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        let eventfd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|errno| Error::system("eventfd", errno))?;
        Ok(Bell::Shared { eventfd })
    }

    pub(crate) fn kind(&self) -> BellKind {
        match self {
            Bell::Shared { .. } => BellKind::Shared,
            Bell::Private { .. } => BellKind::Private,
        }
    }

    /// Wakes the threads that sleep on a word of this consumer's own.
    pub(crate) fn wake_sleepers(&self) {
        if let Bell::Private { word, .. } = self {
            word.wake().fetch_add(1, Relaxed);
            wake(word.wake(), SLEEPERS_WOKEN);
        }
    }

    /// Makes the consumer's descriptor readable. A bell that is full already rings.
    pub(crate) fn ring(&self) {
        match self {
            Bell::Shared { eventfd } => {
                let _ = rustix::io::write(eventfd, &1u64.to_ne_bytes());
            }
            Bell::Private { socket, .. } => {
                let _ = wire::socket::send(socket.as_ref(), &[BellByte::Ring.number()]);
            }
        }
    }
}

/// Wakes up to `count` threads that sleep on a shared word.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    let _ = futex::wake(word, futex::Flags::empty(), count);
}
