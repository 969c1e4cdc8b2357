//! How many tests passed, read from what the test runners print.

use anyhow::Result;
use serde_json::Value;
use std::fmt;
use std::ops::AddAssign;

/// Tests that passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that a runner knows of but did not run.
    pub skipped: u64,
}

impl Counts {
    /// One passed check.
    pub const PASSED: Counts = Counts { passed: 1, failed: 0, skipped: 0 };
    /// One failed check.
    pub const FAILED: Counts = Counts { passed: 0, failed: 1, skipped: 0 };

    /// Says what became of one check, and counts it.
    pub fn told(what: &str, outcome: Result<()>) -> Counts {
        match outcome {
            Ok(()) => {
                println!("ok     {what}");
                Counts::PASSED
            }
            Err(error) => {
                println!("FAILED {what}: {error:#}");
                Counts::FAILED
            }
        }
    }

    /// Adds up every summary line in a runner's output.
    pub fn read(output: &str) -> Counts {
        let mut counts = Counts::default();
        for line in output.lines() {
            let read = libtest(line).or_else(|| go(line)).or_else(|| node(line));
            counts += read.or_else(|| words(line)).unwrap_or_default();
        }
        counts
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(out, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; ...`
fn libtest(line: &str) -> Option<Counts> {
    let (_, figures) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let figures: Vec<&str> =
        figures.split("; ").filter(|part| !part.contains("finished")).collect();
    sum(&figures)
}

/// `{"Action":"pass","Package":"...","Test":"TestName"}`, one line per event. Subtests count.
fn go(line: &str) -> Option<Counts> {
    let event: Value = line.starts_with('{').then(|| serde_json::from_str(line).ok())??;
    event.get("Test")?;
    match event.get("Action")?.as_str()? {
        "pass" => Some(Counts::PASSED),
        "fail" => Some(Counts::FAILED),
        "skip" => Some(Counts { skipped: 1, ..Counts::default() }),
        _ => None,
    }
}

/// `ℹ pass 3` and its like, a line for each figure.
fn node(line: &str) -> Option<Counts> {
    let (word, number) = line.strip_prefix("ℹ ")?.split_once(' ')?;
    let number: u64 = number.parse().ok()?;
    let none = Counts::default();
    match word {
        "pass" => Some(Counts { passed: number, ..none }),
        "fail" | "cancelled" => Some(Counts { failed: number, ..none }),
        "skipped" | "todo" => Some(Counts { skipped: number, ..none }),
        _ => None,
    }
}

/// pytest's `=== 3 passed, 1 failed in 0.12s ===` and our own `3 passed, 1 failed`.
fn words(line: &str) -> Option<Counts> {
    let line = line.trim_matches(|c| c == '=' || c == ' ');
    let figures = line.rsplit_once(" in ").map_or(line, |(figures, _)| figures);
    sum(&figures.split(", ").collect::<Vec<_>>())
}

/// Adds up parts such as `3 passed`; anything else means that the line is no summary.
fn sum(parts: &[&str]) -> Option<Counts> {
    let mut counts = Counts::default();
    for part in parts {
        let (number, word) = part.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match word {
            "passed" | "xfailed" => counts.passed += number,
            "failed" | "error" | "errors" | "xpassed" => counts.failed += number,
            "skipped" | "ignored" => counts.skipped += number,
            "measured" | "filtered out" | "deselected" | "warning" | "warnings" => {}
            _ => return None,
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64, skipped: u64) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn libtest_lines_are_added() {
        let output = "running 3 tests\n\
            test a ... ok\n\
            test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out\n\
            test result: FAILED. 1 passed; 2 failed; 0 ignored; finished in 1.2s\n";
        assert_eq!(Counts::read(output), counts(4, 2, 1));
    }

    #[test]
    fn pytest_lines_are_read() {
        assert_eq!(Counts::read("3 passed in 0.12s"), counts(3, 0, 0));
        let line =
            "==== 1 failed, 2 passed, 3 skipped, 1 warning, 2 errors in 61.20s (0:01:01) ====";
        assert_eq!(Counts::read(line), counts(2, 3, 3));
    }

    #[test]
    fn go_events_are_counted_but_packages_are_not() {
        let output = r#"{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"9 passed, 0 failed"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"fail","Package":"p"}"#;
        assert_eq!(Counts::read(output), counts(1, 1, 1));
    }

    #[test]
    fn lines_of_node_are_added() {
        let output = "✔ it plays (12.5ms)\nℹ latency: p50 3.1 ms\nℹ tests 9\nℹ suites 1\n\
            ℹ pass 4\nℹ fail 2\nℹ cancelled 1\nℹ skipped 2\nℹ todo 0\nℹ duration_ms 7995.8\n";
        assert_eq!(Counts::read(output), counts(4, 3, 2));
    }

    #[test]
    fn own_lines_are_read_and_prose_is_not() {
        assert_eq!(
            Counts::read("12 passed, 0 failed\n2 passed, 1 failed, 4 skipped"),
            counts(14, 1, 4)
        );
        assert_eq!(
            Counts::read("the 3 passed, as 2 failed to\n3 passed the test"),
            counts(0, 0, 0)
        );
    }

    #[test]
    fn skips_are_shown_only_if_there_are_any() {
        assert_eq!(counts(2, 0, 0).to_string(), "2 passed, 0 failed");
        assert_eq!(counts(2, 0, 1).to_string(), "2 passed, 0 failed, 1 skipped");
    }
}
