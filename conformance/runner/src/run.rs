//! Plays all scenarios with all pairs, several pairs at a time.

use crate::capabilities::Capabilities;
use crate::cast::{STAND_INS, Troupe};
use crate::play::play;
use crate::process::{Launch, Patience};
use crate::results::{Case, Outcome, Pair, Verdict};
use crate::scenario::Scenario;
use anyhow::{Context, Result};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

/// What to play, with whom, and how.
pub struct Plan<'a> {
    /// Top folder of the checkout.
    pub root: PathBuf,
    /// The agents that take part.
    pub agents: Vec<Launch>,
    /// The board, where a scenario needs it.
    pub board: Option<Board>,
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

/// A program that has the camera's memory, on stand-ins for the vendor's libraries.
pub struct Board {
    /// How it is started.
    pub launch: Launch,
    /// Puts the stand-ins into a folder.
    pub furnish: fn(&Path) -> Result<()>,
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
    // Where shared memory is, as shmbuf rings want it.
    let lanes = tempfile::Builder::new().prefix("framelane-conformance-").tempdir_in("/dev/shm")?;
    let patience = Patience { time: plan.patience, check: plan.check };
    let board = plan.board.as_ref();
    if let Some(board) = board {
        (board.furnish)(&lanes.path().join(STAND_INS)).context("the stand-ins")?;
    }
    let board = board.map(|board| &board.launch);
    let mut troupe = Troupe::new(&plan.agents, board, &plan.root, lanes.path(), patience);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Says `ok n=1` to everything, and reads what it is told.
    const LIAR: &str = "echo ready language=liar; while read word rest; do \
        case $word in quit) exit;; reset) echo ok;; die) exit 3;; *) echo ok n=1;; esac; done";

    fn outcome(transcript: &str, gaps: &str) -> Verdict {
        let capabilities: Capabilities = toml::from_str(gaps).unwrap();
        let text = format!("about = 'a'\ntranscript = '''\n{transcript}'''");
        let scenario = Scenario::parse("sample", &text).unwrap();
        let pair = Pair { producer: "liar".into(), consumer: "liar".into() };
        let command = ["sh", "-c", LIAR].map(str::to_owned).to_vec();
        let plan = Plan {
            root: env!("CARGO_MANIFEST_DIR").into(),
            agents: vec![Launch { language: "liar".into(), command, env: Default::default() }],
            board: None,
            pairs: vec![pair],
            scenarios: vec![&scenario],
            capabilities: &capabilities,
            patience: Duration::from_secs(60),
            jobs: 1,
            check: || Ok(()),
        };
        let mut shown = 0;
        let mut outcomes = run(&plan, |_| shown += 1).unwrap();
        assert_eq!((outcomes.len(), shown), (1, 1));
        outcomes.remove(0).cases.remove(0).verdict
    }

    fn failure(transcript: &str) -> String {
        match outcome(transcript, "") {
            Verdict::Failed(text) => text,
            other => panic!("{transcript}: {other:?}"),
        }
    }

    #[test]
    fn the_right_answer_passes_and_any_other_fails() {
        let right = "producer > a\nconsumer > b\nconsumer < ok n=1\nproducer < ok\n";
        assert_eq!(outcome(right, ""), Verdict::Passed);
        assert!(failure("producer > a\nproducer < ok n=2\n").contains("expected n=2, got 1"));
        assert!(failure("producer > a\nproducer < none\n").contains("expected \"none\""));
        assert!(failure("producer > a\nproducer < ok m=1\n").contains("has no m"));
        assert!(failure("producer > die\nproducer < ok\n").contains("exit status: 3"));
        assert!(failure("witness > a\nwitness < ok\n").contains("no agent reference"));
    }

    #[test]
    fn the_killed_come_back_only_when_started() {
        let back = "consumer > a\nconsumer < ok\nconsumer ! kill\nconsumer ! start\n\
            consumer > a\nconsumer < ok\n";
        assert_eq!(outcome(back, ""), Verdict::Passed);
        assert!(failure("consumer ! kill\n").contains("nobody to kill"));
    }

    #[test]
    fn a_gap_is_no_failure_but_one_that_works_is() {
        let gap = "[[gap]]\nagent = 'liar'\nscenario = 'sample'\nrole = 'producer'\n\
            reason = 'it lies'";
        let wrong = outcome("producer > a\nproducer < ok n=2\n", gap);
        assert_eq!(wrong, Verdict::Gap("it lies".into()));
        assert!(matches!(outcome("producer > a\nproducer < ok\n", gap), Verdict::Failed(_)));
    }
}
