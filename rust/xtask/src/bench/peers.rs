//! Measures framelane beside its peers: builds rust/peer-bench, which stands outside of the
//! workspace because of what its rivals bring along, and runs it.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::process::Command;

/// Builds the bench in release mode and runs it; whether it ran to its end.
pub fn run(arguments: &[OsString]) -> Result<bool> {
    // A folder of its own, so that the other build is neither locked nor rebuilt.
    let target = workspace::target().join("peer-bench");
    let manifest = workspace::root().join("rust/peer-bench/Cargo.toml");
    let built = Command::new(workspace::cargo())
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("starting cargo")?;
    ensure!(built.success(), "the bench does not build");
    let bench = target.join("release/framelane-peer-bench");
    let status = Command::new(&bench)
        .args(arguments)
        .status()
        .with_context(|| format!("starting {}", bench.display()))?;
    Ok(status.success())
}
