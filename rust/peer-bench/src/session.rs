//! The session that a run is measured in.
//!
//! Linux shares processors out between sessions before it looks at priorities, so a run that
//! shall not suffer from a busy machine needs a session of its own, and that one the priority.
//! A supervisor stays in the old session, so that Ctrl-C ends everything.

use anyhow::{Context, Result};
use rustix::process::{Signal, set_parent_process_death_signal, setpriority_process, setsid};
use std::path::Path;
use std::process::{Command, ExitCode};

/// First argument of the process that measures.
pub const WORD: &str = "session";

const NICE: i32 = -15;
const PLACE: &str = "peer-bench-";
const CONTEST: &str = "contest";

/// Starts the process that measures, with our own arguments, and waits for it.
pub fn supervise() -> ExitCode {
    let started = std::env::current_exe().and_then(|program| {
        Command::new(program).arg(WORD).args(std::env::args_os().skip(1)).status()
    });
    match started {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: starting the bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes this process the head of a session with priority, where that is allowed.
pub fn enter() -> Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setsid().context("setsid")?;
    let _ = setpriority_process(None, NICE);
    let _ = std::fs::write("/proc/self/autogroup", NICE.to_string());
    sweep(Path::new("/tmp"), PLACE, |left| drop(std::fs::remove_dir_all(left)));
    sweep(Path::new("/dev/shm"), CONTEST, |left| drop(std::fs::remove_file(left)));
    Ok(())
}

/// Start of the name of a contest's directory; the process is part of it.
pub fn place_prefix() -> String {
    format!("{PLACE}{}-", std::process::id())
}

/// Name of a contest; the process is part of it.
pub fn contest_name(number: u32) -> String {
    format!("{CONTEST}{}-{number}", std::process::id())
}

/// Removes what runs that were killed have left.
fn sweep(folder: &Path, prefix: &str, remove: impl Fn(&Path)) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(prefix).and_then(|rest| rest.split('-').next());
        let Some(process) = process.and_then(|digits| digits.parse::<u32>().ok()) else { continue };
        if !Path::new(&format!("/proc/{process}")).exists() {
            remove(&entry.path());
        }
    }
}
