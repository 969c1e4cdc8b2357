//! What a frame costs in each language: the programs of bench/, turn by turn.

use crate::process::Program;
use crate::recipes::{Background, Kitchen, program};
use crate::workspace;
use anyhow::{Context, Result, bail};
use framelane_conformance::{Launch, Recipe};
use std::collections::BTreeMap;
use std::time::Duration;

const FRAMES: u64 = 20_000;
const PACED_FRAMES: u64 = 120;
/// Each language takes its turn in each round, so that all meet the same weather.
const ROUNDS: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);
/// Whose figures the ratios are to, and whose program also paces.
const BASE: &str = "rust";

/// Figures of one language, a value for each round, by name.
type Figures = BTreeMap<String, Vec<u64>>;

/// Builds the programs, optimised, and prints the table.
pub fn run() -> Result<bool> {
    let recipes = Recipe::all(&workspace::root().join("bench"), "bench.toml", &["run"])?;
    let kitchen = Kitchen::optimised("bench");
    kitchen.build(recipes.iter())?;
    let mut languages: Vec<(Launch, Figures)> = Vec::new();
    for recipe in &recipes {
        languages.push((kitchen.launch(recipe, "run")?, Figures::new()));
    }
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        one_round(&mut languages)?;
    }
    print!("{}", table(&languages)?);
    Ok(true)
}

fn one_round(languages: &mut [(Launch, Figures)]) -> Result<()> {
    for (launch, figures) in &mut *languages {
        let lanes = tempfile::tempdir()?;
        let run = program(launch, lanes.path(), &["cost", "cost", &FRAMES.to_string()]);
        take(launch, run, figures)?;
    }
    let lanes = tempfile::tempdir()?;
    let base = languages.iter().find(|(launch, _)| launch.language == BASE);
    let (base, _) = base.with_context(|| format!("there is no bench/{BASE}"))?;
    let _pacer = Background::start(base, lanes.path(), &["pace", "paced"])?;
    for (launch, figures) in &mut *languages {
        let run = program(launch, lanes.path(), &["paced", "paced", &PACED_FRAMES.to_string()]);
        take(launch, run, figures)?;
    }
    Ok(())
}

/// Runs one program and keeps what it measured.
fn take(launch: &Launch, run: Program, figures: &mut Figures) -> Result<()> {
    let output = run.limit(LIMIT).check().with_context(|| launch.language.clone())?;
    for (name, value) in read(&output)? {
        figures.entry(name).or_default().push(value);
    }
    Ok(())
}

/// `name=number` words.
fn read(output: &str) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for word in output.split_whitespace() {
        let (name, value) = word.split_once('=').with_context(|| format!("it prints {word:?}"))?;
        found.push((name.to_owned(), value.parse().with_context(|| word.to_owned())?));
    }
    if found.is_empty() {
        bail!("it prints nothing");
    }
    Ok(found)
}

/// Medians, and the median of round against same round of the base.
fn table(languages: &[(Launch, Figures)]) -> Result<String> {
    let base = languages.iter().find(|(launch, _)| launch.language == BASE);
    let (_, base) = base.with_context(|| format!("there is no bench/{BASE}"))?;
    let mut text = format!("\n{FRAMES} frames, {ROUNDS} rounds, medians; ratios are to {BASE}\n\n");
    text +=
        "| language | producer, a frame | consumer, a frame | p50 at 60 fps |\n|---|---|---|---|\n";
    for (launch, figures) in languages {
        text += &format!("| {} |", launch.language);
        for name in ["producer_ns", "consumer_ns", "p50_ns"] {
            let (Some(own), Some(base)) = (figures.get(name), base.get(name)) else {
                text += " - |";
                continue;
            };
            let ratios = own.iter().zip(base).map(|(own, base)| *own as f64 / *base.max(&1) as f64);
            text += &format!(" {} ns ({:.2} x) |", median(own), median_of(ratios.collect()));
        }
        text += "\n";
    }
    Ok(text)
}

fn median(values: &[u64]) -> u64 {
    median_of(values.iter().map(|value| *value as f64).collect()) as u64
}

fn median_of(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(name: &str, values: &[u64]) -> (Launch, Figures) {
        let launch =
            Launch { language: name.to_owned(), command: Vec::new(), env: BTreeMap::default() };
        (launch, Figures::from([("producer_ns".to_owned(), values.to_vec())]))
    }

    #[test]
    fn words_are_read_and_prose_is_not() {
        let found = read("producer_ns=7 consumer_ns=8\n").unwrap();
        assert_eq!(found, [("producer_ns".to_owned(), 7), ("consumer_ns".to_owned(), 8)]);
        assert!(read("seven").is_err() && read("producer_ns=x").is_err() && read("").is_err());
    }

    #[test]
    fn ratios_are_of_round_against_same_round() {
        let all = [language("c", &[30, 20, 40]), language("rust", &[10, 20, 10])];
        let table = table(&all).unwrap();
        assert!(table.contains("| c | 30 ns (3.00 x) | - | - |"), "{table}");
        assert!(table.contains("| rust | 10 ns (1.00 x) | - | - |"), "{table}");
    }
}
