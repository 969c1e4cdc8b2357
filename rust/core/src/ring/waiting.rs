//! Going to sleep and being woken, without losing a wake-up.
//!
//! A waiter: read the wake word, drain the descriptor, announce, fence, look again, and only then
//! sleep on the word read first. The publisher: store head and wake word, fence, then read the
//! announcements.

use super::edge;
use super::words::{AtomicU32, PageWords};
use std::sync::atomic::Ordering::Relaxed;

/// The value to sleep on, read before everything else.
#[inline]
pub fn sleep_on(word: &AtomicU32) -> u32 {
    // edge WAKE: acquired by the fence of the announcement that follows.
    word.load(Relaxed)
}

/// Announces a thread that is about to sleep on the futex word. Look again before sleeping.
#[inline]
pub fn announce(page: &impl PageWords) {
    // A counter, not a flag: the first of two waiters to wake must not erase the other.
    page.waiting().fetch_add(1, Relaxed);
    // edges SLEEP and WAKE: either the publisher sees the counter or we see its frame, and in any
    // case the frame whose wake word we have read.
    edge::SLEEP.fence_second();
}

/// Takes the announcement back.
#[inline]
pub fn withdraw(page: &impl PageWords) {
    page.waiting().fetch_sub(1, Relaxed);
}

/// Asks for one ring of the descriptor bell. Look again before polling.
#[inline]
pub fn arm(page: &impl PageWords) {
    page.arm_ticket().fetch_add(1, Relaxed);
    // edge SLEEP: as above, for a poller.
    edge::SLEEP.fence_second();
}

/// What a consumer wants to hear from the publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Threads that sleep on the futex word.
    pub sleepers: u32,
    /// The ticket to answer with one ring, if it has not been answered.
    pub ticket: Option<u32>,
}

/// Reads a page's announcements. Comes after the fence of a publish.
#[inline]
pub fn wanted(page: &impl PageWords, answered: u32) -> Wanted {
    let ticket = page.arm_ticket().load(Relaxed);
    Wanted {
        sleepers: page.waiting().load(Relaxed),
        ticket: (ticket != answered).then_some(ticket),
    }
}
