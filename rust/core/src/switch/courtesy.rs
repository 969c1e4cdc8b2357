//! How much of a reader's time a peer gets that it can do without.

use crate::clock::monotonic_ns;
use crate::consumer::ANSWER;
use crate::error::Error;
use crate::layout::ErrorKind;
use std::time::Duration;

/// How long such a peer may take to answer at first.
const BRIEF: Duration = Duration::from_millis(50);

/// It is asked again after so many times as long: at most a twentieth of the time goes into it.
const PAUSES: u32 = 20;

/// Somebody who is asked now and then: the next controller, and the lanes that are not active. One
/// that is slow is given more time, more seldom.
pub(super) struct Courtesy {
    patience: Duration,
    next_ns: u64,
}

impl Default for Courtesy {
    fn default() -> Self {
        Courtesy { patience: BRIEF, next_ns: 0 }
    }
}

impl Courtesy {
    /// Whether it is time to ask again.
    pub(super) fn is_due(&self) -> bool {
        monotonic_ns() >= self.next_ns
    }

    /// How long an answer may take.
    pub(super) fn patience(&self) -> Duration {
        self.patience
    }

    /// What came of asking: nothing is wrong, or what is.
    pub(super) fn note(&mut self, problem: Option<&Error>) {
        let Some(error) = problem else {
            *self = Courtesy::default();
            return;
        };
        let pause = self.patience * PAUSES;
        self.next_ns = monotonic_ns().saturating_add(pause.as_nanos() as u64);
        if error.kind() == ErrorKind::TimedOut {
            self.patience = ANSWER.min(self.patience * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_gets_more_time_more_seldom() {
        let late = Error::new(ErrorKind::TimedOut, "late");
        let mut courtesy = Courtesy::default();
        assert!(courtesy.is_due());
        for patience in [50, 100, 200, 400, 800, 1600, 2000, 2000] {
            assert_eq!(courtesy.patience(), Duration::from_millis(patience));
            let before = monotonic_ns();
            courtesy.note(Some(&late));
            assert!(courtesy.next_ns >= before + patience * 1_000_000 * u64::from(PAUSES));
        }
        assert!(!courtesy.is_due());
        courtesy.note(None);
        assert!(courtesy.is_due() && courtesy.patience() == BRIEF);
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let mut courtesy = Courtesy::default();
        courtesy.note(Some(&Error::new(ErrorKind::TooMany, "full")));
        assert!(!courtesy.is_due() && courtesy.patience() == BRIEF);
    }
}
