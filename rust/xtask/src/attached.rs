//! A program that does not outlive us, however we end, and that a Ctrl-C of the terminal does not
//! reach: whoever started it ends it, in its turn.

use anyhow::{Context, Result, ensure};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// What to run, and for whom.
#[derive(clap::Args)]
pub struct Options {
    /// Number of the process that it ends with
    parent: i32,
    /// The program and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    words: Vec<OsString>,
}

/// Its command: we start ourselves, and become that program.
pub fn command(program: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("who we are")?);
    command.arg("attached").arg(std::process::id().to_string()).arg(program).process_group(0);
    Ok(command)
}

/// Becomes the program; returns only where that fails.
pub fn run(options: &Options) -> Result<bool> {
    set_parent_process_death_signal(Some(Signal::TERM))?;
    // Had it ended before, nobody would tell us.
    let parent = getppid().map(|pid| pid.as_raw_nonzero().get());
    ensure!(parent == Some(options.parent), "process {} is not there any more", options.parent);
    let (program, words) = options.words.split_first().context("no program")?;
    let error = Command::new(program).args(words).exec();
    Err(error).with_context(|| format!("cannot start {}", Path::new(program).display()))
}
