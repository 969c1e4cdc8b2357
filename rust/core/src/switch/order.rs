//! When a frame was captured, against the one before it from another lane.

use crate::clock::monotonic_ns;
use crate::layout::{ClockId, FrameDescriptor};
use rustix::time::{ClockId as Clock, clock_gettime};

/// No camera takes so long from exposure to publication.
const LONG_NS: u64 = 1_000_000_000;

/// What a frame says about its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// The clock, where it and the time are known.
    clock: Option<ClockId>,
    capture_ns: u64,
    publish_ns: u64,
}

impl Moment {
    pub(super) fn of(descriptor: &FrameDescriptor) -> Self {
        let clock = ClockId::from_number(descriptor.capture_clock);
        let known = |clock: &ClockId| *clock != ClockId::Unknown && descriptor.capture_ns != 0;
        Moment {
            clock: clock.filter(known),
            capture_ns: descriptor.capture_ns,
            publish_ns: descriptor.publish_ns,
        }
    }

    /// Whether a frame was captured before another, of another lane: by their exposures where both
    /// are on one clock, else by their publication.
    pub(super) fn is_before(&self, other: &Moment) -> bool {
        match (self.clock, other.clock) {
            (Some(own), Some(others)) if own == others => self.capture_ns < other.capture_ns,
            _ => self.publish_ns < other.publish_ns,
        }
    }

    /// Whether the clocks of both differ whatever is said of them: this frame was published after
    /// `since_ns`, when the other had been delivered, and says to be much older. A lane of such
    /// frames must not be silent for ever.
    pub(super) fn contradicts(&self, other: &Moment, since_ns: u64) -> bool {
        let age = other.capture_ns.saturating_sub(self.capture_ns);
        self.clock.is_some() && self.publish_ns > since_ns && age > LONG_NS
    }

    /// The same without what cannot be: a lane that says its frames are of tomorrow must not make
    /// those of all other lanes old. None where nothing is left.
    pub(super) fn believable(self) -> Option<Self> {
        let now = match self.clock {
            Some(ClockId::Realtime) => nanoseconds(Clock::Realtime),
            Some(ClockId::Boottime) => nanoseconds(Clock::Boottime),
            _ => monotonic_ns(),
        };
        let clock = self.clock.filter(|_| self.capture_ns <= now);
        let published = self.publish_ns <= monotonic_ns();
        (clock.is_some() || published).then_some(Moment { clock, ..self })
    }
}

fn nanoseconds(clock: Clock) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    fn moment(clock: ClockId, capture_ns: u64, publish_ns: u64) -> Moment {
        let mut descriptor = FrameDescriptor::new_zeroed();
        descriptor.capture_clock = clock.number();
        (descriptor.capture_ns, descriptor.publish_ns) = (capture_ns, publish_ns);
        Moment::of(&descriptor)
    }

    #[test]
    fn exposures_count_on_one_clock_and_publications_otherwise() {
        let a = moment(ClockId::Monotonic, 10, 25);
        let b = moment(ClockId::Monotonic, 11, 24);
        assert!(a.is_before(&b) && !b.is_before(&a));
        assert!(!a.is_before(&a), "two lanes of one exposure");
        for other in [ClockId::Realtime, ClockId::Unknown] {
            let c = moment(other, 1, 26);
            assert!(a.is_before(&c) && !c.is_before(&a));
        }
        let unknown = moment(ClockId::Monotonic, 0, 24);
        assert!(unknown.is_before(&a));
    }

    #[test]
    fn times_of_a_file_do_not_count() {
        let camera = moment(ClockId::Monotonic, 50 * LONG_NS, 50 * LONG_NS + 10);
        let since = 50 * LONG_NS + 20;
        let file = moment(ClockId::Monotonic, 33_000_000, since + 1);
        assert!(file.is_before(&camera) && file.contradicts(&camera, since));
        let late = moment(ClockId::Monotonic, 50 * LONG_NS - 5, since + 1);
        assert!(late.is_before(&camera) && !late.contradicts(&camera, since));
        let before = moment(ClockId::Monotonic, 1, since - 1);
        assert!(!before.contradicts(&camera, since));
    }

    #[test]
    fn tomorrow_does_not_count() {
        let now = monotonic_ns();
        assert!(moment(ClockId::Monotonic, now, now).believable().is_some());
        let lie = moment(ClockId::Monotonic, u64::MAX, now).believable().unwrap();
        assert!(!moment(ClockId::Monotonic, now, now + 1).is_before(&lie));
        assert_eq!(moment(ClockId::Realtime, u64::MAX, u64::MAX).believable(), None);
        assert_eq!(moment(ClockId::Unknown, 0, u64::MAX).believable(), None);
    }
}
