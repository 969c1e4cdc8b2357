//! Results as a table, as JSON and as JUnit.

use crate::results::{Outcome, Verdict};
use anyhow::Result;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};
use std::fmt::Write;

/// Producers down, consumers across: scenarios that passed, gaps and failures.
pub fn matrix(outcomes: &[Outcome]) -> String {
    let mut producers: Vec<&str> = outcomes.iter().map(|o| o.pair.producer.as_str()).collect();
    let mut consumers: Vec<&str> = outcomes.iter().map(|o| o.pair.consumer.as_str()).collect();
    for names in [&mut producers, &mut consumers] {
        names.sort_unstable();
        names.dedup();
    }
    let cell = |producer: &str, consumer: &str| {
        let found =
            outcomes.iter().find(|o| o.pair.producer == producer && o.pair.consumer == consumer);
        found.map_or("-".to_owned(), summary)
    };
    let cells: Vec<Vec<String>> =
        producers.iter().map(|p| consumers.iter().map(|c| cell(p, c)).collect()).collect();
    let first = producers.iter().map(|name| name.len()).max().unwrap_or(0).max(9);
    let widths = consumers.iter().chain([&""]).map(|name| name.len());
    let width = widths.chain(cells.iter().flatten().map(String::len)).max().unwrap_or(0);
    let mut out = format!("{:first$}", "producer");
    for consumer in &consumers {
        let _ = write!(out, "  {consumer:>width$}");
    }
    out.push('\n');
    for (producer, row) in producers.iter().zip(&cells) {
        let _ = write!(out, "{producer:first$}");
        for cell in row {
            let _ = write!(out, "  {cell:>width$}");
        }
        out.push('\n');
    }
    out
}

fn summary(outcome: &Outcome) -> String {
    let (passed, gaps, failed) = outcome.counts();
    let mut text = passed.to_string();
    if gaps > 0 {
        let _ = write!(text, " {gaps} gap");
    }
    if failed > 0 {
        let _ = write!(text, " {failed} FAILED");
    }
    text
}

/// All results as JSON.
pub fn json(outcomes: &[Outcome]) -> Value {
    let cases = |outcome: &Outcome| -> Vec<Value> {
        let case = |case: &crate::Case| {
            let (verdict, reason) = match &case.verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Gap(reason) => ("gap", Some(reason)),
                Verdict::Failed(reason) => ("failed", Some(reason)),
            };
            json!({
                "scenario": case.scenario, "verdict": verdict, "reason": reason,
                "seconds": case.time.as_secs_f64(),
            })
        };
        outcome.cases.iter().map(case).collect()
    };
    let pair = |outcome: &Outcome| {
        json!({
            "producer": outcome.pair.producer, "consumer": outcome.pair.consumer,
            "cases": cases(outcome),
        })
    };
    json!({ "pairs": outcomes.iter().map(pair).collect::<Vec<_>>() })
}

/// All results as JUnit XML: a suite for each pair.
pub fn junit(outcomes: &[Outcome]) -> Result<String> {
    let mut report = Report::new("conformance");
    for outcome in outcomes {
        let name = format!("{}:{}", outcome.pair.producer, outcome.pair.consumer);
        let mut suite = TestSuite::new(name);
        for case in &outcome.cases {
            let status = match &case.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Gap(reason) => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(reason);
                    status
                }
                Verdict::Failed(reason) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(reason).set_description(&case.log);
                    status
                }
            };
            let mut entry = TestCase::new(&case.scenario, status);
            entry.set_time(case.time);
            suite.add_test_case(entry);
        }
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::{Case, Pair};
    use std::time::Duration;

    fn sample() -> Vec<Outcome> {
        let case = |verdict| Case {
            scenario: "a".into(),
            verdict,
            log: "who < said\n".into(),
            time: Duration::from_millis(5),
        };
        let pair = |producer: &str, consumer: &str| Pair {
            producer: producer.into(),
            consumer: consumer.into(),
        };
        let failed = Verdict::Failed("it <differs>".into());
        vec![
            Outcome { pair: pair("c", "go"), cases: vec![case(Verdict::Passed), case(failed)] },
            Outcome { pair: pair("go", "go"), cases: vec![case(Verdict::Gap("no call".into()))] },
        ]
    }

    #[test]
    fn the_matrix_shows_failures_gaps_and_what_was_not_run() {
        let text = matrix(&sample());
        let rows: Vec<Vec<&str>> =
            text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["producer", "go"]);
        assert_eq!(rows[1], ["c", "1", "1", "FAILED"]);
        assert_eq!(rows[2], ["go", "0", "1", "gap"]);
    }

    #[test]
    fn json_and_junit_have_the_reasons() {
        let json = json(&sample());
        assert_eq!(json["pairs"][0]["cases"][1]["reason"], "it <differs>");
        assert_eq!(json["pairs"][1]["cases"][0]["verdict"], "gap");
        let xml = junit(&sample()).unwrap();
        assert!(xml.contains("c:go") && xml.contains("it &lt;differs&gt;"), "{xml}");
        assert!(xml.contains("skipped"), "{xml}");
    }
}
