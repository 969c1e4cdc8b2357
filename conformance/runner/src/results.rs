//! What came of each scenario with each pair.

use std::time::Duration;

/// A producer's language and a consumer's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// Language of the producer.
    pub producer: String,
    /// Language of the consumer.
    pub consumer: String,
}

/// One scenario with one pair.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name of the scenario.
    pub scenario: String,
    /// How it went.
    pub verdict: Verdict,
    /// Who said what.
    pub log: String,
    /// Time it took.
    pub time: Duration,
}

/// How a case went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As the scenario says.
    Passed,
    /// It failed as capabilities.toml says; the declared reason.
    Gap(String),
    /// It failed; why.
    Failed(String),
}

/// All scenarios with one pair.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Who played.
    pub pair: Pair,
    /// What was played.
    pub cases: Vec<Case>,
}

impl Outcome {
    /// How many passed, are gaps, and failed.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&Verdict) -> bool| {
            self.cases.iter().filter(|case| wanted(&case.verdict)).count()
        };
        (
            count(|verdict| *verdict == Verdict::Passed),
            count(|verdict| matches!(verdict, Verdict::Gap(_))),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
        )
    }

    /// Time of all cases.
    pub fn time(&self) -> Duration {
        self.cases.iter().map(|case| case.time).sum()
    }
}
