//! The stages of a frame's way, each with its histogram.

use super::feed::Capture;
use crate::capture::Incomparable;
use anyhow::Context;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// What takes longer is counted as this: an hour.
const LONGEST_NS: u64 = 3_600_000_000_000;
/// Figures are right to a thousandth.
const DIGITS: u8 = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    CaptureToPublish,
    PublishToWoken,
    WokenToReceived,
    PublishToReceived,
    CaptureToReceived,
}

/// Times of one frame or record, on CLOCK_MONOTONIC.
pub struct Arrival {
    pub epoch: u64,
    pub capture: Capture,
    pub publish_ns: u64,
    /// None where the reader had not slept.
    pub woken_ns: Option<u64>,
    pub received_ns: u64,
}

/// Everything that was measured.
pub struct Stages {
    kind: &'static str,
    histograms: [Histogram<u64>; Stage::ALL.len()],
    incomparable: BTreeMap<Incomparable, u64>,
    pub received: u64,
    pub missed: u64,
    pub duration_ns: u64,
    pub epochs: u64,
    epoch: u64,
}

#[derive(Serialize)]
pub struct Summary<'a> {
    lane: &'a str,
    kind: &'a str,
    duration_ns: u64,
    received: u64,
    missed: u64,
    epochs: u64,
    /// Frames whose capture time says nothing here, by reason.
    incomparable_captures: BTreeMap<&'static str, u64>,
    stages: Vec<Figures>,
}

/// Of one stage; what needs values is null where there are none.
#[derive(Serialize)]
pub struct Figures {
    stage: &'static str,
    pub count: u64,
    min_ns: Option<u64>,
    mean_ns: Option<f64>,
    p50_ns: Option<u64>,
    p90_ns: Option<u64>,
    p99_ns: Option<u64>,
    #[serde(rename = "p99_9_ns")]
    p999_ns: Option<u64>,
    max_ns: Option<u64>,
    buckets: Vec<Bucket>,
}

/// How many took at most `to_ns`, and longer than the bucket before allows.
#[derive(Serialize)]
pub struct Bucket {
    pub to_ns: u64,
    pub count: u64,
}

impl Stage {
    /// In the order of their numbers.
    pub const ALL: [Stage; 5] = [
        Stage::CaptureToPublish,
        Stage::PublishToWoken,
        Stage::WokenToReceived,
        Stage::PublishToReceived,
        Stage::CaptureToReceived,
    ];

    /// For programs.
    fn key(self) -> &'static str {
        match self {
            Stage::CaptureToPublish => "capture_to_publish",
            Stage::PublishToWoken => "publish_to_woken",
            Stage::WokenToReceived => "woken_to_received",
            Stage::PublishToReceived => "publish_to_received",
            Stage::CaptureToReceived => "capture_to_received",
        }
    }

    /// For people.
    pub fn label(self) -> String {
        self.key().replace('_', " ")
    }
}

impl Stages {
    pub fn new(kind: &'static str) -> anyhow::Result<Self> {
        let empty = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS).context("a histogram")?;
        Ok(Stages {
            kind,
            histograms: Stage::ALL.map(|_| empty.clone()),
            incomparable: BTreeMap::new(),
            received: 0,
            missed: 0,
            duration_ns: 0,
            epochs: 0,
            epoch: 0,
        })
    }

    pub fn enter(&mut self, arrival: &Arrival) {
        self.received += 1;
        if self.epoch != arrival.epoch {
            self.epoch = arrival.epoch;
            self.epochs += 1;
        }
        let Arrival { publish_ns, received_ns, .. } = *arrival;
        if let Some(woken_ns) = arrival.woken_ns {
            // It may have been published between waking and taking: newer than what woke us.
            if woken_ns >= publish_ns {
                self.note(Stage::PublishToWoken, woken_ns - publish_ns);
                self.note(Stage::WokenToReceived, received_ns.saturating_sub(woken_ns));
            }
        }
        let on_the_way = received_ns.saturating_sub(publish_ns);
        self.note(Stage::PublishToReceived, on_the_way);
        match arrival.capture {
            Ok(made_in) => {
                self.note(Stage::CaptureToPublish, made_in);
                self.note(Stage::CaptureToReceived, made_in.saturating_add(on_the_way));
            }
            Err(why) => *self.incomparable.entry(why).or_default() += 1,
        }
    }

    fn note(&mut self, stage: Stage, ns: u64) {
        self.histograms[stage as usize].saturating_record(ns);
    }

    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Why capture times say nothing, and of how many frames.
    pub fn incomparable(&self) -> impl Iterator<Item = (Incomparable, u64)> {
        self.incomparable.iter().map(|(why, count)| (*why, *count))
    }

    pub fn summary<'a>(&'a self, lane: &'a str) -> Summary<'a> {
        Summary {
            lane,
            kind: self.kind,
            duration_ns: self.duration_ns,
            received: self.received,
            missed: self.missed,
            epochs: self.epochs,
            incomparable_captures: self.incomparable().map(|(w, n)| (w.name(), n)).collect(),
            stages: Stage::ALL.map(|stage| self.figures(stage)).into(),
        }
    }

    pub fn figures(&self, stage: Stage) -> Figures {
        let histogram = &self.histograms[stage as usize];
        let count = histogram.len();
        let some = |value: u64| (count > 0).then_some(value);
        let at = |quantile: f64| some(histogram.value_at_quantile(quantile));
        Figures {
            stage: stage.key(),
            count,
            min_ns: some(histogram.min()),
            mean_ns: (count > 0).then(|| histogram.mean()),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: some(histogram.max()),
            buckets: buckets(histogram),
        }
    }
}

impl Figures {
    /// In the order of the table's columns.
    pub fn row(&self) -> [Option<u64>; 6] {
        [self.min_ns, self.p50_ns, self.p90_ns, self.p99_ns, self.p999_ns, self.max_ns]
    }

    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }
}

/// Each twice as wide as the one before; without the empty ones at both ends.
fn buckets(histogram: &Histogram<u64>) -> Vec<Bucket> {
    // 1.024 us is the narrowest that tells anything.
    let steps = histogram.iter_log(1024, 2.0);
    let all: Vec<Bucket> = steps
        .map(|step| Bucket {
            to_ns: step.value_iterated_to(),
            count: step.count_since_last_iteration(),
        })
        .collect();
    let first = all.iter().position(|bucket| bucket.count > 0).unwrap_or(all.len());
    all.into_iter().skip(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(publish_ns: u64, woken_ns: Option<u64>, received_ns: u64) -> Arrival {
        Arrival { epoch: 1, capture: Ok(500), publish_ns, woken_ns, received_ns }
    }

    #[test]
    fn a_way_is_the_sum_of_its_stages() {
        let mut stages = Stages::new("frame").unwrap();
        stages.enter(&arrival(1_000, Some(1_300), 1_400));
        let max = |stage| stages.figures(stage).max_ns;
        assert_eq!(max(Stage::CaptureToPublish), Some(500));
        assert_eq!(max(Stage::PublishToWoken), Some(300));
        assert_eq!(max(Stage::WokenToReceived), Some(100));
        assert_eq!(max(Stage::PublishToReceived), Some(400));
        assert_eq!(max(Stage::CaptureToReceived), Some(900));
    }

    #[test]
    fn who_did_not_sleep_was_not_woken() {
        let mut stages = Stages::new("frame").unwrap();
        stages.enter(&arrival(1_000, None, 1_400));
        stages.enter(&arrival(2_000, Some(1_900), 2_100));
        assert_eq!(stages.figures(Stage::PublishToWoken).count, 0, "one came after waking");
        assert_eq!(stages.figures(Stage::PublishToReceived).count, 2);
        assert_eq!(stages.figures(Stage::PublishToWoken).p50_ns, None);
    }

    #[test]
    fn captures_of_no_known_time_are_counted_by_reason() {
        let mut stages = Stages::new("frame").unwrap();
        let capture = Err(Incomparable::UnknownClock);
        stages.enter(&Arrival { capture, ..arrival(1_000, None, 1_100) });
        stages.enter(&Arrival { epoch: 2, ..arrival(2_000, None, 2_100) });
        assert_eq!(stages.incomparable().collect::<Vec<_>>(), [(Incomparable::UnknownClock, 1)]);
        assert_eq!(stages.figures(Stage::CaptureToReceived).count, 1);
        assert_eq!(stages.epochs, 2);
    }

    #[test]
    fn every_value_is_in_one_bucket() {
        let mut stages = Stages::new("frame").unwrap();
        for n in 0..1000 {
            stages.enter(&arrival(1_000, None, 1_000 + n * n * 100));
        }
        let figures = stages.figures(Stage::PublishToReceived);
        assert_eq!(figures.buckets.iter().map(|bucket| bucket.count).sum::<u64>(), 1000);
        assert!(figures.buckets.windows(2).all(|pair| pair[0].to_ns < pair[1].to_ns));
        let row = figures.row().map(Option::unwrap);
        assert!(row.is_sorted(), "{row:?}");
    }
}
