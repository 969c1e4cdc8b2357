//! What the demo shows in the end. Every number was measured in that run.

use super::books::{self, Reading};
use super::evidence::{Clock, Evidence, Verdict};
use super::keeper::Played;
use super::status::short;
use crate::http::figure;
use crate::running::Ending;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The report as text.
pub fn print(evidence: &Evidence, verdicts: &[Verdict]) -> String {
    let mut text = programs(evidence);
    text += &lanes(evidence);
    text += &taken(evidence);
    text += &latencies(evidence);
    text += &copies(evidence);
    for verdict in verdicts {
        let mark = if verdict.against.is_empty() { "ok    " } else { "FAILED" };
        let _ = write!(text, "{mark} {}", verdict.claim);
        let _ = match verdict.against.as_slice() {
            [] => writeln!(text),
            against => writeln!(text, ": {}", against.join("; ")),
        };
    }
    text
}

fn programs(evidence: &Evidence) -> String {
    let mut text = format!(
        "{:<10}{:<9}{:<22}{:>8}{:>8}{:>9}{:>8}  {}\n",
        "program", "in", "reads", "read", "missed", "revoked", "CPU", "ended"
    );
    for program in &evidence.programs {
        let read = books::readings(&evidence.top.figures, &program.pids);
        let sum = |of: fn(&Reading) -> u64| -> u64 { read.iter().map(of).sum() };
        // Of both cameras, where it followed a switch.
        let names = read.iter().map(|reading| short(reading.lane.trim_end_matches(['0', '1'])));
        let names: BTreeSet<String> = names.collect();
        let names: Vec<String> = names.into_iter().collect();
        let cpu = 100.0 * program.cpu.as_secs_f64() / evidence.elapsed.as_secs_f64().max(0.01);
        let _ = writeln!(
            text,
            "{:<10}{:<9}{:<22}{:>8}{:>8}{:>9}{:>6.1} %  {}",
            program.name,
            program.language,
            names.join(", "),
            sum(|reading| reading.received),
            sum(|reading| reading.missed),
            sum(|reading| reading.revoked),
            cpu,
            endings(program),
        );
    }
    text + "\n"
}

fn endings(program: &Played) -> String {
    let words = program.endings.iter().map(|ending| match ending {
        Ending::Exit(0) => "well".to_owned(),
        Ending::Exit(code) => format!("with exit code {code}"),
        Ending::Signal(9) => "by kill -9".to_owned(),
        Ending::Signal(signal) => format!("by signal {signal}"),
    });
    words.collect::<Vec<_>>().join(", then ")
}

fn lanes(evidence: &Evidence) -> String {
    let mut text = format!(
        "{:<28}{:>10}{:>10}{:>9}{:>9}\n",
        "lane", "a second", "published", "revoked", "no room"
    );
    for lane in evidence.lanes() {
        let _ = writeln!(
            text,
            "{:<28}{:>10.1}{:>10}{:>9}{:>9}",
            lane.name, lane.fps, lane.published, lane.revoked, lane.no_free_slot
        );
    }
    text + "\n"
}

/// Where readers may be late: how often they were.
fn taken(evidence: &Evidence) -> String {
    let Some(cameras) = evidence.cameras.as_ref().filter(|_| !evidence.strict) else {
        return String::new();
    };
    let told = |key: &str| evidence.camera_sum(key).map_or("?".to_owned(), |n| n.to_string());
    format!(
        "leases of {} ms: {} frames taken back from readers, {} without a buffer\n\n",
        cameras.lease_ms.unwrap_or(0),
        told("revoked"),
        told("starved")
    )
}

fn latencies(evidence: &Evidence) -> String {
    let mut text = format!("{:<48}{:>9}{:>9}\n", "from exposure to", "p50 ms", "p99 ms");
    let mut row = |what: &str, found: Option<(f64, f64)>| {
        if let Some((p50, p99)) = found {
            let _ = writeln!(text, "{what:<48}{p50:>9.2}{p99:>9.2}");
        }
    };
    for (clock, ended) in &evidence.clocks {
        let of = |stage: &str| quantiles(&ended.figures, stage);
        match clock {
            Clock::Frames => {
                row("published frame", of("capture_to_publish"));
                row("frame in hand (Rust)", of("capture_to_received"));
            }
            Clock::Encoded => row("encoded picture in its lane (Rust)", of("capture_to_publish")),
            Clock::Detected => row("detections in their lane (Python)", of("capture_to_publish")),
            Clock::Viewed if ended.figures["pictures"].as_u64() > Some(0) => {
                let of = |key: &str| ended.figures[key].as_f64();
                row("RTP at a viewer by WebRTC (Go)", of("p50_ms").zip(of("p99_ms")));
            }
            Clock::Viewed => {}
            Clock::Metered => row("measures in their lane (C++)", of("capture_to_publish")),
        }
    }
    let stages = evidence.stages["stages"].as_array();
    let page = stages.into_iter().flatten().find(|stage| stage["id"] == "monitor");
    row(
        "JPEG with boxes (Python), its last 10 s",
        page.and_then(|page| Some((page["p50_ms"].as_f64()?, page["p99_ms"].as_f64()?))),
    );
    for (kind, name) in [("mp4", "MP4"), ("webrtc", "RTP")] {
        let what = format!("from encoded picture to network (Go), {name}");
        let [before, after] = &evidence.metrics;
        if let Some([p50, p99]) = sent(kind, &before[0], &after[0]) {
            let _ = writeln!(text, "{what:<48}{p50:>9}{p99:>9}");
        }
    }
    text + "\n"
}

fn quantiles(told: &Value, stage: &str) -> Option<(f64, f64)> {
    let stages = told["stages"].as_array()?;
    let found = stages.iter().find(|found| found["stage"] == stage)?;
    Some((found["p50_ns"].as_f64()? / 1e6, found["p99_ns"].as_f64()? / 1e6))
}

/// Quantiles of what the server's histogram of one kind counted between two looks. It says only
/// between which bounds they are.
fn sent(kind: &str, before: &str, after: &str) -> Option<[String; 2]> {
    let (before, after) = (buckets(kind, before), buckets(kind, after));
    let earlier = |index: usize| before.get(index).map_or(0.0, |bucket| bucket.1);
    let counts: Vec<(f64, f64)> = after
        .iter()
        .enumerate()
        .map(|(index, (bound, count))| (*bound, count - earlier(index)))
        .collect();
    let all = counts.last()?.1;
    let last = counts.iter().rev().find(|(bound, _)| bound.is_finite())?.0;
    let at = |share: f64| match counts.iter().find(|(_, count)| *count >= all * share) {
        Some((bound, _)) if bound.is_finite() => format!("\u{2264} {:.1}", bound * 1e3),
        _ => format!("> {:.1}", last * 1e3),
    };
    (all > 0.0).then(|| [at(0.5), at(0.99)])
}

/// Upper bounds in seconds, and how many were not above each.
fn buckets(kind: &str, metrics: &str) -> Vec<(f64, f64)> {
    let start = format!("framelane_server_latency_seconds_bucket{{kind=\"{kind}\",le=\"");
    let bucket = |line: &str| {
        let (bound, count) = line.strip_prefix(&start)?.split_once("\"} ")?;
        Some((bound.parse().ok()?, count.trim().parse().ok()?))
    };
    metrics.lines().filter_map(bucket).collect()
}

/// The paths of the system that copied, side by side.
fn copies(evidence: &Evidence) -> String {
    if !evidence.frames {
        return String::new();
    }
    let mut text =
        format!("{:<44}{:>16}{:>16}\n", "bytes copied a second", "frame by copy", "here");
    let mut totals = (0.0, 0.0);
    let mut row = |what: &str, (would, copied): (f64, f64)| {
        totals = (totals.0 + would, totals.1 + copied);
        let _ = writeln!(text, "{what:<44}{:>16}{:>16}", rate(would), rate(copied));
    };
    row("frames from the camera to their lanes", lane_rates(evidence));
    for program in evidence.programs.iter().filter(|program| program.name != "camera") {
        let what = match program.name {
            "encoder" => "frames to the encoder's input".to_owned(),
            "monitor" => "frames to the page's pictures, drawn into".to_owned(),
            name => format!("frames to the {name}"),
        };
        let rates = frame_rates(evidence, program);
        if rates.0 > 0.0 {
            row(&what, rates);
        }
    }
    if let Some(encoder) = evidence.program("encoder") {
        row(
            "video out of the encoder",
            (own(encoder, "written_bytes"), own(encoder, "copied_bytes")),
        );
    }
    let _ = writeln!(text, "{:<44}{:>16}{:>16}\n", "all", rate(totals.0), rate(totals.1));
    text
}

/// Bytes a second of the frames that were published, and of those that were copied for it.
fn lane_rates(evidence: &Evidence) -> (f64, f64) {
    let seconds = evidence.elapsed.as_secs_f64().max(0.01);
    let sums = |books: &Value| {
        let lanes = books::lanes(books).into_iter().filter(|lane| lane.frame_bytes > 0);
        lanes.fold((0, 0), |(would, copied), lane| {
            (would + lane.published * lane.frame_bytes, copied + lane.copied_in)
        })
    };
    let (before, after) = (sums(&evidence.before), sums(&evidence.after));
    let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
    (rate(before.0, after.0), rate(before.1, after.1))
}

/// Bytes a second of the frames that a program read, and of those that were copied for it.
fn frame_rates(evidence: &Evidence, program: &Played) -> (f64, f64) {
    let seconds = evidence.elapsed.as_secs_f64().max(0.01);
    let sums = |books: &Value| {
        let read = books::readings(books, &program.pids);
        let would: u64 = read.iter().map(|r| r.received * r.frame_bytes).sum();
        let frames = read.iter().filter(|reading| reading.frame_bytes > 0);
        (would, frames.map(|reading| reading.copied_bytes).sum::<u64>())
    };
    let (before, after) = (sums(&evidence.before), sums(&evidence.after));
    let mut copied = after.1.saturating_sub(before.1) as f64 / seconds;
    copied += match program.name {
        "encoder" => own(program, "frame_copied_bytes"),
        "monitor" => {
            let name = "framelane_monitor_copied_bytes_total";
            let [before, after] = [0, 1].map(|at| figure(&evidence.metrics[at][1], name));
            (after - before).max(0.0) / seconds
        }
        _ => 0.0,
    };
    (after.0.saturating_sub(before.0) as f64 / seconds, copied)
}

/// A count that a program told at its end, a second of its own time.
fn own(program: &Played, key: &str) -> f64 {
    let number = |key: &str| program.figures[key].as_f64().unwrap_or(0.0);
    number(key) / (number("elapsed_ns") / 1e9).max(0.01)
}

fn rate(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 1.0 => "0".to_owned(),
        bytes if bytes < 1e5 => format!("{:.1} kB", bytes / 1e3),
        bytes => format!("{:.2} MB", bytes / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::evidence::{judge, tests::good};
    use super::*;

    #[test]
    fn a_good_run_is_printed_with_all_its_figures() {
        let evidence = good();
        let text = print(&evidence, &judge(&evidence));
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [
            "meter Rust active 200 2 0 2.5 % by kill -9, then well",
            "pet_camera_active_zc_cam0 30.0 300 0 0",
            "frame in hand (Rust) 1.60 9.00",
            "JPEG with boxes (Python), its last 10 s 3.50 9.00",
            "frames to the encoder's input 4.61 MB 0",
            "drawn into 4.61 MB 0.46 MB",
            "video out of the encoder 0.25 MB 0.25 MB",
            "RTP at a viewer by WebRTC (Go) 20.50 41.00",
            "frames from the camera to their lanes 13.82 MB 0",
            "ok no byte of a frame was copied but into the page's pictures",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains("FAILED"), "{text}");
    }

    #[test]
    fn quantiles_of_a_histogram_are_its_bounds() {
        let bucket = |le: &str, count: u32| {
            format!("framelane_server_latency_seconds_bucket{{kind=\"mp4\",le=\"{le}\"}} {count}\n")
        };
        let before = [bucket("0.001", 50), bucket("0.002", 50), bucket("+Inf", 50)].concat();
        let after = [bucket("0.001", 60), bucket("0.002", 148), bucket("+Inf", 150)].concat();
        let read = |before: &str, after: &str| sent("mp4", before, after);
        let told = |p50: &str, p99: &str| Some([p50.to_owned(), p99.to_owned()]);
        assert_eq!(read(&before, &after), told("\u{2264} 2.0", "> 2.0"));
        assert_eq!(read("", &before), told("\u{2264} 1.0", "\u{2264} 1.0"));
        assert_eq!((read(&after, &after), sent("webrtc", "", &after)), (None, None));
    }
}
