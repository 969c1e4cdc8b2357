//! One look at all lanes, and what two of them together say.

use crate::lanes::{self, Place};
use crate::switch::facts::Switch;
use crate::{ls, numbers, output, rate};
use framelane::layout::ConsumerReport;
use framelane::{Error, LaneEntry, Report, monotonic_ns};
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything there was at one moment.
pub struct Look {
    asked: Vec<(LaneEntry, framelane::Result<Report>)>,
    /// Places that could not be read.
    failures: Vec<String>,
}

/// What is shown.
#[derive(Serialize)]
pub struct Shown {
    /// CLOCK_MONOTONIC.
    pub now_ns: u64,
    pub lanes: Vec<Lane>,
    /// Places that could not be read, and why.
    pub failures: Vec<String>,
}

/// One lane. Where it is not live the figures are left out.
#[derive(Serialize, Default)]
pub struct Lane {
    pub name: String,
    pub directory: String,
    /// As of `ls`.
    pub state: &'static str,
    pub reason: Option<String>,
    #[serde(flatten)]
    pub figures: Option<Figures>,
    pub consumers: Vec<Consumer>,
}

#[derive(Serialize)]
pub struct Figures {
    pub epoch: String,
    pub kind: String,
    pub format: Option<String>,
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Of a switch: the name of the active lane, how often it changed, and since when it is.
    pub active: Option<String>,
    pub switches: Option<u64>,
    pub active_for_ns: Option<u64>,
    pub producer_pid: u32,
    pub published: u64,
    /// Of frames or records; null across a restart.
    pub fps: Option<f64>,
    /// Of a stream.
    pub bits_per_s: Option<f64>,
    pub newest_age_ns: Option<u64>,
    /// Pictures or records given up for want of a slot or of room.
    pub no_free_slot: u64,
    pub abandoned: u64,
    pub revoked: u64,
    pub leases_granted: u32,
    pub lease_budget: u32,
    /// All consumers together.
    pub held: u32,
    /// The oldest frame that anybody holds.
    pub held_for_ns: Option<u64>,
    pub missed: u64,
    /// Of the consumer that is furthest behind.
    pub lag: Option<u64>,
    /// By the SDK, on both sides, since the lane was made.
    pub copied_bytes: u64,
    pub copied_bytes_per_s: Option<f64>,
}

/// One consumer; its counts are what it says about itself.
#[derive(Serialize)]
pub struct Consumer {
    pub consumer_id: u32,
    pub pid: u32,
    pub command: String,
    pub mode: String,
    pub fps: Option<f64>,
    pub received: u64,
    pub missed: u64,
    pub missed_per_s: Option<f64>,
    /// Frames or records behind the newest; null before its first.
    pub lag: Option<u64>,
    pub held: u32,
    pub leases: u32,
    /// Since the oldest frame it holds was published.
    pub held_for_ns: Option<u64>,
    pub revoked: u64,
    pub copied_bytes: u64,
}

impl Look {
    /// Asks every lane, or those that are named.
    pub fn now(names: &[String]) -> Look {
        let places = lanes::everywhere();
        let wanted = |entry: &&LaneEntry| names.is_empty() || names.contains(&entry.name);
        let entries: Vec<LaneEntry> =
            places.iter().flat_map(|place| place.lanes.iter().filter(wanted).cloned()).collect();
        let answers = lanes::ask_all(&entries);
        let failures = places.iter().filter_map(failure).collect();
        Look { asked: entries.into_iter().zip(answers).collect(), failures }
    }

    /// Fails as everybody does who looks for one of these lanes and does not find it.
    pub fn refuse_absent(&self, names: &[String]) -> framelane::Result<()> {
        let is_here = |name: &&String| self.asked.iter().any(|(entry, _)| entry.name == **name);
        match names.iter().find(|name| !is_here(name)) {
            Some(absent) => lanes::find(absent).map(drop),
            None => Ok(()),
        }
    }

    /// What there is to show, with the rates since an earlier look.
    pub fn since(&self, earlier: &Look) -> Shown {
        let before: BTreeMap<&LaneEntry, &Report> = earlier
            .asked
            .iter()
            .filter_map(|(entry, answer)| Some((entry, answer.as_ref().ok()?)))
            .collect();
        let lane = |(entry, answer): &(LaneEntry, framelane::Result<Report>)| match answer {
            Ok(report) => live(entry, before.get(entry).copied(), report),
            Err(error) => silent(entry, error),
        };
        Shown {
            now_ns: monotonic_ns(),
            lanes: self.asked.iter().map(lane).collect(),
            failures: self.failures.clone(),
        }
    }
}

fn failure(place: &Place) -> Option<String> {
    let error = place.error.as_ref()?;
    Some(format!("{}: {}", place.directory.display(), output::clean(&error.to_string())))
}

fn silent(entry: &LaneEntry, error: &Error) -> Lane {
    let (state, reason) = ls::dead(entry, error);
    Lane { state, reason: Some(reason), ..named(entry) }
}

fn named(entry: &LaneEntry) -> Lane {
    let directory = entry.directory.display().to_string();
    Lane { name: entry.name.clone(), directory, ..Lane::default() }
}

fn live(entry: &LaneEntry, before: Option<&Report>, now: &Report) -> Lane {
    let before = before.filter(|before| before.epoch == now.epoch);
    let consumers = numbers::consumers(now).iter().map(|entry| consumer(before, now, entry));
    Lane {
        state: "live",
        figures: Some(figures(before, now)),
        consumers: consumers.collect(),
        ..named(entry)
    }
}

fn figures(before: Option<&Report>, now: &Report) -> Figures {
    let (format, size) = ls::carries(now);
    let all = numbers::consumers(now);
    let since = |ns: u64| now.now_ns.saturating_sub(ns);
    let rate = |count: fn(&Report) -> u64| {
        let before = before?;
        rate::of_counts((count(before), count(now)), (before.now_ns, now.now_ns))
    };
    let switch = Switch::of(now);
    let is_switch = switch.is_some();
    let written = rate(|report| report.stream.written_bytes).map(|bytes| bytes * 8.0);
    Figures {
        epoch: numbers::id(now.epoch),
        kind: numbers::lane_kind(now.lane_kind),
        format,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        switches: switch.as_ref().map(|switch| switch.switches),
        active_for_ns: switch.as_ref().map(|switch| switch.active_for_ns),
        active: switch.and_then(|switch| switch.active_lane),
        producer_pid: now.producer_pid,
        published: now.published,
        fps: before.and_then(|before| rate::per_second(before, now)),
        bits_per_s: written.filter(|_| numbers::is_stream(now)),
        newest_age_ns: (now.head != 0 && !is_switch)
            .then(|| since(numbers::newest_publish_ns(now))),
        no_free_slot: now.no_free_slot,
        abandoned: now.abandoned,
        revoked: now.revoked,
        leases_granted: now.leases_granted,
        lease_budget: now.lease_budget,
        held: all.iter().map(|entry| entry.held_slots.count_ones()).sum(),
        held_for_ns: all.iter().filter_map(|entry| numbers::held_for(now, entry)).max(),
        missed: all.iter().fold(0, |sum, entry| entry.missed.saturating_add(sum)),
        lag: all.iter().filter_map(|entry| numbers::lag(now, entry)).max(),
        copied_bytes: numbers::copied_bytes(now),
        copied_bytes_per_s: rate(numbers::copied_bytes),
    }
}

fn consumer(before: Option<&Report>, now: &Report, entry: &ConsumerReport) -> Consumer {
    let rate = |count: fn(&ConsumerReport) -> u64| {
        let before = before?;
        let same = |other: &&ConsumerReport| other.consumer_id == entry.consumer_id;
        let earlier = numbers::consumers(before).iter().find(same)?;
        rate::of_counts((count(earlier), count(entry)), (before.now_ns, now.now_ns))
    };
    Consumer {
        consumer_id: entry.consumer_id,
        pid: entry.pid,
        command: output::clean_bytes(&entry.command),
        mode: numbers::mode(entry.mode),
        fps: rate(|entry| entry.received),
        received: entry.received,
        missed: entry.missed,
        missed_per_s: rate(|entry| entry.missed),
        lag: numbers::lag(now, entry),
        held: entry.held_slots.count_ones(),
        leases: entry.leases,
        held_for_ns: numbers::held_for(now, entry),
        revoked: entry.revoked,
        copied_bytes: entry.copied_bytes,
    }
}
