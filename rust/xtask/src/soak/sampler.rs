//! Looks at every process that uses a runtime directory, and at its lanes, again and again.

use crate::asking::asked;
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// What was seen of one thing, look after look; none where it was not there.
pub type Series = Vec<Option<u64>>;

/// What was seen, by whose it is ("detect.py 4711", "lane pet_camera_day") and what it is.
#[derive(Default)]
pub struct Seen {
    /// Looks in all.
    pub looks: usize,
    /// Looks at which the lanes could not be asked, and why the last of them could not.
    pub refused: usize,
    pub refusal: Option<String>,
    /// Memory of processes that nobody shares, in KiB.
    pub memory: BTreeMap<String, Series>,
    /// Open descriptors of processes.
    pub descriptors: BTreeMap<String, Series>,
    /// Leases that a lane has granted.
    pub leases: BTreeMap<String, Series>,
    /// Consumers of a lane.
    pub consumers: BTreeMap<String, Series>,
}

/// Looks on until it is stopped.
pub struct Sampler {
    stop: Sender<()>,
    looking: JoinHandle<Seen>,
}

impl Sampler {
    /// Looks each `period` at who has `FRAMELANE_DIR` set to this directory.
    pub fn start(directory: &Path, period: Duration) -> Self {
        let (stop, stopped) = channel();
        let directory = directory.to_owned();
        let looking = std::thread::spawn(move || {
            let mut seen = Seen::default();
            while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
                seen.look(&directory);
            }
            seen
        });
        Sampler { stop, looking }
    }

    /// What was seen.
    pub fn stop(self) -> Result<Seen> {
        drop(self.stop);
        self.looking.join().ok().context("the sampler has panicked")
    }
}

impl Seen {
    fn look(&mut self, directory: &Path) {
        for process in processes_of(directory) {
            // It may end while it is looked at.
            let Some(name) = name_of(&process) else { continue };
            let memory = anonymous_kib(&process);
            let descriptors = fs::read_dir(process.join("fd")).ok().map(|all| all.count() as u64);
            note(&mut self.memory, &name, self.looks, memory);
            note(&mut self.descriptors, &name, self.looks, descriptors);
        }
        match asked(directory, &["top", "--once", "--json"]) {
            Ok(told) => self.enter(&told),
            Err(error) => {
                self.refused += 1;
                self.refusal = Some(format!("{error:#}"));
            }
        }
        self.looks += 1;
    }

    fn enter(&mut self, told: &Value) {
        for lane in told["lanes"].as_array().into_iter().flatten() {
            let name = format!("lane {}", lane["name"].as_str().unwrap_or_default());
            let consumers = lane["consumers"].as_array().map(|all| all.len() as u64);
            note(&mut self.leases, &name, self.looks, lane["leases_granted"].as_u64());
            note(&mut self.consumers, &name, self.looks, consumers);
        }
    }
}

/// Puts a value where its look is.
fn note(all: &mut BTreeMap<String, Series>, name: &str, look: usize, value: Option<u64>) {
    let series = all.entry(name.to_owned()).or_default();
    series.resize(look, None);
    series.push(value);
}

/// Folders in /proc of the processes that have this directory in their environment.
fn processes_of(directory: &Path) -> Vec<PathBuf> {
    let wanted = [b"FRAMELANE_DIR=", directory.as_os_str().as_bytes()].concat();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
    let uses = |process: &PathBuf| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|variable| variable == wanted)
    };
    entries.filter(uses).collect()
}

/// The program and its process; none of one that has ended, or is about to run another program.
fn name_of(process: &Path) -> Option<String> {
    let line = fs::read(process.join("cmdline")).ok()?;
    let words = || line.split(|&byte| byte == 0).filter(|word| !word.is_empty());
    let base = |word: &[u8]| {
        let path = PathBuf::from(OsString::from_vec(word.to_vec()));
        path.file_name().map(|name| name.to_string_lossy().into_owned())
    };
    let is_script = |word: &&[u8]| word.ends_with(b".py");
    let program = words().find(is_script).or_else(|| words().next())?;
    let mut name = base(program)?;
    if name == "framelane" {
        name = format!("{name} {}", String::from_utf8_lossy(words().nth(1)?));
    }
    Some(format!("{name} {}", process.file_name()?.to_string_lossy()))
}

fn anonymous_kib(process: &Path) -> Option<u64> {
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Instant;

    #[test]
    fn who_has_the_directory_in_its_environment_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "echo; read wait", "reader"])
            .env("FRAMELANE_DIR", directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        let named =
            |process: &PathBuf| name_of(process).is_some_and(|name| name.starts_with("sh "));
        while processes_of(directory.path()).iter().filter(|process| named(process)).count() != 1 {
            assert!(start.elapsed() < Duration::from_secs(60), "it is not found");
            std::thread::sleep(Duration::from_millis(10));
        }
        let process = processes_of(directory.path()).remove(0);
        assert!(anonymous_kib(&process) > Some(0));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(processes_of(directory.path()).is_empty());
    }

    #[test]
    fn values_stand_at_their_looks() {
        let mut all = BTreeMap::new();
        note(&mut all, "late", 2, Some(5));
        note(&mut all, "late", 4, None);
        assert_eq!(all["late"], [None, None, Some(5), None, None]);
    }
}
