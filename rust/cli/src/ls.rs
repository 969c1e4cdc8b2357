//! `framelane ls`

use crate::lanes::{self, Place};
use crate::switch::facts::Switch;
use crate::table::{Table, or_dash};
use crate::{numbers, output, rate, units};
use framelane::{Error, ErrorKind, LaneEntry, Report};
use serde::Serialize;
use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print names of live lanes only
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,
    /// Look once instead of twice, 250 ms apart: no frame rate
    #[arg(long)]
    no_rate: bool,
}

#[derive(Serialize)]
struct Listing {
    lanes: Vec<Row>,
    places: Vec<Searched>,
}

#[derive(Serialize)]
struct Searched {
    directory: String,
    error: Option<String>,
}

/// One lane. Everything from `epoch` on is null unless its producer answered.
#[derive(Serialize, Default)]
struct Row {
    name: String,
    directory: String,
    /// live, stale, refused, silent, other_layout or broken
    state: &'static str,
    reason: Option<String>,
    epoch: Option<String>,
    kind: Option<String>,
    memory_kind: Option<String>,
    /// Name of the active lane; null unless this is a switch.
    active: Option<String>,
    format: Option<String>,
    width: Option<u32>,
    height: Option<u32>,
    /// Between the first and the last frame published while we looked; 0 when none was.
    fps: Option<f64>,
    published: Option<u64>,
    consumers: Option<u32>,
    newest_age_ns: Option<u64>,
    producer_pid: Option<u32>,
    producer_uid: Option<u32>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let places = lanes::everywhere();
    let entries: Vec<LaneEntry> = places.iter().flat_map(|place| place.lanes.clone()).collect();
    let first = lanes::ask_all(&entries);
    let second = match args.no_rate || args.quiet || first.iter().all(Result::is_err) {
        true => None,
        false => {
            std::thread::sleep(rate::LOOK_AGAIN);
            Some(lanes::ask_all(&entries))
        }
    };
    let mut rows: Vec<Row> =
        entries.iter().zip(&first).map(|(entry, seen)| row(entry, seen)).collect();
    for (row, (first, second)) in rows.iter_mut().zip(first.iter().zip(second.iter().flatten())) {
        if let (Ok(first), Ok(second)) = (first, second) {
            row.fps = rate::per_second(first, second);
        }
    }
    if args.quiet {
        let live = rows.iter().filter(|row| row.state == "live");
        output::print(&live.map(|row| format!("{}\n", row.name)).collect::<String>())?;
    } else if args.json {
        output::print_json(&Listing {
            lanes: rows,
            places: places.iter().map(searched).collect(),
        })?;
    } else {
        output::print(&text(&rows, &places))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &LaneEntry, seen: &framelane::Result<Report>) -> Row {
    let base = Row {
        name: entry.name.clone(),
        directory: entry.directory.display().to_string(),
        ..Row::default()
    };
    match seen {
        Ok(report) => Row { state: "live", ..described(base, report) },
        Err(error) => {
            let (state, reason) = dead(entry, error);
            Row { state, reason: Some(reason), ..base }
        }
    }
}

fn described(row: Row, report: &Report) -> Row {
    let (format, size) = carries(report);
    Row {
        epoch: Some(numbers::id(report.epoch)),
        kind: Some(numbers::lane_kind(report.lane_kind)),
        memory_kind: Some(numbers::memory_kind(report.memory_kind)),
        active: Switch::of(report).and_then(|switch| switch.active_lane),
        format,
        width: size.map(|(width, _)| width),
        height: size.map(|(_, height)| height),
        published: Some(report.published),
        consumers: Some(report.consumer_count),
        newest_age_ns: (report.head != 0 && !numbers::is_switch(report))
            .then(|| report.now_ns.saturating_sub(numbers::newest_publish_ns(report))),
        producer_pid: Some(report.producer_pid),
        producer_uid: Some(report.producer_uid),
        ..row
    }
}

/// The pixel format or codec, and the size of its pictures.
pub fn carries(report: &Report) -> (Option<String>, Option<(u32, u32)>) {
    if numbers::is_stream(report) {
        let stream = &report.stream;
        let size = (stream.width != 0).then_some((stream.width, stream.height));
        return (Some(numbers::codec(stream.codec)), size);
    }
    if report.head == 0 || numbers::is_switch(report) {
        return (None, None);
    }
    let newest = &report.newest;
    (numbers::pixel_format(newest.fourcc), Some((newest.width, newest.height)))
}

/// Why a lane with a socket does not answer.
pub fn dead(entry: &LaneEntry, error: &Error) -> (&'static str, String) {
    let state = match error.kind() {
        ErrorKind::NotFound => return ("stale", stale(entry)),
        ErrorKind::PermissionDenied => "refused",
        ErrorKind::TimedOut => "silent",
        ErrorKind::LayoutMismatch => "other_layout",
        _ => "broken",
    };
    (state, output::clean(&error.to_string()))
}

fn stale(entry: &LaneEntry) -> String {
    let path = lanes::socket_path(&entry.name, &entry.directory);
    match fs::symlink_metadata(&path) {
        Err(_) => "its producer has just ended".into(),
        Ok(found) if !found.file_type().is_socket() => format!("{} is no socket", path.display()),
        Ok(_) => format!(
            "nobody listens on {}: its producer was killed; the next producer of this name takes \
             it over",
            path.display()
        ),
    }
}

fn searched(place: &Place) -> Searched {
    let error = place.error.as_ref().map(|error| output::clean(&error.to_string()));
    Searched { directory: place.directory.display().to_string(), error }
}

fn text(rows: &[Row], places: &[Place]) -> String {
    let mut text = String::new();
    if rows.is_empty() {
        let listed: Vec<_> = places.iter().map(|p| p.directory.display().to_string()).collect();
        text += &format!("no lanes; looked in {}\n", listed.join(", "));
    } else {
        text += &table(rows).render();
    }
    let notes: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("{}: {}: {}\n", row.name, row.state, row.reason.as_ref()?)))
        .chain(
            places
                .iter()
                .map(searched)
                .filter_map(|place| Some(format!("{}: {}\n", place.directory, place.error?))),
        )
        .collect();
    if !notes.is_empty() {
        text.push('\n');
        text += &notes.concat();
    }
    text
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "STATE",
        "FORMAT",
        "SIZE",
        "FPS",
        "CONSUMERS",
        "AGE",
        "PID",
        "DIRECTORY",
    ]);
    for row in rows {
        table.row([
            row.name.clone(),
            row.state.into(),
            or_dash(row.active.as_ref().map(|lane| format!("-> {lane}")).or(row.format.clone())),
            or_dash(row.width.zip(row.height).map(|(width, height)| format!("{width}x{height}"))),
            or_dash(row.fps.map(|fps| format!("{fps:.1}"))),
            or_dash(row.consumers),
            or_dash(row.newest_age_ns.map(units::time)),
            or_dash(row.producer_pid),
            row.directory.clone(),
        ]);
    }
    table
}
