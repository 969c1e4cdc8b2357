//! What was seen, for people.

use super::look::{Consumer, Figures, Lane, Shown};
use crate::table::{Table, or_dash};
use crate::units::{bit_rate, count, size, time};

pub fn text(shown: &Shown) -> String {
    let readers: usize = shown.lanes.iter().map(|lane| lane.consumers.len()).sum();
    let lanes = count(shown.lanes.len() as u64, "lane");
    let mut text = format!("{lanes}, {}\n\n", count(readers as u64, "reader"));
    if !shown.lanes.is_empty() {
        text += &lane_table(&shown.lanes);
    }
    if readers > 0 {
        text.push('\n');
        text += &reader_table(&shown.lanes);
    }
    let reasons = shown.lanes.iter().filter_map(|lane| {
        Some(format!("{}: {}: {}\n", lane.name, lane.state, lane.reason.as_ref()?))
    });
    let failures = shown.failures.iter().map(|failure| format!("{failure}\n"));
    let notes: String = reasons.chain(failures).collect();
    if !notes.is_empty() {
        text.push('\n');
        text += &notes;
    }
    text
}

fn lane_table(lanes: &[Lane]) -> String {
    let mut table = Table::new(&[
        "LANE", "KIND", "FORMAT", "SIZE", "FPS", "BITRATE", "AGE", "READERS", "HELD", "FOR", "LAG",
        "MISSED", "NO SLOT", "REVOKED", "COPIED",
    ]);
    for lane in lanes {
        match &lane.figures {
            Some(figures) => table.row(lane_row(lane, figures)),
            None => {
                let mut row = [const { String::new() }; 15].map(|_| "-".to_owned());
                (row[0], row[1]) = (lane.name.clone(), lane.state.to_owned());
                table.row(row);
            }
        }
    }
    table.render()
}

fn lane_row(lane: &Lane, figures: &Figures) -> [String; 15] {
    let picture = figures.width.zip(figures.height);
    [
        lane.name.clone(),
        figures.kind.clone(),
        or_dash(
            figures.active.as_ref().map(|lane| format!("-> {lane}")).or(figures.format.clone()),
        ),
        or_dash(picture.map(|(width, height)| format!("{width}x{height}"))),
        or_dash(figures.fps.map(|fps| format!("{fps:.1}"))),
        or_dash(figures.bits_per_s.map(bit_rate)),
        or_dash(figures.newest_age_ns.or(figures.active_for_ns).map(time)),
        lane.consumers.len().to_string(),
        figures.held.to_string(),
        or_dash(figures.held_for_ns.map(time)),
        or_dash(figures.lag),
        figures.missed.to_string(),
        figures.no_free_slot.to_string(),
        figures.revoked.to_string(),
        copied(figures),
    ]
}

/// What was copied in all, and what is being copied.
fn copied(figures: &Figures) -> String {
    let all = size(figures.copied_bytes);
    match figures.copied_bytes_per_s {
        Some(rate) if rate >= 1.0 => format!("{all}, {}/s", size(rate as u64)),
        _ => all,
    }
}

fn reader_table(lanes: &[Lane]) -> String {
    let mut table = Table::new(&[
        "READER OF",
        "ID",
        "PID",
        "COMMAND",
        "MODE",
        "FPS",
        "LAG",
        "MISSED",
        "HELD",
        "FOR",
        "REVOKED",
        "COPIED",
    ]);
    for lane in lanes {
        for reader in &lane.consumers {
            table.row(reader_row(&lane.name, reader));
        }
    }
    table.render()
}

fn reader_row(lane: &str, reader: &Consumer) -> [String; 12] {
    let held = match reader.leases {
        0 => "-".to_owned(),
        leases => format!("{} of {leases}", reader.held),
    };
    [
        lane.to_owned(),
        format!("#{}", reader.consumer_id),
        reader.pid.to_string(),
        reader.command.clone(),
        reader.mode.clone(),
        or_dash(reader.fps.map(|fps| format!("{fps:.1}"))),
        or_dash(reader.lag),
        reader.missed.to_string(),
        held,
        or_dash(reader.held_for_ns.map(time)),
        reader.revoked.to_string(),
        size(reader.copied_bytes),
    ]
}
