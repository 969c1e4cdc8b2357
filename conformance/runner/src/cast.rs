//! Who plays which part, and the agents that are kept running from one scenario to the next.

use crate::process::{Launch, Patience, Process};
use crate::results::Pair;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

/// The agent that plays the witness.
pub const WITNESS: &str = "reference";

/// The part of the board, and the program that plays it.
pub const BOARD: &str = "board";

/// The folder of the stand-ins, beside the lanes of a worker.
pub const STAND_INS: &str = "stand-ins";

/// Running agents of one worker.
pub struct Troupe<'a> {
    pub launches: &'a [Launch],
    board: Option<&'a Launch>,
    pub root: &'a Path,
    pub lanes: &'a Path,
    pub patience: Patience,
    idle: BTreeMap<String, Vec<Process>>,
}

impl<'a> Troupe<'a> {
    pub fn new(
        launches: &'a [Launch],
        board: Option<&'a Launch>,
        root: &'a Path,
        lanes: &'a Path,
        patience: Patience,
    ) -> Self {
        Troupe { launches, board, root, lanes, patience, idle: BTreeMap::new() }
    }

    /// An agent of that language, one that is free or a new one.
    pub fn hire(&mut self, language: &str) -> Result<Process> {
        match self.idle.get_mut(language).and_then(Vec::pop) {
            Some(process) => Ok(process),
            None => self.start(language),
        }
    }

    /// A new process.
    pub fn start(&self, language: &str) -> Result<Process> {
        let launch = self.launches.iter().chain(self.board);
        let launch = launch.into_iter().find(|launch| launch.language == language);
        let launch = launch.with_context(|| format!("there is no agent {language}"))?;
        Process::start(launch, self.root, self.lanes, self.patience)
            .with_context(|| format!("agent {language}"))
    }

    /// Keeps an agent that has nothing any more.
    pub fn release(&mut self, process: Process) {
        self.idle.entry(process.language.clone()).or_default().push(process);
    }

    /// Ends all; what does not end well is an error.
    pub fn dismiss(&mut self) -> Result<()> {
        for process in std::mem::take(&mut self.idle).into_values().flatten() {
            let language = process.language.clone();
            process.quit(self.patience).with_context(|| format!("agent {language}"))?;
        }
        Ok(())
    }

    /// The language of a part. Guests are all languages in turn, from the consumer's on.
    pub fn language(&self, pair: &Pair, part: &str) -> String {
        match part {
            "producer" => pair.producer.clone(),
            "consumer" => pair.consumer.clone(),
            "witness" => WITNESS.to_owned(),
            BOARD => BOARD.to_owned(),
            guest => {
                let number: usize = guest.trim_start_matches("guest").parse().unwrap_or(0);
                let own = self.launches.iter().position(|l| l.language == pair.consumer);
                let index = (own.unwrap_or(0) + number) % self.launches.len();
                self.launches[index].language.clone()
            }
        }
    }
}
