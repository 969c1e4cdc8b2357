//! What a lane tells about itself.

use super::base::Base;
use super::lane::Lane;
use super::member::Member;
use super::state::{State, bits};
use crate::layout::{ConsumerReport, Mode, Report};
use crate::ring::token::token;
use crate::ring::words::PageWords;
use crate::wire::message::{self, put_text};
use std::sync::atomic::Ordering::Relaxed;
use zerocopy::FromZeros;

/// The lane now. Names of processes are looked up after the mutex is released.
pub(crate) fn report(lane: &Lane, now_ns: u64) -> Report {
    let mut report = of_base(lane, now_ns);
    // Of a forked child neither the mutex nor the memory can be used.
    if lane.refuse_fork().is_ok() {
        lane.lock().describe(lane, &mut report);
    }
    name_processes(&mut report);
    report
}

/// What is constant of a lane of either kind.
pub(crate) fn of_base(lane: &Base, now_ns: u64) -> Report {
    let facts = &lane.facts;
    let mut report: Report = message::new();
    report.epoch = facts.epoch;
    report.now_ns = now_ns;
    report.copied_bytes = lane.copied_bytes.load(Relaxed);
    report.total_bytes = facts.total_bytes;
    report.payload_bytes = facts.payload_bytes;
    report.lease_ns = facts.lease_ns;
    report.created_ns = facts.created_ns;
    report.slot_count = facts.slot_count;
    report.history = facts.history;
    report.claims = facts.claims;
    report.lease_budget = facts.lease_budget;
    report.flags = facts.flags;
    report.producer_pid = std::process::id();
    report.producer_uid = facts.uid;
    report.device_buffers = facts.devices.len() as u32;
    report.page_bytes = facts.page_bytes;
    report.lane_kind = facts.lane_kind.number();
    report.memory_kind = facts.memory_kind.number();
    report
}

/// Says what the processes are called that read the lane.
pub(crate) fn name_processes(report: &mut Report) {
    for entry in &mut report.consumers[..report.consumer_count as usize] {
        put_text(&mut entry.command, &command(entry.pid));
    }
}

impl State {
    fn describe(&self, lane: &Lane, report: &mut Report) {
        report.published = self.counts.published;
        report.abandoned = self.counts.abandoned;
        report.no_free_slot = self.counts.no_free_slot;
        report.revoked = self.counts.revoked;
        report.departed_copied_bytes = self.counts.departed_copied;
        report.ready_slots = self.ring.ready();
        report.claimed_slots = self.ring.claimed();
        report.held_slots = self.pinned() & self.ring.retired();
        report.leases_granted = self.members.leases_granted();
        report.consumer_count = self.members.len() as u32;
        for (entry, member) in report.consumers.iter_mut().zip(self.members.iter()) {
            *entry = self.consumer(lane, member);
        }
        let newest = self.ring.newest();
        if let Some(slot) = bits(self.ring.ready()).find(|&s| self.ring.sequence(s) == newest) {
            report.head = token(newest, slot);
            report.newest = lane.view.load_descriptor(slot);
        }
    }

    fn consumer(&self, lane: &Lane, member: &Member) -> ConsumerReport {
        let held_slots = self.ring.pinned_by(&member.page, member.leases);
        let published = |slot| lane.view.load_descriptor(slot).publish_ns;
        let mut entry = consumer(member);
        entry.held_slots = held_slots;
        entry.held_since_ns = bits(held_slots).map(published).min().unwrap_or(0);
        entry
    }

    /// "consumer 3 (process 71) holds 2 frames, ..." for errors.
    pub(crate) fn holders(&self) -> String {
        let holder = |member: &Member| {
            let held = self.ring.pinned_by(&member.page, member.leases).count_ones();
            (held > 0).then(|| format!("{} holds {held} frames", member.label()))
        };
        joined(self.members.iter().filter_map(holder), "nobody")
    }

    /// The lossless consumers that have not taken the oldest frame, for errors.
    pub(crate) fn laggards(&self) -> String {
        let upcoming = self.ring.upcoming(self.claims_out.into());
        let lags = |member: &&Member| {
            member.mode == Mode::Lossless
                && member.cursor.saturating_add(self.ring.history()) < upcoming
        };
        let label = |member: &Member| {
            format!("{}, which has not taken frame {}", member.label(), member.cursor)
        };
        joined(self.members.iter().filter(lags).map(label), "a lossless consumer")
    }
}

/// What is told of a consumer of a lane of either kind.
pub(crate) fn consumer(member: &Member) -> ConsumerReport {
    let mut entry = ConsumerReport::new_zeroed();
    entry.consumer_id = member.id;
    entry.pid = member.pid;
    entry.uid = member.uid;
    entry.leases = member.leases as u32;
    entry.mode = member.mode.number();
    entry.bell = member.bell.kind().number();
    entry.attached_ns = member.attached_ns;
    entry.received = member.page.received().load(Relaxed);
    entry.missed = member.page.missed().load(Relaxed);
    entry.copied_bytes = member.page.copied_bytes().load(Relaxed);
    entry.last_sequence = member.page.last_sequence().load(Relaxed);
    entry.revoked = member.revoked;
    entry.cursor = member.page.cursor().load(Relaxed);
    entry
}

pub(crate) fn joined(parts: impl Iterator<Item = String>, nobody: &str) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { nobody.to_owned() } else { parts.join("; ") }
}

/// The kernel's name of a process, empty where it cannot be seen.
fn command(pid: u32) -> String {
    let text = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    text.trim_end().to_owned()
}
