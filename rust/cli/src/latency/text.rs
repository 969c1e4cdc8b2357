//! What was measured, for people.

use super::stages::{Figures, Stage, Stages};
use crate::capture::Incomparable;
use crate::table::{Table, or_dash};
use crate::units::{count, time};

/// Columns of the longest bar.
const BAR: u64 = 50;

pub fn text(lane: &str, stages: &Stages, histograms: bool) -> String {
    let word = if stages.kind() == "stream" { "record" } else { "frame" };
    let mut text = format!(
        "{lane}: {}, {} missed in {}, {}\n",
        count(stages.received, word),
        stages.missed,
        time(stages.duration_ns),
        count(stages.epochs, "producer"),
    );
    let mut table = Table::new(&["", "COUNT", "MIN", "P50", "P90", "P99", "P99.9", "MAX"]);
    for stage in Stage::ALL {
        let figures = stages.figures(stage);
        let [min, p50, p90, p99, p999, max] = figures.row().map(|ns| or_dash(ns.map(time)));
        table.row([stage.label(), figures.count.to_string(), min, p50, p90, p99, p999, max]);
    }
    text += &table.render();
    for (why, frames) in stages.incomparable() {
        text += &note(stages, why, frames, word);
    }
    if histograms {
        for stage in Stage::ALL {
            text += &bars(stage, &stages.figures(stage));
        }
    }
    text
}

fn note(stages: &Stages, why: Incomparable, frames: u64, word: &str) -> String {
    if stages.kind() == "stream" {
        return "capture: a record says which exposure it is of, not when that was\n".into();
    }
    let reason = match why {
        Incomparable::NoTime => "no capture time",
        Incomparable::UnknownClock => "a capture time of an unknown clock",
        Incomparable::Future => {
            "a capture time after publication: its clock is not this machine's, or was set back"
        }
    };
    format!("capture: {} with {reason}, not comparable\n", count(frames, word))
}

fn bars(stage: Stage, figures: &Figures) -> String {
    let most = figures.buckets().iter().map(|bucket| bucket.count).max().unwrap_or(0);
    if most == 0 {
        return String::new();
    }
    let mut table = Table::new(&["UP TO", "COUNT", ""]);
    for bucket in figures.buckets() {
        let long = (bucket.count * BAR).div_ceil(most) as usize;
        table.row([time(bucket.to_ns), bucket.count.to_string(), "#".repeat(long)]);
    }
    format!("\n{}\n{}", stage.label(), table.render())
}
