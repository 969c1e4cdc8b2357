//! Keeps a program running: one that ends is started again, after a pause that grows.

use crate::running::{Ending, Running, Take};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::process::Command;
use std::time::{Duration, Instant};

/// First pause, which doubles up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(8);
/// One that ran for so long begins again with the first pause.
const STEADY: Duration = Duration::from_secs(10);
/// Ends in a row after which it is given up: what it lacks will not come by itself.
const TRIES: u32 = 6;

/// How a program is started, again too.
pub type Make = Box<dyn Fn() -> Result<Command>>;

/// A program of the system.
pub struct Spec {
    /// Name in the report.
    pub name: &'static str,
    /// Language it is written in.
    pub language: &'static str,
    /// Makes its command.
    pub make: Make,
    /// What a line of its output says.
    pub take: Take,
}

/// A program that is kept running.
pub struct Kept {
    spec: Spec,
    running: Option<Running>,
    /// What it has told, also before it was started again.
    figures: Value,
    pids: Vec<u32>,
    endings: Vec<Ending>,
    cpu: Duration,
    started: Instant,
    in_a_row: u32,
}

/// What remains of it.
#[derive(Clone, Debug)]
pub struct Played {
    /// Its name.
    pub name: &'static str,
    /// Its language.
    pub language: &'static str,
    /// What it told.
    pub figures: Value,
    /// Numbers of its processes, one after the other.
    pub pids: Vec<u32>,
    /// How each of them ended.
    pub endings: Vec<Ending>,
    /// User and system time of all, while it was measured.
    pub cpu: Duration,
}

impl Kept {
    /// Starts it.
    pub fn start(spec: Spec) -> Result<Self> {
        let mut kept = Kept {
            spec,
            running: None,
            figures: Value::Null,
            pids: Vec::new(),
            endings: Vec::new(),
            cpu: Duration::ZERO,
            started: Instant::now(),
            in_a_row: 0,
        };
        kept.begin()?;
        Ok(kept)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The number of its process; None between two.
    pub fn id(&self) -> Option<u32> {
        self.running.as_ref().map(Running::id)
    }

    /// Times it was started again.
    pub fn restarts(&self) -> usize {
        self.pids.len() - 1
    }

    /// User and system time so far, of all its processes.
    pub fn cpu(&self) -> Duration {
        let now = self.running.as_ref().and_then(|running| running.cpu().ok());
        self.cpu + now.unwrap_or_default()
    }

    /// `kill -9`; it is started again.
    pub fn strike(&self) -> Result<()> {
        self.running.as_ref().map_or(Ok(()), Running::strike)
    }

    /// Looks after it: starts it again when it is time.
    pub fn tend(&mut self) -> Result<()> {
        if self.running.as_ref().is_some_and(Running::is_gone) {
            self.bury()?;
            self.in_a_row = if self.started.elapsed() > STEADY { 1 } else { self.in_a_row + 1 };
            if self.in_a_row >= TRIES {
                let last = self.endings.last();
                bail!("{} has ended {TRIES} times in a row, the last time: {last:?}", self.name());
            }
            self.started = Instant::now();
        }
        if self.running.is_none() && self.started.elapsed() >= pause(self.in_a_row) {
            self.begin()?;
        }
        Ok(())
    }

    /// Ends it; what remains.
    pub fn stop(mut self) -> Result<Played> {
        self.bury()?;
        let Kept { spec, figures, pids, endings, cpu, .. } = self;
        Ok(Played { name: spec.name, language: spec.language, figures, pids, endings, cpu })
    }

    fn begin(&mut self) -> Result<()> {
        let mut command = (self.spec.make)()?;
        let running = Running::start_with(self.spec.name, &mut command, self.spec.take)?;
        self.pids.push(running.id());
        self.running = Some(running);
        self.started = Instant::now();
        Ok(())
    }

    fn bury(&mut self) -> Result<()> {
        let Some(running) = self.running.take() else { return Ok(()) };
        let ended = running.stop().with_context(|| self.spec.name)?;
        self.cpu += ended.cpu;
        self.endings.push(ended.ending);
        if !ended.figures.is_null() {
            self.figures = ended.figures;
        }
        Ok(())
    }
}

/// After so many ends in a row.
fn pause(ends: u32) -> Duration {
    PAUSE.saturating_mul(1 << ends.saturating_sub(1).min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::sleep;

    fn shell(script: &'static str) -> Spec {
        let make: Make = Box::new(move || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            Ok(command)
        });
        let take: Take = |figures, line| *figures = line.into();
        Spec { name: "sample", language: "sh", make, take }
    }

    fn until(what: &str, mut done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(60), "{what}");
            sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn one_that_is_killed_comes_back_and_is_counted() {
        let mut kept = Kept::start(shell("echo up; exec sleep 600")).unwrap();
        until("it says so", || kept.running.as_ref().unwrap().figures() == "up");
        kept.strike().unwrap();
        until("it is started again", || {
            kept.tend().unwrap();
            kept.restarts() == 1
        });
        let played = kept.stop().unwrap();
        assert_eq!(played.endings, [Ending::Signal(9), Ending::Signal(15)]);
        assert_eq!((played.pids.len(), &played.figures), (2, &Value::from("up")));
    }

    #[test]
    fn one_that_ends_again_and_again_is_given_up() {
        let mut kept = Kept::start(shell("exit 3")).unwrap();
        let mut failure = None;
        until("it is given up", || {
            failure = kept.tend().err();
            failure.is_some()
        });
        let text = failure.unwrap().to_string();
        assert!(text.contains("sample has ended 6 times in a row"), "{text}");
    }

    #[test]
    fn pauses_grow_to_the_longest() {
        assert_eq!([1, 2, 3, 60].map(pause), [PAUSE, PAUSE * 2, PAUSE * 4, LONGEST]);
    }
}
