//! The decision by brightness.

use framelane::{Error, ErrorKind, FrameDescriptor, Result};
use std::time::Duration;

/// When it is dark, and when it is bright again. Mean luma goes from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Below this it is dark (50).
    pub dark_below: f32,
    /// Above this it is bright (60).
    pub bright_above: f32,
    /// So long it has to be dark before the night camera is shown (0.5 s).
    pub dark_for: Duration,
    /// So long it has to be bright before the day camera is shown again (3 s).
    pub bright_for: Duration,
    /// Frames after a camera's start that do not count, because its exposure still settles (15).
    pub warm_up_frames: u64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            dark_below: 50.0,
            bright_above: 60.0,
            dark_for: Duration::from_millis(500),
            bright_for: Duration::from_secs(3),
            warm_up_frames: 15,
        }
    }
}

/// What one frame of the day camera says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Producer incarnation: in another one the camera was started anew.
    pub epoch: u64,
    /// Number of the frame in its epoch, from 1.
    pub sequence: u64,
    /// Mean luma; negative where unknown.
    pub brightness: f32,
    /// When it was taken, on any one clock that does not go back.
    pub time_ns: u64,
}

impl Sample {
    /// Of a frame's descriptor.
    pub fn of(epoch: u64, descriptor: &FrameDescriptor) -> Self {
        Sample {
            epoch,
            sequence: descriptor.sequence,
            brightness: descriptor.brightness_avg,
            time_ns: descriptor.publish_ns,
        }
    }
}

/// Decides between a day and a night camera by how bright the day camera sees the scene: its own
/// view counts whichever of the two is shown, so that the night camera's lamps do not matter.
#[derive(Clone, Debug)]
pub struct Brightness {
    thresholds: Thresholds,
    day: usize,
    night: usize,
    wish: Option<usize>,
    epoch: u64,
    /// Frames of this epoch up to this one warm the camera up.
    warm_up_until: u64,
    last: Option<Sample>,
    dark_since_ns: Option<u64>,
    bright_since_ns: Option<u64>,
}

impl Brightness {
    /// A policy for the lanes of these indices, which wishes for nothing yet.
    ///
    /// # Errors
    /// `InvalidArgument` for a threshold of darkness above that of brightness, or one that is no
    /// luma, and where day and night are the same lane.
    pub fn new(thresholds: Thresholds, day: usize, night: usize) -> Result<Self> {
        let Thresholds { dark_below, bright_above, .. } = thresholds;
        let invalid = |text| Err(Error::new(ErrorKind::InvalidArgument, text));
        let luma = 0.0..=255.0;
        if !luma.contains(&dark_below) || !luma.contains(&bright_above) {
            return invalid(format!("brightness is 0 to 255, not {dark_below} or {bright_above}"));
        }
        if dark_below > bright_above {
            let text = format!("dark below {dark_below} and bright above {bright_above} overlap");
            return invalid(text);
        }
        if day == night {
            return invalid(format!("lane {day} cannot be both day and night"));
        }
        Ok(Brightness {
            thresholds,
            day,
            night,
            wish: None,
            epoch: 0,
            warm_up_until: 0,
            last: None,
            dark_since_ns: None,
            bright_since_ns: None,
        })
    }

    /// Index of the day camera's lane: the one whose frames are to be observed.
    pub fn day(&self) -> usize {
        self.day
    }

    /// The lane that should be active; None until it has been dark or bright for long enough.
    pub fn wish(&self) -> Option<usize> {
        self.wish
    }

    /// Takes a frame of the day camera into account; the lane that should be active. Frames that
    /// say nothing of their brightness, or are no newer than the one before, change nothing.
    pub fn observe(&mut self, sample: &Sample) -> Option<usize> {
        let known = sample.brightness >= 0.0; // not of a number that is none, either
        let newer = |last: &Sample| sample.time_ns > last.time_ns || sample.epoch != last.epoch;
        if !known || !self.last.as_ref().is_none_or(newer) {
            return self.wish;
        }
        if sample.epoch != self.epoch {
            self.epoch = sample.epoch;
            self.warm_up_until = self.thresholds.warm_up_frames;
            self.forget();
        }
        self.last = Some(*sample);
        if sample.sequence <= self.warm_up_until {
            return self.wish;
        }
        self.decide(sample);
        self.wish
    }

    /// The day camera was asleep: its next frames warm it up again.
    pub fn woken(&mut self) {
        let newest = self.last.map_or(0, |last| last.sequence);
        self.warm_up_until = newest.saturating_add(self.thresholds.warm_up_frames);
        self.forget();
    }

    fn forget(&mut self) {
        (self.dark_since_ns, self.bright_since_ns) = (None, None);
    }

    fn decide(&mut self, sample: &Sample) {
        let Thresholds { dark_below, bright_above, dark_for, bright_for, .. } = self.thresholds;
        let now = sample.time_ns;
        let since = |holds: bool, since: Option<u64>| holds.then(|| since.unwrap_or(now));
        self.dark_since_ns = since(sample.brightness < dark_below, self.dark_since_ns);
        self.bright_since_ns = since(sample.brightness > bright_above, self.bright_since_ns);
        let held = |since: Option<u64>, time: Duration| {
            since.is_some_and(|since| u128::from(now.saturating_sub(since)) >= time.as_nanos())
        };
        if held(self.dark_since_ns, dark_for) {
            self.wish = Some(self.night);
        } else if held(self.bright_since_ns, bright_for) {
            self.wish = Some(self.day);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thirty frames a second of one brightness each, from a time on.
    struct Film {
        policy: Brightness,
        epoch: u64,
        sequence: u64,
        time_ns: u64,
    }

    impl Film {
        fn new() -> Self {
            let policy = Brightness::new(Thresholds::default(), 0, 1).unwrap();
            Film { policy, epoch: 1, sequence: 0, time_ns: 1_000 }
        }

        fn frame(&mut self, brightness: f32) -> Option<usize> {
            self.sequence += 1;
            self.time_ns += 33_333_333;
            let Film { epoch, sequence, time_ns, .. } = *self;
            self.policy.observe(&Sample { epoch, sequence, brightness, time_ns })
        }

        /// Seconds of one brightness.
        fn show(&mut self, seconds: f64, brightness: f32) -> Option<usize> {
            (0..(seconds * 30.0) as u32).map(|_| self.frame(brightness)).last().flatten()
        }
    }

    #[test]
    fn dark_for_half_a_second_is_night_and_bright_for_three_is_day() {
        let mut film = Film::new();
        assert_eq!(film.show(1.0, 100.0), None, "bright, but not for long");
        assert_eq!(film.show(0.4, 20.0), None);
        assert_eq!(film.show(0.2, 20.0), Some(1));
        assert_eq!(film.show(2.9, 100.0), Some(1));
        assert_eq!(film.show(0.3, 100.0), Some(0));
        assert_eq!(film.show(10.0, 55.0), Some(0), "between the thresholds nothing changes");
        assert_eq!(film.show(0.6, 49.9), Some(1));
        assert_eq!(film.show(10.0, 55.0), Some(1));
        assert_eq!(film.show(10.0, 60.0), Some(1), "the threshold itself is not above it");
        assert_eq!(film.show(3.2, 60.1), Some(0));
    }

    #[test]
    fn a_flash_or_a_hand_begins_the_time_anew() {
        let mut film = Film::new();
        film.show(1.0, 55.0);
        for _ in 0..10 {
            assert_eq!(film.show(0.4, 20.0), None);
            film.frame(55.0);
        }
        assert_eq!(film.show(0.6, 20.0), Some(1));
        for _ in 0..10 {
            assert_eq!(film.show(2.8, 100.0), Some(1));
            film.frame(55.0);
        }
    }

    #[test]
    fn a_camera_that_has_just_begun_does_not_count() {
        let mut film = Film::new();
        assert_eq!(film.show(0.5, 0.0), None, "15 frames");
        film.show(4.0, 100.0);
        assert_eq!(film.policy.wish(), Some(0));
        (film.epoch, film.sequence) = (2, 0);
        assert_eq!(film.show(0.9, 0.0), Some(0), "0.4 s after the warm-up");
        assert_eq!(film.show(0.2, 0.0), Some(1));
        film.policy.woken();
        assert_eq!(film.show(0.5, 255.0), Some(1));
        assert_eq!(film.show(2.9, 255.0), Some(1), "woken, it warms up again");
        assert_eq!(film.show(0.3, 255.0), Some(0));
    }

    #[test]
    fn frames_that_say_nothing_change_nothing() {
        let mut film = Film::new();
        film.show(1.0, 100.0);
        assert_eq!(film.show(0.3, 20.0), None);
        for nothing in [-1.0, f32::NAN, f32::NEG_INFINITY] {
            film.frame(nothing);
        }
        assert_eq!(film.show(0.2, 20.0), Some(1), "the time went on");
        let sample = Sample { epoch: 1, sequence: 999, brightness: 255.0, time_ns: 5 };
        assert_eq!(film.policy.observe(&sample), Some(1), "an old frame");
    }

    #[test]
    fn impossible_thresholds_are_refused() {
        let at = |dark_below, bright_above| {
            let thresholds = Thresholds { dark_below, bright_above, ..Thresholds::default() };
            Brightness::new(thresholds, 0, 1).map(drop)
        };
        assert!(at(50.0, 50.0).is_ok());
        for (dark, bright) in [(61.0, 60.0), (-1.0, 60.0), (50.0, 256.0), (f32::NAN, 60.0)] {
            assert_eq!(at(dark, bright).unwrap_err().kind(), ErrorKind::InvalidArgument);
        }
        assert!(Brightness::new(Thresholds::default(), 1, 1).is_err());
    }
}
