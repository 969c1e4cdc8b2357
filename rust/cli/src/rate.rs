//! How fast a lane goes, from two looks at it.

use crate::numbers;
use framelane::Report;
use std::time::Duration;

/// Long enough for a few frames of most cameras, too short to be felt.
pub const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Frames or records a second between those that were newest at two looks at the same producer.
pub fn per_second(first: &Report, second: &Report) -> Option<f64> {
    if first.epoch != second.epoch || first.head == 0 || numbers::is_switch(first) {
        return None;
    }
    let frames = numbers::newest(second).checked_sub(numbers::newest(first))?;
    let (begin, end) = (numbers::newest_publish_ns(first), numbers::newest_publish_ns(second));
    let time = end.checked_sub(begin)?;
    match (frames, time) {
        (0, _) => Some(0.0),
        (_, 0) => None,
        _ => Some(frames as f64 * 1e9 / time as f64),
    }
}

/// How fast a count grew from one time to another; None where it did not grow or time stood.
pub fn of_counts((first, second): (u64, u64), (begin_ns, end_ns): (u64, u64)) -> Option<f64> {
    let grown = second.checked_sub(first)?;
    let time = end_ns.checked_sub(begin_ns).filter(|&time| time > 0)?;
    Some(grown as f64 * 1e9 / time as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(sequence: u64, publish_ns: u64) -> Report {
        let mut report = Report::ZERO;
        report.epoch = 1;
        report.head = sequence << 6;
        report.newest.publish_ns = publish_ns;
        report
    }

    #[test]
    fn the_rate_is_frames_over_the_time_between_them() {
        let ms = 1_000_000;
        let at = per_second(&look(10, 1000 * ms), &look(15, 1200 * ms)).unwrap();
        assert!((at - 25.0).abs() < 1e-9, "{at}");
        assert_eq!(per_second(&look(10, 5), &look(10, 5)), Some(0.0), "stalled");
        assert_eq!(per_second(&look(0, 0), &look(10, 5)), None, "just begun");
        assert_eq!(per_second(&look(10, 5), &look(15, 5)), None, "impossible");
        assert_eq!(per_second(&look(10, 9), &look(15, 5)), None, "impossible");
        assert_eq!(per_second(&look(10, 9), &look(5, 90)), None, "impossible");
        let mut restarted = look(15, 90);
        restarted.epoch = 2;
        assert_eq!(per_second(&look(10, 5), &restarted), None);
    }

    #[test]
    fn a_count_that_goes_back_has_no_rate() {
        assert_eq!(of_counts((10, 30), (0, 2_000_000_000)), Some(10.0));
        assert_eq!(of_counts((30, 10), (0, 1)), None);
        assert_eq!(of_counts((0, 9), (5, 5)), None);
    }
}
