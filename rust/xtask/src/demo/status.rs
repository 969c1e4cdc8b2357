//! How it goes, while it goes.

use super::books;
use super::keeper::Kept;
use serde_json::Value;
use std::io::{Write, stdout};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(500);

/// A line that is drawn over itself on a terminal.
pub struct Status {
    live: bool,
    shown: Option<Instant>,
}

impl Status {
    /// `live` where somebody looks.
    pub fn new(live: bool) -> Self {
        Status { live, shown: None }
    }

    /// Shows the line when it is time for one.
    pub fn show(&mut self, line: impl Fn() -> String) {
        if self.live && self.shown.is_none_or(|shown| shown.elapsed() > EVERY) {
            self.shown = Some(Instant::now());
            print!("\r\u{1b}[K{}", line());
            let _ = stdout().flush();
        }
    }

    /// The next line is somebody else's.
    pub fn end(&mut self) {
        if self.live && self.shown.take().is_some() {
            println!();
        }
    }
}

/// The active camera, what the lanes bring a second, and who was started again.
pub fn line(books: &Value, switch: &str, programs: &[Kept]) -> String {
    let camera = match books::active(books, switch) {
        Some(lane) if lane.ends_with("_cam1") => "night".to_owned(),
        Some(lane) if lane.ends_with("_cam0") => "day".to_owned(),
        Some(lane) => lane,
        None => "camera".to_owned(),
    };
    let mut parts = vec![camera];
    for lane in books["look"]["lanes"].as_array().into_iter().flatten() {
        if let (Some(name), Some(fps)) = (lane["name"].as_str(), lane["fps"].as_f64()) {
            parts.push(format!("{} {fps:.0}/s", short(name)));
        }
    }
    for kept in programs.iter().filter(|kept| kept.id().is_none() || kept.restarts() > 0) {
        let now = if kept.id().is_some() { "again up" } else { "down" };
        parts.push(format!("{} {now}", kept.name()));
    }
    parts.join(" | ")
}

/// A lane's name without what all have in common.
pub fn short(name: &str) -> String {
    name.trim_start_matches("pet_camera_")
        .trim_end_matches("_cam")
        .replace("_zc", "")
        .replace('_', " ")
}
