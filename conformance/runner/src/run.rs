//! Plays all scenarios with all pairs, several pairs at a time.

use crate::capabilities::Capabilities;
use crate::cast::Troupe;
use crate::play::play;
use crate::process::{Launch, Patience};
use crate::results::{Case, Outcome, Pair, Verdict};
use crate::scenario::Scenario;
use anyhow::{Context, Result};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// What to play, with whom, and how.
pub struct Plan<'a> {
    /// Top folder of the checkout.
    pub root: PathBuf,
    /// The agents that take part.
    pub agents: Vec<Launch>,
    /// Who plays with whom.
    pub pairs: Vec<Pair>,
    /// What they play.
    pub scenarios: Vec<&'a Scenario>,
    /// Declared gaps.
    pub capabilities: &'a Capabilities,
    /// Longest time for an answer.
    pub patience: Duration,
    /// Pairs at a time.
    pub jobs: usize,
    /// Fails when the run is to end.
    pub check: fn() -> Result<()>,
}

/// Plays, and shows each pair's outcome as soon as it is there. All outcomes in the order of the
/// pairs.
pub fn run(plan: &Plan<'_>, mut show: impl FnMut(&Outcome)) -> Result<Vec<Outcome>> {
    let next = AtomicUsize::new(0);
    let mut outcomes = Vec::new();
    std::thread::scope(|scope| -> Result<()> {
        let (send, receive) = channel();
        let workers: Vec<_> = (0..plan.jobs.max(1))
            .map(|_| {
                let (send, next) = (send.clone(), &next);
                scope.spawn(move || work(plan, next, &send))
            })
            .collect();
        drop(send);
        for outcome in receive {
            show(&outcome);
            outcomes.push(outcome);
        }
        for worker in workers {
            worker.join().expect("a worker does not panic")?;
        }
        Ok(())
    })?;
    outcomes.sort_by_key(|outcome| plan.pairs.iter().position(|pair| *pair == outcome.pair));
    Ok(outcomes)
}

fn work(plan: &Plan<'_>, next: &AtomicUsize, done: &Sender<Outcome>) -> Result<()> {
    obey_file_modes();
    let lanes = tempfile::Builder::new().prefix("framelane-conformance-").tempdir()?;
    let patience = Patience { time: plan.patience, check: plan.check };
    let mut troupe = Troupe::new(&plan.agents, &plan.root, lanes.path(), patience);
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(pair) = plan.pairs.get(index) else { break };
        let mut cases = Vec::new();
        for scenario in &plan.scenarios {
            (plan.check)()?;
            cases.push(case(plan, &mut troupe, pair, scenario, index));
        }
        let _ = done.send(Outcome { pair: pair.clone(), cases });
    }
    troupe.dismiss().context("at the end")
}

/// The rights of files count for agents of root too: those it starts cannot pass over them.
fn obey_file_modes() {
    for right in [CapabilitySet::DAC_OVERRIDE, CapabilitySet::DAC_READ_SEARCH] {
        // Without the right to do this, this process is not root and is refused anyway.
        let _ = remove_capability_from_bounding_set(right);
    }
}

fn case(
    plan: &Plan<'_>,
    troupe: &mut Troupe<'_>,
    pair: &Pair,
    scenario: &Scenario,
    index: usize,
) -> Case {
    let start = Instant::now();
    let (log, outcome) = play(troupe, pair, scenario, &format!("{}-{index}", scenario.name));
    let gap = plan.capabilities.gap(&pair.producer, &pair.consumer, &scenario.name);
    let verdict = match (outcome, gap) {
        (Ok(()), None) => Verdict::Passed,
        (Ok(()), Some(_)) => Verdict::Failed("it works, capabilities.toml says it does not".into()),
        (Err(_), Some(reason)) => Verdict::Gap(reason.to_owned()),
        (Err(error), None) => Verdict::Failed(format!("{error:#}")),
    };
    Case { scenario: scenario.name.clone(), verdict, log, time: start.elapsed() }
}
