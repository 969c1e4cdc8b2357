//! Measures framelane beside its peers: builds rust/peer-bench, which stands outside of the
//! workspace because of what its rivals bring along, and runs it.

use crate::workspace;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::process::Command;

/// What is passed on. `--help` among it tells what there is.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// Arguments of the bench: --quick, --only ROW, --json, --save FILE
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Builds the bench in release mode and runs it; whether it ran to its end. A missed goal is a
/// finding, not a failure.
pub fn run(options: &Options) -> Result<bool> {
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
        .args(&options.arguments)
        .status()
        .with_context(|| format!("starting {}", bench.display()))?;
    Ok(status.success())
}
