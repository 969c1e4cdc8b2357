//! The loom models of the ring, and their mutation: each side of each happens-before edge is
//! weakened in turn, and some model must notice. Loom alone is no proof; an ordering whose
//! loss no model notices is an ordering that nothing tests.

use crate::counts::Counts;
use crate::process::Program;
use crate::{interrupt, workspace};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where the models live in the test binary.
const MODELS: &str = "ring::model";
/// The test that prints `edge: <side>` for each side of each edge.
const LIST: &str = "list_edges";
const LIMIT: Duration = Duration::from_secs(900);

/// Runs the models.
pub fn models() -> Result<Counts> {
    let binary = build()?;
    let counts = Program::new(binary).args([MODELS]).limit(LIMIT).counted()?;
    if counts.passed + counts.failed < 2 {
        bail!("{MODELS} holds no models");
    }
    Ok(counts)
}

/// Weakens one side after the other. A side passes if some model fails.
pub fn mutation() -> Result<Counts> {
    let binary = build()?;
    let start = Instant::now();
    Program::new(&binary).args([MODELS]).limit(LIMIT).check().context("without any mutation")?;
    // A weakened ring has more executions to look at; it may take longer, not for ever.
    let limit = start.elapsed() * 10 + Duration::from_secs(120);
    let listing = Program::new(&binary).args([LIST, "--nocapture"]).quiet().check()?;
    let sides = sides(&listing);
    if sides.is_empty() {
        bail!("the test {LIST} printed no `edge: <side>` line");
    }
    let mut counts = Counts::default();
    for side in sides {
        interrupt::check()?;
        let weakened = Program::new(&binary)
            .args([MODELS])
            .env("FRAMELANE_WEAKEN", side)
            .limit(limit)
            .quiet()
            .run()?;
        let (verdict, count) = match weakened.status {
            None => (format!("UNDECIDED after {limit:?}"), Counts::FAILED),
            Some(status) if status.success() => ("SURVIVED".to_owned(), Counts::FAILED),
            // Without the name of a failed test the run broke for a reason of its own.
            Some(status) => match failed_tests(&weakened.text) {
                names if names.is_empty() => (format!("BROKE: {status}"), Counts::FAILED),
                names => (caught_by(&names), Counts::PASSED),
            },
        };
        println!("{side:<24}{verdict}");
        counts += count;
    }
    Ok(counts)
}

fn caught_by(names: &[&str]) -> String {
    match names {
        [only] => format!("caught by {only}"),
        [first, rest @ ..] => format!("caught by {first} and {} more", rest.len()),
        [] => String::new(),
    }
}

/// Builds the core's test binary with loom's atomics and returns its path.
fn build() -> Result<PathBuf> {
    let folder = workspace::target().join("loom");
    let cargo = || {
        Program::cargo(["test", "--locked", "--package", "framelane", "--lib", "--release"])
            .args(["--no-run".as_ref(), "--target-dir".as_ref(), folder.as_os_str()])
            .env("RUSTFLAGS", "--cfg loom")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .limit(Duration::from_secs(1200))
    };
    // Once to be watched and once, with nothing left to build, for the path.
    cargo().check()?;
    let messages = cargo().args(["--message-format", "json-render-diagnostics"]).quiet().check()?;
    executable(&messages).context("cargo built no test binary")
}

fn executable(messages: &str) -> Option<PathBuf> {
    messages.lines().filter(|line| line.starts_with('{')).find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    })
}

fn sides(listing: &str) -> Vec<&str> {
    // The harness writes `test <name> ... ` before the first line of a test.
    let mut sides: Vec<&str> = listing
        .lines()
        .filter_map(|line| line.split_once("edge: ").map(|(_, side)| side.trim()))
        .collect();
    sides.sort_unstable();
    sides.dedup();
    sides
}

fn failed_tests(output: &str) -> Vec<&str> {
    output
        .lines()
        .filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"))
        .map(|path| path.rsplit("::").next().unwrap_or(path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_binary_is_found_in_cargos_messages() {
        let messages = "   Compiling framelane\n\
            {\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/t/framelane-1\"}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/framelane-1")));
        assert_eq!(executable("{\"reason\":\"build-finished\"}"), None);
    }

    #[test]
    fn sides_are_read_once_each_also_behind_the_harness() {
        let listing = "running 1 test\ntest ring::model::list_edges ... edge: head.publish\n\
            edge: check.fence\nedge: check.fence\nok\n";
        assert_eq!(sides(listing), ["check.fence", "head.publish"]);
    }

    #[test]
    fn only_failed_tests_are_named() {
        let output = "test ring::model::reuse ... FAILED\ntest ring::model::wake ... ok\n\
            test result: FAILED. 1 passed; 1 failed\n";
        assert_eq!(failed_tests(output), ["reuse"]);
    }
}
