//! The same for programs.

use super::Outcome;
use crate::machine::Machine;
use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    machine: &'a Machine,
    outcomes: &'a [Outcome],
    verdicts: Vec<Verdict<'a>>,
}

#[derive(Serialize)]
struct Verdict<'a> {
    figure: &'a str,
    goal: &'a str,
    measured: &'a str,
    of_allowed: f64,
    met: bool,
}

/// All of a run: every round of every figure.
pub fn document(machine: &Machine, outcomes: &[Outcome]) -> Result<String> {
    let goals = outcomes.iter().flat_map(|outcome| &outcome.goals);
    let verdicts = goals.map(|goal| Verdict {
        figure: &goal.figure,
        goal: &goal.goal,
        measured: &goal.measured,
        of_allowed: goal.of_allowed,
        met: goal.met(),
    });
    let document = Document { machine, outcomes, verdicts: verdicts.collect() };
    Ok(serde_json::to_string_pretty(&document)?)
}
