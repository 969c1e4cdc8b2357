//! Names, meanings and values of the metrics of lanes.

use crate::switch::facts::Switch;
use crate::{ls, numbers, output};
use framelane::layout::ConsumerReport;
use framelane::{LaneEntry, Report};
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt::Error;

const SECONDS: Option<&Unit> = Some(&Unit::Seconds);
const BYTES: Option<&Unit> = Some(&Unit::Bytes);

/// What a lane answered.
pub struct Sample {
    labels: Labels,
    report: Option<Report>,
}

type Labels = Vec<(&'static str, String)>;

/// A value that there may be of something.
enum Value<T: ?Sized> {
    Counter(fn(&Report, &T) -> Option<u64>),
    Gauge(fn(&Report, &T) -> Option<f64>),
}

/// One metric: its name without prefix and unit, its help, and where it comes from.
struct Family<T: ?Sized> {
    name: &'static str,
    unit: Option<&'static Unit>,
    help: &'static str,
    value: Value<T>,
}

use Value::{Counter, Gauge};

const fn family<T: ?Sized>(
    name: &'static str,
    unit: Option<&'static Unit>,
    help: &'static str,
    value: Value<T>,
) -> Family<T> {
    Family { name, unit, help, value }
}

/// Of each lane that answers.
const OF_LANES: &[Family<()>] = &[
    family("framelane_lane_created_timestamp", SECONDS, "When its producer made it, since 1970", {
        Gauge(|report, ()| Some(seconds(report.created_ns)))
    }),
    family("framelane_lane_published", None, "Frames or records published", {
        Counter(|report, ()| carries(report).then_some(report.published))
    }),
    family("framelane_lane_abandoned", None, "Frames or records begun and given up", {
        Counter(|report, ()| carries(report).then_some(report.abandoned))
    }),
    family("framelane_lane_no_free_slot", None, "Claims that found no slot or no room in time", {
        Counter(|report, ()| carries(report).then_some(report.no_free_slot))
    }),
    family("framelane_lane_revoked", None, "Frames taken back from who overstayed the lease", {
        Counter(|report, ()| frames(report).then_some(report.revoked))
    }),
    family("framelane_lane_copied", BYTES, "Copied by the SDK, on both sides", {
        Counter(|report, ()| carries(report).then(|| numbers::copied_bytes(report)))
    }),
    family("framelane_lane_newest_age", SECONDS, "Since the newest frame or record came", {
        Gauge(|report, ()| {
            let age = report.now_ns.saturating_sub(numbers::newest_publish_ns(report));
            (report.head != 0 && carries(report)).then(|| seconds(age))
        })
    }),
    family("framelane_lane_memory", BYTES, "Size of lane memory", {
        Gauge(|report, ()| Some(report.total_bytes as f64))
    }),
    family("framelane_lane_consumers", None, "Consumers attached", {
        Gauge(|report, ()| Some(report.consumer_count.into()))
    }),
    family("framelane_lane_leases_granted", None, "Frames that they may hold together", {
        Gauge(|report, ()| frames(report).then(|| report.leases_granted.into()))
    }),
    family("framelane_lane_lease_budget", None, "Frames that all consumers may ever hold", {
        Gauge(|report, ()| frames(report).then(|| report.lease_budget.into()))
    }),
    family("framelane_lane_held_frames", None, "Frames held past their turn", {
        Gauge(|report, ()| frames(report).then(|| report.held_slots.count_ones().into()))
    }),
    family("framelane_stream_written", BYTES, "Bytes of all records", {
        Counter(|report, ()| stream(report).then_some(report.stream.written_bytes))
    }),
    family("framelane_stream_key_records", None, "Key records written", {
        Counter(|report, ()| stream(report).then_some(report.stream.key_records))
    }),
    family("framelane_stream_key_requests", None, "Key records that readers asked for", {
        Counter(|report, ()| stream(report).then_some(report.stream.key_requests.into()))
    }),
    family("framelane_stream_records", None, "Records that can be read now", {
        Gauge(|report, ()| stream(report).then(|| records(report) as f64))
    }),
    family("framelane_stream_reach", SECONDS, "How far back the stream can be read", {
        Gauge(|report, ()| {
            let age = report.now_ns.saturating_sub(report.stream.oldest_publish_ns);
            (stream(report) && records(report) > 0).then(|| seconds(age))
        })
    }),
    family("framelane_switch_changes", None, "Times the active lane has changed", {
        Counter(|report, ()| Some(Switch::of(report)?.switches))
    }),
    family("framelane_switch_active_index", None, "Number of the active lane, from 0", {
        Gauge(|report, ()| Some(Switch::of(report)?.active as f64))
    }),
    family("framelane_switch_active_age", SECONDS, "Since it is active", {
        Gauge(|report, ()| Some(seconds(Switch::of(report)?.active_for_ns)))
    }),
    family("framelane_switch_held", None, "Whether somebody has chosen, against whom none does", {
        Gauge(|report, ()| Some(f64::from(u8::from(Switch::of(report)?.held))))
    }),
];

/// Of each consumer of a lane, as it tells itself; what it holds tells the producer.
const OF_CONSUMERS: &[Family<ConsumerReport>] = &[
    family("framelane_consumer_received", None, "Frames or records it took", {
        Counter(|_, entry: &ConsumerReport| Some(entry.received))
    }),
    family("framelane_consumer_missed", None, "Frames or records that passed it by", {
        Counter(|_, entry: &ConsumerReport| Some(entry.missed))
    }),
    family("framelane_consumer_revoked", None, "Frames taken back from it", {
        Counter(|_, entry: &ConsumerReport| Some(entry.revoked))
    }),
    family("framelane_consumer_copied", BYTES, "Copied for it by the SDK", {
        Counter(|_, entry: &ConsumerReport| Some(entry.copied_bytes))
    }),
    family("framelane_consumer_lag", None, "Frames or records behind the newest", {
        Gauge(|report, entry| numbers::lag(report, entry).map(|lag| lag as f64))
    }),
    family("framelane_consumer_held_frames", None, "Frames it holds", {
        Gauge(|report, entry: &ConsumerReport| {
            frames(report).then(|| entry.held_slots.count_ones().into())
        })
    }),
    family("framelane_consumer_held_age", SECONDS, "Since its oldest held frame was published", {
        Gauge(|report, entry| numbers::held_for(report, entry).map(seconds))
    }),
];

fn seconds(ns: u64) -> f64 {
    ns as f64 / 1e9
}

fn stream(report: &Report) -> bool {
    numbers::is_stream(report)
}

fn frames(report: &Report) -> bool {
    carries(report) && !stream(report)
}

/// Whether it is a lane that carries something, not a switch.
fn carries(report: &Report) -> bool {
    !numbers::is_switch(report)
}

fn records(report: &Report) -> u64 {
    report.head.saturating_add(1).saturating_sub(report.stream.oldest)
}

impl Sample {
    pub fn new(lane: LaneEntry, answer: framelane::Result<Report>) -> Self {
        let directory = lane.directory.display().to_string();
        Sample { labels: vec![("lane", lane.name), ("directory", directory)], report: answer.ok() }
    }

    fn info(&self, report: &Report) -> Labels {
        let (format, size) = ls::carries(report);
        let (width, height) = size.unwrap_or_default();
        let mut labels = self.labels.clone();
        labels.extend([
            ("kind", numbers::lane_kind(report.lane_kind)),
            ("memory_kind", numbers::memory_kind(report.memory_kind)),
            ("format", format.unwrap_or_default()),
            ("width", width.to_string()),
            ("height", height.to_string()),
            ("producer_pid", report.producer_pid.to_string()),
        ]);
        labels
    }

    fn consumer(&self, entry: &ConsumerReport) -> Labels {
        let mut labels = self.labels.clone();
        labels.extend([
            ("consumer_id", entry.consumer_id.to_string()),
            ("pid", entry.pid.to_string()),
            ("command", output::clean_bytes(&entry.command)),
            ("mode", numbers::mode(entry.mode)),
        ]);
        labels
    }
}

/// Writes every family that has a value of something.
pub fn encode(encoder: &mut DescriptorEncoder<'_>, samples: &[Sample]) -> Result<(), Error> {
    let up = |sample: &Sample| f64::from(u8::from(sample.report.is_some()));
    let values: Vec<_> = samples.iter().map(|sample| (sample.labels.clone(), up(sample))).collect();
    gauges(encoder, ("framelane_lane_up", None, "Whether its producer answers"), &values)?;
    let live: Vec<(&Sample, &Report)> =
        samples.iter().filter_map(|sample| Some((sample, sample.report.as_ref()?))).collect();
    let told: Vec<_> = live.iter().map(|(sample, report)| (sample.info(report), 1.0)).collect();
    gauges(encoder, ("framelane_lane_info", None, "What it carries, in its labels"), &told)?;
    let of_lanes: Vec<(Labels, &Report, &())> =
        live.iter().map(|(sample, report)| (sample.labels.clone(), *report, &())).collect();
    for family in OF_LANES {
        one(encoder, family, &of_lanes)?;
    }
    let of_consumers: Vec<(Labels, &Report, &ConsumerReport)> = live
        .iter()
        .flat_map(|&(sample, report)| {
            numbers::consumers(report)
                .iter()
                .map(move |entry| (sample.consumer(entry), report, entry))
        })
        .collect();
    for family in OF_CONSUMERS {
        one(encoder, family, &of_consumers)?;
    }
    Ok(())
}

fn one<T>(
    encoder: &mut DescriptorEncoder<'_>,
    family: &Family<T>,
    of: &[(Labels, &Report, &T)],
) -> Result<(), Error> {
    let head = (family.name, family.unit, family.help);
    match family.value {
        Counter(value) => counters(encoder, head, &values(of, value)),
        Gauge(value) => gauges(encoder, head, &values(of, value)),
    }
}

fn values<T, V>(
    of: &[(Labels, &Report, &T)],
    value: fn(&Report, &T) -> Option<V>,
) -> Vec<(Labels, V)> {
    let told = |(labels, report, entry): &(Labels, &Report, &T)| {
        Some((labels.clone(), value(report, entry)?))
    };
    of.iter().filter_map(told).collect()
}

/// Name, unit and help.
pub type Head<'a> = (&'a str, Option<&'a Unit>, &'a str);

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    head: Head<'_>,
    values: &[(Labels, u64)],
) -> Result<(), Error> {
    let values = values.iter().map(|(labels, value)| (labels, ConstCounter::new(*value)));
    write(encoder, head, MetricType::Counter, values)
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    head: Head<'_>,
    values: &[(Labels, f64)],
) -> Result<(), Error> {
    let values = values.iter().map(|(labels, value)| (labels, ConstGauge::new(*value)));
    write(encoder, head, MetricType::Gauge, values)
}

fn write<'a>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, unit, help): Head<'_>,
    kind: MetricType,
    values: impl ExactSizeIterator<Item = (&'a Labels, impl EncodeMetric)>,
) -> Result<(), Error> {
    if values.len() == 0 {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(name, help, unit, kind)?;
    for (labels, value) in values {
        value.encode(family.encode_family(labels)?)?;
    }
    Ok(())
}
