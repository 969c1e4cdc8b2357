//! What a consumer sleeps on and polls.

use super::tie::SharedWords;
use crate::mem::view::BellView;
use crate::ring::words::AtomicU32;
use rustix::fd::OwnedFd;
use std::sync::Arc;

/// The consumer's end of its bell.
pub(crate) enum ClientBell {
    /// Sleeps on the lane's own word, polls an eventfd.
    Shared { eventfd: OwnedFd },
    /// Sleeps on a word of its own, polls the socket.
    Private { word: Arc<BellView> },
}

/// The futex word a consumer sleeps on, kept mapped for whoever wants to wake it.
#[derive(Clone)]
pub(crate) enum WakeWord {
    Lane(SharedWords),
    Bell(Arc<BellView>),
}

impl WakeWord {
    pub(crate) fn of(lane: &SharedWords, bell: &ClientBell) -> Self {
        match bell {
            ClientBell::Shared { .. } => WakeWord::Lane(lane.clone()),
            ClientBell::Private { word } => WakeWord::Bell(word.clone()),
        }
    }

    #[inline]
    pub(crate) fn word(&self) -> &AtomicU32 {
        match self {
            WakeWord::Lane(lane) => lane.wake(),
            WakeWord::Bell(bell) => bell.wake(),
        }
    }
}
