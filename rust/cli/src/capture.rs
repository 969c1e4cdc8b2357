//! How long ago a frame was captured, where its clock can be read here.

use framelane::FrameDescriptor;
use framelane::layout::ClockId;
use rustix::time::{ClockId as Clock, clock_gettime};

/// Why a capture time says nothing about a time of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Incomparable {
    /// The frame has none.
    NoTime,
    /// It is of a clock that the source does not name, or that means nothing to this build.
    UnknownClock,
    /// It lies after what it comes before: the clock is another's, or was set back.
    Future,
}

impl Incomparable {
    /// For people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Incomparable::NoTime => "no_time",
            Incomparable::UnknownClock => "unknown_clock",
            Incomparable::Future => "future",
        }
    }
}

/// Time from a frame's capture to `at_ns` of CLOCK_MONOTONIC.
pub fn since(descriptor: &FrameDescriptor, at_ns: u64) -> Result<u64, Incomparable> {
    let clock = match ClockId::from_number(descriptor.capture_clock) {
        Some(ClockId::Monotonic) => None,
        Some(ClockId::Realtime) => Some(Clock::Realtime),
        Some(ClockId::Boottime) => Some(Clock::Boottime),
        Some(ClockId::Unknown) | None => return Err(Incomparable::UnknownClock),
    };
    if descriptor.capture_ns == 0 {
        return Err(Incomparable::NoTime);
    }
    // What the other clock showed at that time.
    let ahead = clock.map_or(0, |clock| now_ns(clock).saturating_sub(now_ns(Clock::Monotonic)));
    let at = at_ns.saturating_add(ahead);
    at.checked_sub(descriptor.capture_ns).ok_or(Incomparable::Future)
}

fn now_ns(clock: Clock) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_time_counts_only_on_a_known_clock() {
        let mut descriptor = FrameDescriptor::ZERO;
        let told = |d: &FrameDescriptor| since(d, 100);
        descriptor.capture_clock = ClockId::Monotonic.number();
        assert_eq!(told(&descriptor), Err(Incomparable::NoTime));
        descriptor.capture_ns = 60;
        assert_eq!(told(&descriptor), Ok(40));
        descriptor.capture_ns = 200;
        assert_eq!(told(&descriptor), Err(Incomparable::Future));
        for clock in [ClockId::Unknown.number(), 77] {
            descriptor.capture_clock = clock;
            assert_eq!(told(&descriptor), Err(Incomparable::UnknownClock));
        }
    }

    #[test]
    fn other_clocks_of_this_machine_are_converted() {
        for (clock, number) in [
            (Clock::Realtime, ClockId::Realtime.number()),
            (Clock::Boottime, ClockId::Boottime.number()),
        ] {
            let mut descriptor = FrameDescriptor::ZERO;
            descriptor.capture_clock = number;
            descriptor.capture_ns = now_ns(clock);
            let later = framelane::monotonic_ns() + 3_600_000_000_000;
            let since = since(&descriptor, later).unwrap();
            // A test machine may stand still for a while, but not for an hour.
            assert!(since.abs_diff(3_600_000_000_000) < 3_000_000_000_000, "{since}");
        }
    }
}
