//! Figures over the newest frames.

use crate::capture;
use framelane::FrameDescriptor;
use serde::Serialize;
use std::collections::VecDeque;

/// One frame as it was seen.
pub struct Sample {
    pub epoch: u64,
    pub sequence: u64,
    pub publish_ns: u64,
    pub seen_ns: u64,
    capture_to_seen_ns: Option<u64>,
}

/// How a figure is spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub min: u64,
    pub median: u64,
    pub p99: u64,
    pub max: u64,
}

/// The newest frames, at most as many as it was made for.
pub struct Window {
    samples: VecDeque<Sample>,
    capacity: usize,
}

impl Sample {
    pub fn new(epoch: u64, sequence: u64, descriptor: &FrameDescriptor, seen_ns: u64) -> Self {
        Sample {
            epoch,
            sequence,
            publish_ns: descriptor.publish_ns,
            seen_ns,
            capture_to_seen_ns: capture::since(descriptor, seen_ns).ok(),
        }
    }
}

impl Spread {
    /// None of no values.
    pub fn of(values: impl Iterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = values.collect();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len() - 1));
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Spread { min, median: *at(50)?, p99: *at(99)?, max })
    }
}

impl Window {
    pub fn new(capacity: usize) -> Self {
        Window { samples: VecDeque::new(), capacity }
    }

    pub fn push(&mut self, sample: Sample) {
        if self.samples.len() == self.capacity {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }

    pub fn len(&self) -> usize {
        self.samples.len()
    }

    pub fn newest(&self) -> Option<&Sample> {
        self.samples.back()
    }

    /// Frames a second by their numbers and publication times: frames that we missed count.
    pub fn rate(&self) -> Option<f64> {
        let mut frames = 0u64;
        let mut time_ns = 0u64;
        for (count, ns) in self.steps() {
            frames = frames.saturating_add(count);
            time_ns = time_ns.saturating_add(ns);
        }
        (time_ns > 0).then(|| frames as f64 * 1e9 / time_ns as f64)
    }

    /// Between frames that follow each other; where one was missed there is no interval.
    pub fn intervals(&self) -> Option<Spread> {
        Spread::of(self.steps().filter(|&(count, _)| count == 1).map(|(_, ns)| ns))
    }

    pub fn publish_to_seen(&self) -> Option<Spread> {
        Spread::of(self.samples.iter().filter_map(|s| s.seen_ns.checked_sub(s.publish_ns)))
    }

    pub fn capture_to_seen(&self) -> Option<Spread> {
        Spread::of(self.samples.iter().filter_map(|sample| sample.capture_to_seen_ns))
    }

    /// From each frame to the next one seen of the same producer: how many frames, how long.
    fn steps(&self) -> impl Iterator<Item = (u64, u64)> {
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        pairs.filter(|(a, b)| a.epoch == b.epoch).filter_map(|(a, b)| {
            Some((b.sequence.checked_sub(a.sequence)?, b.publish_ns.checked_sub(a.publish_ns)?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framelane::layout::ClockId;

    fn sample(epoch: u64, sequence: u64, publish_ns: u64) -> Sample {
        let mut descriptor = FrameDescriptor::ZERO;
        descriptor.publish_ns = publish_ns;
        descriptor.capture_ns = publish_ns.saturating_sub(5);
        descriptor.capture_clock = ClockId::Monotonic.number();
        Sample::new(epoch, sequence, &descriptor, publish_ns + 7)
    }

    fn window(samples: impl IntoIterator<Item = (u64, u64, u64)>) -> Window {
        let mut window = Window::new(100);
        samples.into_iter().for_each(|(e, s, p)| window.push(sample(e, s, p)));
        window
    }

    #[test]
    fn a_spread_is_of_the_sorted_values() {
        let spread = Spread::of([5, 1, 4, 2, 3].into_iter()).unwrap();
        assert_eq!(spread, Spread { min: 1, median: 3, p99: 5, max: 5 });
        let spread = Spread::of((1..=200).rev()).unwrap();
        assert_eq!(spread, Spread { min: 1, median: 101, p99: 199, max: 200 });
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    #[test]
    fn missed_frames_count_for_the_rate_but_make_no_interval() {
        let seen = window([(1, 1, 1_000), (1, 2, 1_100), (1, 5, 1_400)]);
        assert_eq!(seen.rate(), Some(1e7), "4 frames in 400 ns");
        let only = Spread { min: 100, median: 100, p99: 100, max: 100 };
        assert_eq!(seen.intervals(), Some(only));
        assert_eq!(seen.publish_to_seen().unwrap().max, 7);
        assert_eq!(seen.capture_to_seen().unwrap().max, 12);
    }

    #[test]
    fn nothing_is_measured_across_a_restart_or_from_impossible_times() {
        let seen = window([(1, 9, 1_000), (2, 1, 9_000), (2, 2, 9_100)]);
        assert_eq!(seen.rate(), Some(1e7));
        let backwards = window([(1, 9, 1_000), (1, 8, 900), (1, 7, 800)]);
        assert_eq!((backwards.rate(), backwards.intervals()), (None, None));
        let standing = window([(1, 1, 1_000), (1, 2, 1_000)]);
        assert_eq!(standing.rate(), None);
    }

    #[test]
    fn only_the_newest_stay() {
        let mut window = Window::new(2);
        (1..=5).for_each(|n| window.push(sample(1, n, n * 10)));
        assert_eq!((window.len(), window.newest().unwrap().sequence), (2, 5));
    }
}
