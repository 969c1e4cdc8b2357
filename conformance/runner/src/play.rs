//! Plays one scenario with one pair.

use crate::cast::{BOARD, Troupe};
use crate::leaks;
use crate::pattern::{Memory, compare};
use crate::process::Process;
use crate::results::Pair;
use crate::scenario::{Act, Does, Scenario, Step};
use crate::values::Values;
use anyhow::{Context, Result, anyhow, bail};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(5);

/// A scenario on the stage.
struct Stage<'a, 'b> {
    troupe: &'a mut Troupe<'b>,
    pair: &'a Pair,
    actors: BTreeMap<String, Process>,
    memory: Memory,
    log: String,
}

/// Plays it; what was said, and what went wrong if anything did.
pub fn play(
    troupe: &mut Troupe<'_>,
    pair: &Pair,
    scenario: &Scenario,
    lane: &str,
) -> (String, Result<()>) {
    let root = troupe.root;
    let values = Values { lane, texts: &scenario.texts, root };
    let (actors, memory) = (BTreeMap::new(), Memory::new());
    let mut stage = Stage { troupe, pair, actors, memory, log: String::new() };
    let outcome = scenario.steps.iter().try_for_each(|step| stage.step(step, &values));
    let outcome = outcome.and_then(|()| stage.clear());
    (stage.log, outcome)
}

impl Stage<'_, '_> {
    fn step(&mut self, step: &Step, values: &Values<'_>) -> Result<()> {
        let who = step.who.as_str();
        match &step.does {
            Does::Say(line) => self.say(who, &values.fill(line, &self.memory)?),
            Does::Hear(expected) => {
                let answer = self.hear(who)?;
                self.demand(who, &values.fill(expected, &self.memory)?, &answer)
            }
            Does::Until(line, expected) => self.until(
                who,
                &values.fill(line, &self.memory)?,
                &values.fill(expected, &self.memory)?,
            ),
            Does::Act(act) => self.act(who, act, values),
        }
    }

    fn note(&mut self, who: &str, sign: &str, line: &str) {
        let language = self.troupe.language(self.pair, who);
        self.log += &format!("    {who} ({language}) {sign} {line}\n");
    }

    fn actor(&mut self, who: &str) -> Result<&mut Process> {
        if !self.actors.contains_key(who) {
            let language = self.troupe.language(self.pair, who);
            self.actors.insert(who.to_owned(), self.troupe.hire(&language)?);
        }
        Ok(self.actors.get_mut(who).expect("put there just now"))
    }

    fn say(&mut self, who: &str, line: &str) -> Result<()> {
        self.note(who, ">", line);
        self.actor(who)?.say(line).with_context(|| who.to_owned())
    }

    fn hear(&mut self, who: &str) -> Result<String> {
        let patience = self.troupe.patience;
        let answer = self.actor(who)?.hear(patience).with_context(|| who.to_owned())?;
        self.note(who, "<", &answer);
        Ok(answer)
    }

    fn demand(&mut self, who: &str, expected: &str, answer: &str) -> Result<()> {
        compare(expected, answer, &mut self.memory).with_context(|| format!("{who}'s answer"))
    }

    fn until(&mut self, who: &str, line: &str, expected: &str) -> Result<()> {
        let start = Instant::now();
        loop {
            let log = self.log.len();
            self.say(who, line)?;
            let answer = self.hear(who)?;
            match self.demand(who, expected, &answer) {
                Ok(()) => return Ok(()),
                Err(error) if start.elapsed() > self.troupe.patience.time => return Err(error),
                // Only the last try is worth reading.
                Err(_) => self.log.truncate(log),
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn act(&mut self, who: &str, act: &Act, values: &Values<'_>) -> Result<()> {
        self.note(who, "!", &format!("{act:?}"));
        match act {
            Act::Kill => {
                let mut process = self.actors.remove(who).context("there is nobody to kill")?;
                process.signal(Signal::KILL)
            }
            Act::Start => {
                let language = self.troupe.language(self.pair, who);
                self.actors.insert(who.to_owned(), self.troupe.start(&language)?);
                Ok(())
            }
            Act::Stop => self.actor(who)?.signal(Signal::STOP),
            Act::Continue => self.actor(who)?.signal(Signal::CONT),
            Act::Forbid(lane) => {
                let socket =
                    self.troupe.lanes.join(format!("{}.sock", values.fill(lane, &self.memory)?));
                let nobody = fs::Permissions::from_mode(0o000);
                fs::set_permissions(&socket, nobody).context("the lane's socket")
            }
        }
    }

    /// Everybody gives back what is left, consumers first, and goes back to the troupe.
    fn clear(&mut self) -> Result<()> {
        let mut names: Vec<String> = self.actors.keys().cloned().collect();
        // The board last: only what nobody uses any more is given back.
        names.sort_by_key(|name| (name == BOARD, name == "producer"));
        for who in &names {
            self.say(who, "reset")?;
            let answer = self.hear(who)?;
            if answer != "ok" {
                bail!("{who}: reset must be answered with ok alone");
            }
        }
        for who in &names {
            let process = self.actors.remove(who).ok_or_else(|| anyhow!("{who} is gone"))?;
            let time = self.troupe.patience.time;
            // The board's memory stays open, as a board's does.
            if who != BOARD {
                leaks::none_within(process.id(), self.troupe.lanes, time)
                    .with_context(|| who.clone())?;
            }
            self.troupe.release(process);
        }
        Ok(())
    }
}
