//! What a language does not offer, declared with its reason: capabilities.toml. A `*` in the name
//! of a scenario stands for anything.

use crate::pattern::glob;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// All declared gaps.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    #[serde(default, rename = "gap")]
    gaps: Vec<Gap>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Gap {
    agent: String,
    scenario: String,
    role: Role,
    reason: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Role {
    Producer,
    Consumer,
}

impl Capabilities {
    /// Reads the file; each gap must name an agent and a scenario that exist.
    pub fn load(path: &Path, agents: &[&str], scenarios: &[&str]) -> Result<Self> {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        let all: Capabilities = toml::from_str(&text).with_context(shown)?;
        for gap in &all.gaps {
            if !agents.contains(&gap.agent.as_str()) {
                bail!("{}: there is no agent {}", path.display(), gap.agent);
            }
            if !scenarios.iter().any(|scenario| glob(&gap.scenario, scenario)) {
                bail!("{}: there is no scenario {}", path.display(), gap.scenario);
            }
        }
        Ok(all)
    }

    /// Why this scenario is not expected to work with this pair.
    pub fn gap(&self, producer: &str, consumer: &str, scenario: &str) -> Option<&str> {
        let found = self.gaps.iter().find(|gap| {
            let agent = if gap.role == Role::Producer { producer } else { consumer };
            glob(&gap.scenario, scenario) && gap.agent == agent
        });
        found.map(|gap| gap.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_in_its_role_alone() {
        let text =
            "[[gap]]\nagent = \"c\"\nscenario = \"poll\"\nrole = \"consumer\"\nreason = \"r\"";
        let all: Capabilities = toml::from_str(text).unwrap();
        assert_eq!(all.gap("rust", "c", "poll"), Some("r"));
        assert_eq!(all.gap("c", "rust", "poll"), None);
        assert_eq!(all.gap("rust", "c", "other"), None);
    }
}
