//! Maven, the machine's own. What it fetches stays in the target folder.

use super::LIMIT;
use crate::process::Program;
use crate::workspace;
use std::path::{Path, PathBuf};

/// Tools, each with the line that installs it.
pub const JDK: (&str, &str) = ("javac", "apt install openjdk-17-jdk-headless");
pub const MAVEN: (&str, &str) = ("mvn", "apt install maven");
/// Runs UniFFI's generator.
pub const PYTHON: (&str, &str) = ("python3", "apt install python3-pip");
/// What the tier needs.
pub const NEEDS: &[(&str, &str)] = &[JDK, MAVEN, PYTHON];

/// The repository of tests: never the user's, where the next checkout would find ours.
pub fn repository() -> PathBuf {
    workspace::target().join("tools/maven")
}

/// Maven with a repository, or with its own.
pub struct Maven {
    pub repository: Option<PathBuf>,
}

impl Maven {
    /// Goals for a project.
    pub fn on(&self, project: &Path, goals: &[&str]) -> Program {
        // A build is over before the optimising compiler has paid for itself.
        let mut maven = Program::new("mvn")
            .args(["-B", "-q", "-ntp", "-Dstyle.color=never", "-f"])
            .args([project])
            .args(goals)
            .env("MAVEN_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            .limit(LIMIT)
            .quiet();
        if let Some(repository) = &self.repository {
            maven = maven.args([format!("-Dmaven.repo.local={}", repository.display())]);
        }
        maven
    }
}
