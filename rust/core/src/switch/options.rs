//! What a switch is made with.

use crate::error::{Result, invalid};
use crate::layout::limit::SWITCH_LANES;
use crate::producer::{Access, Trust};
use std::path::PathBuf;

/// How to make a switch. Each method returns the options for chaining.
#[derive(Clone, Debug, Default)]
pub struct SwitchControllerOptions {
    pub(super) active: usize,
    pub(super) access: Access,
    pub(super) trust: Trust,
    pub(super) directory: Option<PathBuf>,
}

impl SwitchControllerOptions {
    /// The first lane is active; the switch is for its own user.
    pub fn new() -> Self {
        Self::default()
    }

    /// Index of the lane that is active first (0).
    pub fn active(mut self, index: usize) -> Self {
        self.active = index;
        self
    }

    /// Who may follow the switch (its own user). The lanes have rules of their own, and only the
    /// controller's user and root may select.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Which readers are trusted not to block the controller's bells.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Runtime directory to use; None, the default, chooses as described in
    /// [`runtime_dir`](crate::runtime_dir).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }
}

/// Refuses lanes that cannot stand behind the switch `name`.
pub(super) fn refuse_lanes(name: &str, lanes: &[&str], active: usize) -> Result<()> {
    let count = lanes.len() as u64;
    if !(1..=SWITCH_LANES).contains(&count) {
        let text = format!("{count} lanes for switch {name:?}, 1 to {SWITCH_LANES} can be");
        return Err(invalid(text));
    }
    for (index, lane) in lanes.iter().enumerate() {
        crate::name::validate(lane)?;
        if *lane == name {
            return Err(invalid(format!("switch {name:?} cannot stand behind itself")));
        }
        if lanes[..index].contains(lane) {
            return Err(invalid(format!("lane {lane:?} stands twice behind switch {name:?}")));
        }
    }
    refuse_index(name, lanes.len(), active)
}

/// Refuses the index of a lane that a switch of `count` lanes has not.
pub(super) fn refuse_index(name: &str, count: usize, index: usize) -> Result<()> {
    if index < count {
        return Ok(());
    }
    Err(invalid(format!("lane {index} of switch {name:?}, whose lanes are 0 to {}", count - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::ErrorKind;

    #[test]
    fn lanes_are_few_and_different() {
        let many: Vec<String> = (0..17).map(|n| format!("lane{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(refuse_lanes("switch", &many[..16], 15).is_ok());
        let cases: [(&[&str], usize, &str); 5] = [
            (&[], 0, "0 lanes"),
            (&many, 0, "17 lanes"),
            (&["a", "switch"], 0, "behind itself"),
            (&["a", "b", "a"], 0, "\"a\" stands twice"),
            (&["a", "b"], 2, "lane 2 of switch \"switch\", whose lanes are 0 to 1"),
        ];
        for (lanes, active, says) in cases {
            let error = refuse_lanes("switch", lanes, active).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(says), "{error}");
        }
        let error = refuse_lanes("switch", &["A"], 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidName);
    }
}
