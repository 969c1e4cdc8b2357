//! When each record of a file is due.

use framelane_camera::pace::Clock;

/// Longest sleep without looking whether to stop.
const SLICE_NS: u64 = 50_000_000;

/// The time of a file against a clock.
pub struct Pace<C> {
    clock: C,
    speed: f64,
    /// When it began, and the time of the file then.
    began: Option<(u64, i64)>,
}

impl<C: Clock> Pace<C> {
    pub fn new(clock: C, speed: f64) -> Self {
        Pace { clock, speed, began: None }
    }

    /// Waits for a time of the file; false when `stop` says so before. What is late is due at once.
    pub fn wait(&mut self, time_ns: i64, stop: &dyn Fn() -> bool) -> bool {
        let (start_ns, first_ns) = *self.began.get_or_insert((self.clock.now_ns(), time_ns));
        let passed = time_ns.saturating_sub(first_ns).max(0) as f64 / self.speed;
        let due_ns = start_ns.saturating_add(passed as u64);
        loop {
            if stop() {
                return false;
            }
            let now = self.clock.now_ns();
            if now >= due_ns {
                return true;
            }
            self.clock.sleep_until(due_ns.min(now.saturating_add(SLICE_NS)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Moves only when somebody sleeps.
    struct Fake(Cell<u64>);

    impl Clock for &Fake {
        fn now_ns(&self) -> u64 {
            self.0.get()
        }
        fn sleep_until(&self, deadline_ns: u64) {
            assert!(deadline_ns > self.0.get() && deadline_ns - self.0.get() <= SLICE_NS);
            self.0.set(deadline_ns);
        }
    }

    #[test]
    fn times_of_the_file_pass_at_the_speed_asked_for() {
        let clock = Fake(Cell::new(1000));
        let mut pace = Pace::new(&clock, 2.0);
        for (time, due) in [(-500, 1000), (199_999_500, 100_001_000), (0, 100_001_000)] {
            assert!(pace.wait(time, &|| false));
            assert_eq!(clock.0.get(), due);
        }
        assert!(!pace.wait(i64::MAX, &|| clock.0.get() > 1_000_000_000), "interrupted");
    }
}
