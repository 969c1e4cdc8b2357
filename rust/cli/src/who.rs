//! `framelane who`

use crate::lanes::{self, Found};
use crate::table::{Table, or_dash};
use crate::units::count;
use crate::{numbers, output, units};
use framelane::layout::ConsumerReport;
use framelane::{Mode, Report};
use serde::Serialize;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    /// Name of the lane
    pub lane: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Who {
    lane: String,
    directory: String,
    epoch: String,
    producer_pid: u32,
    head_sequence: u64,
    lease_budget: u32,
    leases_granted: u32,
    consumers: Vec<Consumer>,
    /// Of a frame lane.
    slots: Vec<Slot>,
    #[serde(skip)]
    is_stream: bool,
    #[serde(skip)]
    is_switch: bool,
}

/// One consumer; its own counts are what it says about itself.
#[derive(Serialize)]
struct Consumer {
    consumer_id: u32,
    pid: u32,
    uid: u32,
    command: String,
    mode: String,
    /// How the producer wakes it: shared or private.
    bell: String,
    /// How its death is noticed: peer_pidfd, pidfd or socket.
    liveness: String,
    attached_for_ns: u64,
    leases: u32,
    received: u64,
    missed: u64,
    last_sequence: Option<u64>,
    /// Head minus last_sequence; null before its first frame.
    lag_frames: Option<u64>,
    /// Lossless only: lowest sequence not yet borrowed.
    cursor: Option<u64>,
    held_slots: Vec<u32>,
    /// Since publication of the oldest frame it holds.
    held_for_ns: Option<u64>,
    revoked: u64,
    copied_bytes: u64,
}

#[derive(Serialize)]
struct Slot {
    slot: u32,
    /// free, claimed, ready, or retired and still held.
    phase: &'static str,
    newest: bool,
    /// Ids of the consumers that hold it.
    held_by: Vec<u32>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let who = gather(&args.lane, &lanes::find(&args.lane)?);
    if args.json {
        output::print_json(&who)?;
    } else {
        output::print(&text(&who))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn gather(lane: &str, found: &Found) -> Who {
    let report = &found.report;
    Who {
        lane: lane.to_owned(),
        directory: found.directory.display().to_string(),
        epoch: numbers::id(report.epoch),
        producer_pid: report.producer_pid,
        head_sequence: numbers::newest(report),
        lease_budget: report.lease_budget,
        leases_granted: report.leases_granted,
        consumers: numbers::consumers(report).iter().map(|entry| consumer(report, entry)).collect(),
        slots: slots(report),
        is_stream: numbers::is_stream(report),
        is_switch: numbers::is_switch(report),
    }
}

fn consumer(report: &Report, entry: &ConsumerReport) -> Consumer {
    let last_sequence = (entry.last_sequence != 0).then_some(entry.last_sequence);
    Consumer {
        consumer_id: entry.consumer_id,
        pid: entry.pid,
        uid: entry.uid,
        command: output::clean_bytes(&entry.command),
        mode: numbers::mode(entry.mode),
        bell: numbers::bell(entry.bell),
        liveness: numbers::liveness(entry.liveness),
        attached_for_ns: report.now_ns.saturating_sub(entry.attached_ns),
        leases: entry.leases,
        received: entry.received,
        missed: entry.missed,
        last_sequence,
        lag_frames: numbers::lag(report, entry),
        cursor: (entry.mode == Mode::Lossless.number()).then_some(entry.cursor),
        held_slots: numbers::slots(entry.held_slots),
        held_for_ns: numbers::held_for(report, entry),
        revoked: entry.revoked,
        copied_bytes: entry.copied_bytes,
    }
}

fn slots(report: &Report) -> Vec<Slot> {
    let holds = |entry: &&ConsumerReport, bit: u64| entry.held_slots & bit != 0;
    let newest = (report.head != 0).then(|| numbers::slot(report.head));
    let slot = |slot: u32| {
        let bit = 1 << slot;
        let phase = match () {
            () if report.claimed_slots & bit != 0 => "claimed",
            () if report.ready_slots & bit != 0 => "ready",
            () if report.held_slots & bit != 0 => "retired",
            () => "free",
        };
        let holders = numbers::consumers(report).iter().filter(|entry| holds(entry, bit));
        Slot {
            slot,
            phase,
            newest: newest == Some(slot.into()),
            held_by: holders.map(|entry| entry.consumer_id).collect(),
        }
    };
    (0..report.slot_count.min(u64::BITS)).map(slot).collect()
}

fn text(who: &Who) -> String {
    let mut text = heading(who);
    if !who.consumers.is_empty() {
        text += &consumer_table(&who.consumers);
        text.push('\n');
    }
    if who.is_stream || who.is_switch {
        return text;
    }
    let mut table = Table::new(&["SLOT", "PHASE", "HELD BY"]);
    for slot in &who.slots {
        let phase = if slot.newest { "ready, newest" } else { slot.phase };
        let ids: Vec<String> = slot.held_by.iter().map(|id| format!("#{id}")).collect();
        let holders = (!ids.is_empty()).then(|| ids.join(" "));
        table.row([slot.slot.to_string(), phase.into(), or_dash(holders)]);
    }
    text + &table.render()
}

fn heading(who: &Who) -> String {
    let what = match (who.is_stream, who.is_switch) {
        (true, _) => "record",
        (_, true) => "switch epoch",
        _ => "frame",
    };
    let leases = match who.is_stream || who.is_switch {
        true => String::new(),
        false => {
            format!(", {} of {} granted", who.leases_granted, count(who.lease_budget, "lease"))
        }
    };
    format!(
        "lane {} of process {}: {what} {}, {}{leases}\n\n",
        who.lane,
        who.producer_pid,
        who.head_sequence,
        count(who.consumers.len() as u64, "consumer"),
    )
}

fn consumer_table(consumers: &[Consumer]) -> String {
    let mut table = Table::new(&[
        "ID", "PID", "COMMAND", "UID", "MODE", "LEASES", "RECEIVED", "MISSED", "LAG", "HELD",
        "FOR", "REVOKED", "COPIED", "BELL", "LIVENESS",
    ]);
    for row in consumers {
        let held: Vec<String> = row.held_slots.iter().map(u32::to_string).collect();
        table.row([
            format!("#{}", row.consumer_id),
            row.pid.to_string(),
            row.command.clone(),
            row.uid.to_string(),
            row.mode.clone(),
            row.leases.to_string(),
            row.received.to_string(),
            row.missed.to_string(),
            or_dash(row.lag_frames),
            or_dash((!held.is_empty()).then(|| held.join(","))),
            or_dash(row.held_for_ns.map(units::time)),
            row.revoked.to_string(),
            units::size(row.copied_bytes),
            row.bell.clone(),
            row.liveness.clone(),
        ]);
    }
    table.render()
}
