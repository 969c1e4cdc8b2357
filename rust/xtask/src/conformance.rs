//! `cargo xtask conformance`: builds the agents and has every language play with every language.

use crate::counts::Counts;
use crate::process::Program;
use crate::recipes::{CONFORMANCE, Kitchen, Sanitizer, is_sanitizable};
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail};
use framelane_conformance::{
    Board, Capabilities, Launch, Outcome, Pair, Plan, Recipe, Scenario, Verdict, json, junit,
    matrix, run as play,
};
use framelane_standin_ion::Place;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// The agent that is not our code.
const REFERENCE: &str = "reference";

/// What to play.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Only this pair, PRODUCER:CONSUMER; either may be left out (may be given several times)
    #[arg(long = "pair", value_name = "PAIR")]
    pairs: Vec<String>,
    /// Only scenarios of this name; * stands for anything (may be given several times)
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// Only list scenarios and agents
    #[arg(long)]
    list: bool,
    /// Write the results as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Show who said what, also where all is well
    #[arg(long)]
    verbose: bool,
    /// Build C, C++ and Go agents with a sanitizer
    #[arg(long, value_name = "NAME")]
    sanitize: Option<Sanitizer>,
    /// Pairs at a time [default: one for each processor]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Seconds that an agent has for each answer
    #[arg(long, value_name = "N", default_value_t = 60)]
    patience: u64,
}

/// Runs and says whether all is well.
pub fn run(options: &Options) -> Result<bool> {
    let folder = workspace::root().join("conformance");
    let agents = agents(&folder)?;
    let scenarios = Scenario::all(&folder.join("scenarios"))?;
    if options.list {
        list(&agents, &scenarios);
        return Ok(true);
    }
    let outcomes = perform(options, &folder, &agents, &scenarios)?;
    println!("\n{}", matrix(&outcomes));
    let counts = count(&outcomes);
    println!("{counts}");
    if let Some(path) = &options.json {
        write(path, &serde_json::to_string_pretty(&json(&outcomes))?)?;
    }
    if let Some(path) = &options.junit {
        write(path, &junit(&outcomes)?)?;
    }
    Ok(counts.failed == 0)
}

fn agents(folder: &Path) -> Result<Vec<Recipe>> {
    Recipe::all(&folder.join("agents"), "agent.toml", &["run"])
}

/// Languages that start slowly: on each change they play with these alone, and with all others in
/// the long run.
const SLOW: &[(&str, &[&str])] = &[("kotlin", &["kotlin", "rust", "reference"])];

fn is_for_the_long_run(producer: &str, consumer: &str) -> bool {
    let apart = |one: &str, other: &str| {
        SLOW.iter().any(|(slow, partners)| *slow == one && !partners.contains(&other))
    };
    apart(producer, consumer) || apart(consumer, producer)
}

/// All scenarios, and all pairs but those for the long run, as a tier.
pub fn tier() -> Result<Counts> {
    played(pairs_of_tier(false)?, None)
}

/// The other pairs.
pub fn long_tier() -> Result<Counts> {
    played(pairs_of_tier(true)?, None)
}

fn pairs_of_tier(long: bool) -> Result<Vec<String>> {
    let agents = agents(&workspace::root().join("conformance"))?;
    let mut pairs = Vec::new();
    for producer in &agents {
        for consumer in &agents {
            let (producer, consumer) = (&producer.language, &consumer.language);
            if is_for_the_long_run(producer, consumer) == long {
                pairs.push(format!("{producer}:{consumer}"));
            }
        }
    }
    Ok(pairs)
}

/// Agents that a sanitizer can look into, each with itself and both ways with the reference.
pub fn sanitized_tier() -> Result<Counts> {
    let agents = agents(&workspace::root().join("conformance"))?;
    let sanitizable = agents.iter().filter(|agent| is_sanitizable(agent));
    let pairs = sanitizable.flat_map(|agent| {
        let name = &agent.language;
        [format!("{name}:{name}"), format!("{name}:reference"), format!("reference:{name}")]
    });
    played(pairs.collect(), Some(Sanitizer::Address))
}

fn played(pairs: Vec<String>, sanitize: Option<Sanitizer>) -> Result<Counts> {
    let folder = workspace::root().join("conformance");
    let agents = agents(&folder)?;
    let scenarios = Scenario::all(&folder.join("scenarios"))?;
    let options = Options { pairs, sanitize, patience: 60, ..Options::default() };
    let outcomes = perform(&options, &folder, &agents, &scenarios)?;
    println!("\n{}", matrix(&outcomes));
    Ok(count(&outcomes))
}

/// Agents that run on another processor, with each other and both ways with the reference, which
/// runs on this one. Scenarios with a board need libraries that other processors have not.
pub fn emulated(mut agents: Vec<Launch>) -> Result<Counts> {
    let folder = workspace::root().join("conformance");
    let recipes = self::agents(&folder)?;
    let all = Scenario::all(&folder.join("scenarios"))?;
    let languages: Vec<&str> = recipes.iter().map(|agent| agent.language.as_str()).collect();
    let names: Vec<&str> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    let capabilities = Capabilities::load(&folder.join("capabilities.toml"), &languages, &names)?;
    let foreign: Vec<String> = agents.iter().map(|agent| agent.language.clone()).collect();
    let reference = recipes.iter().find(|agent| agent.language == REFERENCE);
    let kitchen = Kitchen::new(CONFORMANCE, None);
    agents.push(kitchen.launch(reference.context("no reference")?, "run")?);
    let languages: Vec<&str> = agents.iter().map(|agent| agent.language.as_str()).collect();
    let mut pairs = pairs(&[], &languages)?;
    pairs.retain(|pair| foreign.contains(&pair.producer) || foreign.contains(&pair.consumer));
    let plan = Plan {
        root: workspace::root().to_owned(),
        agents: agents.clone(),
        board: None,
        pairs,
        scenarios: all.iter().filter(|scenario| !scenario.needs_board()).collect(),
        capabilities: &capabilities,
        patience: Duration::from_secs(240),
        jobs: available_parallelism().map_or(1, usize::from),
        check: interrupt::check,
    };
    let (total, mut done) = (plan.pairs.len(), 0);
    let outcomes = play(&plan, |outcome| {
        done += 1;
        show(outcome, done, total, false);
    })?;
    println!("\n{}", matrix(&outcomes));
    Ok(count(&outcomes))
}

fn perform(
    options: &Options,
    folder: &Path,
    agents: &[Recipe],
    scenarios: &[Scenario],
) -> Result<Vec<Outcome>> {
    let languages: Vec<&str> = agents.iter().map(|agent| agent.language.as_str()).collect();
    let names: Vec<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    let capabilities = Capabilities::load(&folder.join("capabilities.toml"), &languages, &names)?;
    let pairs = pairs(&options.pairs, &languages)?;
    let scenarios = chosen(&options.scenarios, scenarios)?;
    let taking_part = |agent: &&Recipe| {
        let own = |pair: &Pair| [&pair.producer, &pair.consumer].contains(&&agent.language);
        pairs.iter().any(own) || scenarios.iter().any(|s| s.needs(&agent.language))
    };
    let kitchen = Kitchen::new(CONFORMANCE, options.sanitize);
    let agents: Vec<&Recipe> = agents.iter().filter(taking_part).collect();
    if options.sanitize.is_some() && !agents.iter().any(|agent| is_sanitizable(agent)) {
        bail!("none of these agents can be built with a sanitizer");
    }
    kitchen.build(agents.iter().copied())?;
    let board = board(&scenarios)?;
    let launches = agents.iter().map(|agent| kitchen.launch(agent, "run"));
    let plan = Plan {
        root: workspace::root().to_owned(),
        agents: launches.collect::<Result<Vec<Launch>>>()?,
        board,
        pairs,
        scenarios,
        capabilities: &capabilities,
        patience: Duration::from_secs(options.patience),
        jobs: options.jobs.unwrap_or_else(|| available_parallelism().map_or(1, usize::from)),
        check: interrupt::check,
    };
    let (start, total) = (Instant::now(), plan.pairs.len());
    let mut done = 0;
    let outcomes = play(&plan, |outcome| {
        done += 1;
        show(outcome, done, total, options.verbose);
    })?;
    println!("{total} pairs in {:.1} s", start.elapsed().as_secs_f64());
    Ok(outcomes)
}

/// What the board of a scenario needs: built, and a folder of the stand-ins for each worker.
fn board(scenarios: &[&Scenario]) -> Result<Option<Board>> {
    if !scenarios.iter().any(|scenario| scenario.needs_board()) {
        return Ok(None);
    }
    Program::build(&["framelane-board", "framelane-standin-hbmem"], false)
        .limit(Duration::from_secs(900))
        .check()?;
    let program = workspace::target().join("debug/framelane-board");
    let command = vec![program.to_string_lossy().into_owned()];
    let launch = Launch { language: "board".into(), command, env: Default::default() };
    Ok(Some(Board { launch, furnish: |folder| Ok(Place::new(folder).map(drop)?) }))
}

fn show(outcome: &Outcome, done: usize, total: usize, verbose: bool) {
    let (passed, gaps, failed) = outcome.counts();
    let Pair { producer, consumer } = &outcome.pair;
    let time = outcome.time().as_secs_f64();
    let mark = if failed > 0 { "FAILED" } else { "ok" };
    println!(
        "{mark:<7}{done:>3}/{total}  {producer:>9} -> {consumer:<9}  {passed} passed, {gaps} gaps, \
         {failed} failed in {time:.1} s"
    );
    for case in &outcome.cases {
        match &case.verdict {
            Verdict::Failed(reason) => {
                println!("  {}: {reason}\n{}", case.scenario, case.log);
            }
            Verdict::Gap(reason) => println!("  {}: gap: {reason}", case.scenario),
            Verdict::Passed if verbose => println!("  {}:\n{}", case.scenario, case.log),
            Verdict::Passed => {}
        }
    }
}

fn count(outcomes: &[Outcome]) -> Counts {
    let mut counts = Counts::default();
    for outcome in outcomes {
        let (passed, gaps, failed) = outcome.counts();
        counts += Counts { passed: passed as u64, failed: failed as u64, skipped: gaps as u64 };
    }
    counts
}

fn list(agents: &[Recipe], scenarios: &[Scenario]) {
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    for scenario in scenarios {
        println!("{:width$}  {}", scenario.name, scenario.about);
    }
    let languages: Vec<&str> = agents.iter().map(|agent| agent.language.as_str()).collect();
    println!("\nagents: {}", languages.join(", "));
}

/// All pairs that are asked for, every pair where none is.
fn pairs(wanted: &[String], languages: &[&str]) -> Result<Vec<Pair>> {
    let mut filters = Vec::new();
    for pair in wanted {
        let (producer, consumer) = pair
            .split_once(':')
            .with_context(|| format!("{pair:?} is not PRODUCER:CONSUMER, for instance rust:c"))?;
        for name in [producer, consumer] {
            if !name.is_empty() && !languages.contains(&name) {
                bail!("there is no agent {name}; there are {}", languages.join(", "));
            }
        }
        filters.push((producer, consumer));
    }
    let fits = |filter: &str, name: &str| filter.is_empty() || filter == name;
    let mut pairs = Vec::new();
    for producer in languages {
        for consumer in languages {
            let asked = |f: &(&str, &str)| fits(f.0, producer) && fits(f.1, consumer);
            if filters.is_empty() || filters.iter().any(asked) {
                let (producer, consumer) = ((*producer).to_owned(), (*consumer).to_owned());
                pairs.push(Pair { producer, consumer });
            }
        }
    }
    Ok(pairs)
}

fn chosen<'a>(wanted: &[String], scenarios: &'a [Scenario]) -> Result<Vec<&'a Scenario>> {
    for pattern in wanted {
        if !scenarios.iter().any(|scenario| scenario.is_called(pattern)) {
            bail!("there is no scenario {pattern}; see --list");
        }
    }
    let asked = |scenario: &&Scenario| {
        wanted.is_empty() || wanted.iter().any(|pattern| scenario.is_called(pattern))
    };
    Ok(scenarios.iter().filter(asked).collect())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())?;
    println!("{}", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_played_once_in_all_and_a_slow_language_with_few_on_each_change() {
        let (soon, later) = (pairs_of_tier(false).unwrap(), pairs_of_tier(true).unwrap());
        let agents = agents(&workspace::root().join("conformance")).unwrap().len();
        assert_eq!(soon.len() + later.len(), agents * agents);
        assert!(soon.contains(&"kotlin:reference".into()) && later.contains(&"c:kotlin".into()));
        assert!(soon.iter().all(|pair| !later.contains(pair)));
    }

    fn chosen_pairs(wanted: &[&str]) -> Result<Vec<String>> {
        let wanted: Vec<String> = wanted.iter().map(|pair| (*pair).to_owned()).collect();
        let pairs = pairs(&wanted, &["c", "go", "rust"])?;
        Ok(pairs.iter().map(|pair| format!("{}:{}", pair.producer, pair.consumer)).collect())
    }

    #[test]
    fn pairs_are_chosen_by_either_side() {
        assert_eq!(chosen_pairs(&[]).unwrap().len(), 9);
        assert_eq!(chosen_pairs(&["go:rust"]).unwrap(), ["go:rust"]);
        assert_eq!(chosen_pairs(&["go:", ":go"]).unwrap().len(), 5);
        assert!(chosen_pairs(&["go"]).is_err() && chosen_pairs(&["go:perl"]).is_err());
    }

    #[test]
    fn the_tree_has_agents_and_scenarios_that_can_be_read() {
        let folder = workspace::root().join("conformance");
        let agents = agents(&folder).unwrap();
        let scenarios = Scenario::all(&folder.join("scenarios")).unwrap();
        assert!(agents.iter().any(|agent| agent.language == "rust"));
        assert!(chosen(&["hand-*".to_owned()], &scenarios).is_ok());
        assert!(chosen(&["no-such".to_owned()], &scenarios).is_err());
    }
}
