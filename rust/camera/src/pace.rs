//! Deadlines at a steady rate, without drift.

use crate::rate::Rate;
use rustix::time::{ClockId, Timespec};

/// A clock that can be waited on. Tests have one of their own.
pub trait Clock {
    /// Nanoseconds now.
    fn now_ns(&self) -> u64;

    /// Returns at `deadline_ns`, or earlier.
    fn sleep_until(&self, deadline_ns: u64);
}

/// CLOCK_MONOTONIC.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

impl Clock for Monotonic {
    fn now_ns(&self) -> u64 {
        framelane::monotonic_ns()
    }

    fn sleep_until(&self, deadline_ns: u64) {
        let deadline = Timespec {
            tv_sec: (deadline_ns / 1_000_000_000) as i64,
            tv_nsec: (deadline_ns % 1_000_000_000) as i64,
        };
        // Interrupted by a signal: the caller looks at the clock again.
        let _ = rustix::thread::clock_nanosleep_absolute(ClockId::Monotonic, &deadline);
    }
}

/// Longest sleep without looking whether to stop.
const SLICE_NS: u64 = 50_000_000;

/// When the next picture is due. Deadlines lie on a grid fixed at the start; one that has passed
/// is counted and left out, so that pictures never bunch after a stall.
pub struct Pacer<C> {
    clock: C,
    rate: Rate,
    start_ns: u64,
    /// Grid point of the next deadline.
    next: u64,
}

/// A deadline that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When it was due.
    pub deadline_ns: u64,
    /// Deadlines left out just before it.
    pub late: u64,
}

impl<C: Clock> Pacer<C> {
    /// A pacer whose first deadline is now.
    pub fn new(clock: C, rate: Rate) -> Self {
        let start_ns = clock.now_ns();
        Pacer { clock, rate, start_ns, next: 0 }
    }

    /// The clock it runs on.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// Waits for the next deadline that has not passed; None when `stop` says so before.
    ///
    /// A deadline counts as kept until the one after it is due.
    pub fn wait(&mut self, stop: &dyn Fn() -> bool) -> Option<Tick> {
        let elapsed = self.clock.now_ns().saturating_sub(self.start_ns);
        let current = self.rate.frames_until(elapsed);
        let late = current.saturating_sub(self.next);
        self.next += late;
        let deadline_ns = self.start_ns.saturating_add(self.rate.time_ns(self.next));
        loop {
            if stop() {
                return None;
            }
            let now = self.clock.now_ns();
            if now >= deadline_ns {
                break;
            }
            self.clock.sleep_until(deadline_ns.min(now.saturating_add(SLICE_NS)));
        }
        self.next += 1;
        Some(Tick { deadline_ns, late })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    /// Moves only when somebody sleeps or works.
    struct Fake {
        now: Cell<u64>,
        sleeps: Cell<u64>,
    }

    impl Fake {
        fn at(now: u64) -> Self {
            Fake { now: Cell::new(now), sleeps: Cell::new(0) }
        }
        fn work(&self, ns: u64) {
            self.now.set(self.now.get() + ns);
        }
    }

    impl Clock for Fake {
        fn now_ns(&self) -> u64 {
            self.now.get()
        }
        fn sleep_until(&self, deadline_ns: u64) {
            assert!(deadline_ns > self.now.get() && deadline_ns - self.now.get() <= SLICE_NS);
            self.sleeps.set(self.sleeps.get() + 1);
            self.now.set(deadline_ns);
        }
    }

    fn never() -> bool {
        false
    }

    #[test]
    fn an_hour_at_ntsc_rate_does_not_drift() {
        let rate = Rate::new(30000, 1001).unwrap();
        let mut pacer = Pacer::new(Fake::at(7_000_000), rate);
        for index in 0..107_892 {
            let tick = pacer.wait(&never).unwrap();
            assert_eq!(tick, Tick { deadline_ns: 7_000_000 + rate.time_ns(index), late: 0 });
            assert_eq!(pacer.clock().now_ns(), tick.deadline_ns);
            pacer.clock().work(5_000_000);
        }
    }

    #[test]
    fn a_stall_is_counted_and_not_made_up_for() {
        let mut pacer = Pacer::new(Fake::at(0), Rate::new(100, 1).unwrap());
        assert_eq!(pacer.wait(&never).unwrap().late, 0);
        pacer.clock().work(14_000_000);
        let tick = pacer.wait(&never).unwrap();
        assert_eq!((tick.deadline_ns, tick.late), (10_000_000, 0), "late but still its turn");
        assert_eq!(pacer.clock().now_ns(), 14_000_000, "and not delayed further");
        pacer.clock().work(40_000_000);
        let tick = pacer.wait(&never).unwrap();
        assert_eq!((tick.deadline_ns, tick.late), (50_000_000, 3), "20, 30 and 40 ms are gone");
        let tick = pacer.wait(&never).unwrap();
        assert_eq!((tick.deadline_ns, tick.late), (60_000_000, 0), "back on the grid");
        assert_eq!(pacer.clock().now_ns(), 60_000_000);
    }

    #[test]
    fn a_long_wait_looks_for_the_stop_now_and_then() {
        let mut pacer = Pacer::new(Fake::at(0), Rate::new(1, 10).unwrap());
        pacer.wait(&never).unwrap();
        let asked = Cell::new(0);
        let stop = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        assert_eq!(pacer.wait(&stop), None);
        assert_eq!(pacer.clock().sleeps.get(), 3);
        let tick = pacer.wait(&never).unwrap();
        assert_eq!(tick, Tick { deadline_ns: 10_000_000_000, late: 0 }, "a stop loses no deadline");
    }

    proptest! {
        #[test]
        fn whatever_the_work_takes_kept_and_late_deadlines_make_the_grid(
            frames in 1u32..2000, work in proptest::collection::vec(0u64..200_000_000, 1..60),
        ) {
            let rate = Rate::new(frames, 1).unwrap();
            let mut pacer = Pacer::new(Fake::at(123), rate);
            let mut index = 0;
            for ns in work {
                let tick = pacer.wait(&never).unwrap();
                index += tick.late;
                prop_assert_eq!(tick.deadline_ns, 123 + rate.time_ns(index));
                let now = pacer.clock().now_ns();
                prop_assert!(now >= tick.deadline_ns && now < 123 + rate.time_ns(index + 1));
                index += 1;
                pacer.clock().work(ns);
            }
        }
    }
}
