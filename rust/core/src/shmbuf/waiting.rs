//! Sleeping until a counter moves.
//!
//! Upstream peers ring no bell, so the counter is looked at again and again. Where both sides have
//! asked for the bell they say so in the header's reserved word, and a sleeper then waits on the
//! counter itself. Each side announces that it sleeps, fences and looks again; the other stores
//! its counter, fences and looks for the announcement: one of them sees the other.

use super::ring::Ring;
use std::sync::atomic::Ordering::{Acquire, Relaxed};
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

/// A sleeper looks up this often, whatever it waits for.
const SLICE: Duration = Duration::from_millis(50);

/// When a time from now is over; far away if it is longer than clocks go.
pub(super) fn deadline(timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(1 << 32);
    Instant::now() + timeout.min(FAR)
}

/// Bits of the reserved word that belong to one side.
pub(super) struct Bell {
    rings: u32,
    sleeps: u32,
}

pub(super) const SENDER: Bell = Bell { rings: 1, sleeps: 4 };
pub(super) const RECEIVER: Bell = Bell { rings: 2, sleeps: 8 };

/// How one side waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) bell: bool,
    pub(super) poll: Duration,
}

impl Waiting {
    /// Says that this side rings, or does not.
    pub(super) fn announce(&self, ring: &Ring, own: &Bell) {
        if self.bell {
            ring.reserved().fetch_or(own.rings, Relaxed);
        }
    }

    /// Takes the announcement back: whoever comes next may not ring.
    pub(super) fn leave(&self, ring: &Ring, own: &Bell) {
        if self.bell {
            ring.reserved().fetch_and(!(own.rings | own.sleeps), Relaxed);
        }
    }

    /// Sleeps until `counter`, the other side's, may have moved from `seen`, but not for long.
    pub(super) fn sleep(
        &self,
        ring: &Ring,
        (counter, seen): (&AtomicU32, u32),
        (own, other): (&Bell, &Bell),
        deadline: Instant,
    ) {
        let left = deadline.saturating_duration_since(Instant::now());
        if !self.bell || ring.reserved().load(Acquire) & other.rings == 0 {
            return std::thread::sleep(self.poll.min(SLICE).min(left));
        }
        ring.reserved().fetch_or(own.sleeps, Relaxed);
        fence(Ordering::SeqCst);
        if counter.load(Acquire) == seen {
            use rustix::thread::futex;
            let slice = SLICE.min(left);
            let time = futex::Timespec { tv_sec: 0, tv_nsec: i64::from(slice.subsec_nanos()) };
            // Moved, woken, interrupted or late: the caller looks again either way.
            let _ = futex::wait(counter, futex::Flags::empty(), seen, Some(&time));
        }
    }

    /// Wakes the other side after `counter`, our own, was stored.
    pub(super) fn ring(&self, ring: &Ring, counter: &AtomicU32, other: &Bell) {
        if !self.bell {
            return;
        }
        fence(Ordering::SeqCst);
        if ring.reserved().load(Relaxed) & other.sleeps != 0 {
            use rustix::thread::futex;
            ring.reserved().fetch_and(!other.sleeps, Relaxed);
            let _ = futex::wake(counter, futex::Flags::empty(), i32::MAX as u32);
        }
    }
}
