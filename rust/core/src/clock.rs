//! CLOCK_MONOTONIC and CLOCK_REALTIME in nanoseconds, and deadlines.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::Duration;

/// CLOCK_MONOTONIC now, in nanoseconds.
pub fn monotonic_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

pub(crate) fn realtime_ns() -> u64 {
    nanoseconds(clock_gettime(ClockId::Realtime))
}

fn nanoseconds(time: Timespec) -> u64 {
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A point in time after which a wait ends. Durations too long to represent mean "never".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(u64);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        let wait = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Deadline(monotonic_ns().saturating_add(wait))
    }

    /// What is left, or None when it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        let now = monotonic_ns();
        (now < self.0).then(|| Duration::from_nanos(self.0 - now))
    }

    /// What is left, at most `slice`; None when it has passed.
    pub(crate) fn slice(self, slice: Duration) -> Option<Duration> {
        self.left().map(|left| left.min(slice))
    }
}

pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
