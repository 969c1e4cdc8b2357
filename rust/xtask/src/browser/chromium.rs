//! Chromium, as the system packages it: the builds that others offer cannot always be fetched, and
//! not all of them decode H.264.

use crate::process::Program;
use crate::tools;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::time::Duration;

const NAMES: &[&str] = &["chromium", "chromium-browser", "google-chrome"];
const INSTALL: &str = "apt-get install --no-install-recommends chromium";
const LIMIT: Duration = Duration::from_secs(600);

/// The machine's browser; installed where there is none and apt-get and the rights for it are.
pub fn path() -> Result<PathBuf> {
    if let Some(path) = found() {
        return Ok(path);
    }
    install().with_context(|| format!("the tests need Chromium: `sudo {INSTALL}`"))?;
    found().with_context(|| format!("Chromium was installed, but none of {NAMES:?} is on PATH"))
}

fn found() -> Option<PathBuf> {
    NAMES.iter().find_map(tools::on_path)
}

fn install() -> Result<()> {
    println!("installing Chromium");
    tools::require("apt-get", "a Debian or a relative of it")?;
    apt(&["-qq", "update"])?;
    apt(&["-qq", "-y", "install", "--no-install-recommends", "chromium"])
}

fn apt(arguments: &[&str]) -> Result<()> {
    let program = if rustix::process::geteuid().is_root() {
        Program::new("apt-get")
    } else if tools::on_path("sudo").is_some() {
        // Asks nobody for a password: a test must not wait for one.
        Program::new("sudo").args(["-n", "apt-get"])
    } else {
        bail!("only root can install it");
    };
    let program = program.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    program.limit(LIMIT).quiet().check()?;
    Ok(())
}
