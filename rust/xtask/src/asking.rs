//! Asking lanes how they are, by a command of ours.

use crate::process::Program;
use crate::workspace;
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Time for a command that asks lanes: each of them may take a second.
const ANSWER: Duration = Duration::from_secs(20);

/// What a command of ours prints about the lanes of this directory, as JSON.
pub fn asked(shared: &Path, arguments: &[&str]) -> Result<Value> {
    asked_by(&workspace::target().join("debug/framelane"), shared, arguments)
}

/// The same of this build of ours.
pub fn asked_by(framelane: &Path, shared: &Path, arguments: &[&str]) -> Result<Value> {
    let command = Program::new(framelane).args(arguments).env("FRAMELANE_DIR", shared);
    // What it logs would stand within the answer.
    let said = command.env("FRAMELANE_LOG", "off").limit(ANSWER).quiet().check()?;
    serde_json::from_str(&said).with_context(|| format!("the answer is no JSON: {said}"))
}
