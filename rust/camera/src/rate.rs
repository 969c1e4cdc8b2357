//! Frames per second as a fraction.

use crate::error::{Result, invalid};
use framelane::Error;
use std::fmt;
use std::str::FromStr;

/// Frames per second, exact: 30, 30000/1001, 12.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    frames: u32,
    seconds: u32,
}

impl Rate {
    /// 30 frames per second.
    pub const DEFAULT: Rate = Rate { frames: 30, seconds: 1 };

    /// `frames` in `seconds`.
    ///
    /// # Errors
    /// `InvalidArgument` where one of them is 0, or for more than a frame in 1000 ns.
    pub fn new(frames: u32, seconds: u32) -> Result<Self> {
        let rate = Rate { frames, seconds };
        if frames == 0 || seconds == 0 {
            return Err(invalid(format!("{frames}/{seconds} frames per second cannot be paced")));
        }
        if rate.period_ns() < 1000 {
            return Err(invalid(format!("{rate} frames per second is more than a million")));
        }
        Ok(rate)
    }

    /// Frames in [`seconds`](Self::seconds).
    pub fn frames(self) -> u32 {
        self.frames
    }

    /// Time that [`frames`](Self::frames) take, in seconds.
    pub fn seconds(self) -> u32 {
        self.seconds
    }

    /// Start of frame `index` relative to frame 0, in nanoseconds, rounded down. Exact for every
    /// index, so a clock built on it does not drift.
    pub fn time_ns(self, index: u64) -> u64 {
        let ns = u128::from(index) * u128::from(self.seconds) * 1_000_000_000;
        u64::try_from(ns / u128::from(self.frames)).unwrap_or(u64::MAX)
    }

    /// Frames whose start lies at or before `ns`, not counting frame 0.
    pub fn frames_until(self, ns: u64) -> u64 {
        let parts = (u128::from(ns) + 1) * u128::from(self.frames);
        let frames = (parts - 1) / (u128::from(self.seconds) * 1_000_000_000);
        u64::try_from(frames).unwrap_or(u64::MAX)
    }

    /// Time from one frame to the next in nanoseconds, rounded down.
    pub fn period_ns(self) -> u64 {
        self.time_ns(1)
    }

    /// Start of frame `index` in seconds, for smooth motion.
    pub(crate) fn time_s(self, index: u64) -> f64 {
        index as f64 * f64::from(self.seconds) / f64::from(self.frames)
    }
}

impl Default for Rate {
    fn default() -> Self {
        Rate::DEFAULT
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seconds {
            1 => write!(f, "{}", self.frames),
            seconds => write!(f, "{}/{seconds}", self.frames),
        }
    }
}

impl FromStr for Rate {
    type Err = Error;

    /// Reads `30`, `12.5` (at most three decimals) or `30000/1001`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || invalid(format!("{text:?} is no frame rate; write 30, 12.5 or 30000/1001"));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse::<u32>().map_err(|_| wrong()) } else { Err(wrong()) }
        };
        if let Some((frames, seconds)) = text.split_once('/') {
            return Rate::new(number(frames)?, number(seconds)?);
        }
        let Some((whole, decimals)) = text.split_once('.') else {
            return Rate::new(number(text)?, 1);
        };
        if decimals.len() > 3 {
            return Err(wrong());
        }
        let scale = 10u32.pow(decimals.len() as u32);
        let (whole, decimals) = (number(whole)?, number(decimals)?);
        let frames = whole.checked_mul(scale).and_then(|frames| frames.checked_add(decimals));
        Rate::new(frames.ok_or_else(wrong)?, scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Rate>().map(|rate| (rate.frames, rate.seconds)).ok();
        assert_eq!(read("30"), Some((30, 1)));
        assert_eq!(read("12.5"), Some((125, 10)));
        assert_eq!(read("29.97"), Some((2997, 100)));
        assert_eq!(read("30000/1001"), Some((30000, 1001)));
        let numbers =
            ["", "0", "x", "-1", "+3", "1e3", "1.2345", "1.", ".5", "99999999999", "2000000"];
        for bad in numbers.into_iter().chain(["1/0", "0/1", "3/4/5", "1/"]) {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!("30000/1001".parse::<Rate>().unwrap().to_string(), "30000/1001");
    }

    #[test]
    fn a_day_of_ntsc_frames_does_not_drift() {
        let rate = Rate::new(30000, 1001).unwrap();
        let frames_a_day = 30000 * 86_400 / 1001;
        assert_eq!(rate.time_ns(frames_a_day), 86_399_980_333_333);
    }

    proptest! {
        #[test]
        fn counting_frames_is_the_inverse_of_their_times(
            frames in 1u32..100_000, seconds in 1u32..5000, index in 0u64..1_000_000_000,
        ) {
            let Ok(rate) = Rate::new(frames, seconds) else { return Ok(()) };
            let start = rate.time_ns(index);
            prop_assume!(start < u64::MAX, "584 years");
            prop_assert_eq!(rate.frames_until(start), index);
            if index > 0 {
                prop_assert_eq!(rate.frames_until(start - 1), index - 1);
            }
        }
    }
}
