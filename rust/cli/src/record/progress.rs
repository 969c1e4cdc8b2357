//! One line on a terminal, renewed while a recording goes on.

use super::output::Output;
use crate::units;
use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(500);

pub struct Progress {
    wanted: bool,
    shown: Option<Instant>,
}

impl Progress {
    pub fn new() -> Self {
        Progress { wanted: stderr().is_terminal(), shown: None }
    }

    pub fn show(&mut self, output: Option<&Output>, recording: bool) {
        if !self.wanted || self.shown.is_some_and(|shown| shown.elapsed() < EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = match output {
            Some(output) => format!(
                "{}: {}, {}, {}",
                output.path().display(),
                units::time(output.duration_ns()),
                units::count(output.records, "record"),
                units::size(output.bytes)
            ),
            None if recording => "waiting for a key record".into(),
            None => "waiting for an event".into(),
        };
        let _ = write!(stderr(), "\r\x1b[K{line}");
    }

    /// Leaves the line to others.
    pub fn end(&mut self) {
        if self.shown.take().is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}
