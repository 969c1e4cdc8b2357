//! Faults to play: a call fails, or takes long.

use crate::state::State;
use serde::{Deserialize, Serialize};

/// What happens to some calls of one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Name of the C function.
    pub function: String,
    /// Only in this process; None is every one.
    pub pid: Option<u32>,
    /// Calls that go well before.
    pub skip: u32,
    /// Calls it happens to.
    pub times: u32,
    /// What they return; 0: they do what they should.
    pub code: i32,
    /// How long they take in addition.
    pub delay_ms: u64,
}

impl Fault {
    /// The next call of `function` in any process returns `code`.
    pub fn of(function: &str, code: i32) -> Self {
        Fault { function: function.to_owned(), pid: None, skip: 0, times: 1, code, delay_ms: 0 }
    }

    /// After so many calls that go well.
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// So many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// In addition each takes so long.
    pub fn delay_ms(mut self, delay_ms: u64) -> Self {
        self.delay_ms = delay_ms;
        self
    }

    /// In one process only.
    pub fn in_process(mut self, pid: u32) -> Self {
        self.pid = Some(pid);
        self
    }
}

impl State {
    /// What happens to this call: a number and a delay.
    pub(crate) fn play(&mut self, function: &str, pid: u32) -> (i32, u64) {
        let hit = |fault: &&mut Fault| {
            fault.function == function && fault.pid.is_none_or(|wanted| wanted == pid)
        };
        let Some(fault) = self.faults.iter_mut().find(hit) else { return (0, 0) };
        if fault.skip > 0 {
            fault.skip -= 1;
            return (0, 0);
        }
        let happens = (fault.code, fault.delay_ms);
        fault.times = fault.times.saturating_sub(1);
        self.faults.retain(|fault| fault.times > 0);
        happens
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_fails_and_the_others_do_not() {
        let mut state = State::default();
        state.faults.push(Fault::of("f", -5).after(1).times(2).in_process(7));
        let mut codes = Vec::new();
        for (function, pid) in [("f", 7), ("g", 7), ("f", 8), ("f", 7), ("f", 7), ("f", 7)] {
            codes.push(state.play(function, pid).0);
        }
        assert_eq!(codes, [0, 0, 0, -5, -5, 0]);
        assert!(state.faults.is_empty());
    }
}
