//! A process beside us: started, listened to, measured, and never left behind.

use crate::process::{exited, pid};
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, getpgid, kill_process, kill_process_group};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Time to end after being asked to.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);
/// How long, and how often, it is looked whether something holds.
const WHILE: Duration = Duration::from_secs(30);
const OFTEN: Duration = Duration::from_millis(20);

/// Numbers of those that are not waited for yet: they are nobody else's.
static ALIVE: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Ends all at once, with what they started, and waits until they are gone.
pub fn end_all() {
    let alive = alive();
    for pid in alive.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        let leads = getpgid(Some(pid)).is_ok_and(|group| group == pid);
        let kill = if leads { kill_process_group } else { kill_process };
        let _ = kill(pid, Signal::KILL);
    }
    let asked = Instant::now();
    while !alive.iter().all(|pid| is_dead(*pid)) && asked.elapsed() < PATIENCE {
        thread::sleep(POLL);
    }
}

/// A zombie has nothing open any more.
fn is_dead(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('Z'))
}

fn alive() -> MutexGuard<'static, BTreeSet<i32>> {
    ALIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a line of output does to a process's figures.
pub type Take = fn(&mut Value, &str);

/// Keeps the newest object that is printed.
pub fn last_object(figures: &mut Value, line: &str) {
    if let Ok(object) = serde_json::from_str(line) {
        *figures = object;
    }
}

/// Keeps one object that is printed on many lines.
pub fn whole_object(figures: &mut Value, line: &str) {
    let text = figures.as_str().unwrap_or_default().to_owned() + line;
    *figures = serde_json::from_str(&text).unwrap_or(Value::String(text));
}

/// A running process that tells its figures line by line.
pub struct Running {
    name: String,
    child: Child,
    newest: Arc<Mutex<Value>>,
    reader: JoinHandle<()>,
}

/// What remains of an ended one.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its name in the report.
    pub name: String,
    /// What it told of itself.
    pub figures: Value,
    /// User and system time it used.
    pub cpu: Duration,
    /// How it ended, in words.
    pub ending: Ending,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this exit code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
}

impl Running {
    /// Starts a process that prints one JSON object a line.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        Running::start_with(name, command, last_object)
    }

    /// Starts a process.
    pub fn start_with(name: &str, command: &mut Command, take: Take) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        alive().insert(pid(&child).as_raw_nonzero().get());
        let newest = Arc::new(Mutex::new(Value::Null));
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let shared = Arc::clone(&newest);
        let reader = thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(mut newest) = shared.lock() {
                    take(&mut newest, &line);
                }
            }
        });
        Ok(Running { name: name.to_owned(), child, newest, reader })
    }

    /// Its name in the report.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it has told so far.
    pub fn figures(&self) -> Value {
        self.newest.lock().map(|newest| newest.clone()).unwrap_or_default()
    }

    /// Whether it has ended without being asked to.
    pub fn is_gone(&self) -> bool {
        exited(&self.child)
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// User and system time it has used so far.
    pub fn cpu(&self) -> Result<Duration> {
        cpu_time(self.child.id())
    }

    /// Ends it without a word; what becomes of it is seen by who watches it.
    pub fn strike(&self) -> Result<()> {
        Ok(kill_process(pid(&self.child), Signal::KILL)?)
    }

    /// Asks it to end and waits for it.
    pub fn stop(self) -> Result<Ended> {
        self.end(Signal::TERM)
    }

    fn end(mut self, signal: Signal) -> Result<Ended> {
        if !self.is_gone() {
            kill_process(pid(&self.child), signal)?;
        }
        let asked = Instant::now();
        while !self.is_gone() {
            if asked.elapsed() > PATIENCE {
                bail!("{} does not end within {PATIENCE:?} of being asked to", self.name);
            }
            thread::sleep(POLL);
        }
        // A zombie's times are final and still readable.
        let cpu = cpu_time(self.child.id())?;
        alive().remove(&pid(&self.child).as_raw_nonzero().get());
        let status = self.child.wait()?;
        // Its last words; somebody it started may keep the pipe open for ever.
        let ended = Instant::now();
        while !self.reader.is_finished() && ended.elapsed() < PATIENCE {
            thread::sleep(POLL);
        }
        let ending = match status.signal() {
            Some(signal) => Ending::Signal(signal),
            None => Ending::Exit(status.code().unwrap_or(-1)),
        };
        Ok(Ended { name: self.name.clone(), figures: self.figures(), cpu, ending })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        alive().remove(&pid(&self.child).as_raw_nonzero().get());
        let _ = self.child.wait();
    }
}

/// Waits for something to hold.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) -> Result<()> {
    let start = Instant::now();
    while !holds() {
        crate::interrupt::check()?;
        ensure!(start.elapsed() < WHILE, "not within {WHILE:?}: {what}");
        thread::sleep(OFTEN);
    }
    Ok(())
}

/// User and system time of a process, zombies included.
fn cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("its CPU time")?;
    let ticks = ticks(&stat).context("/proc/<pid>/stat has another form")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}

/// utime + stime. The command name before them can hold anything, even brackets and blanks.
fn ticks(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let field = |number: usize| fields.split(' ').nth(number)?.parse::<u64>().ok();
    Some(field(11)? + field(12)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Running {
        Running::start("sample", Command::new("sh").args(["-c", script])).unwrap()
    }

    fn wait_for_output(running: &Running) {
        let start = Instant::now();
        while running.figures().is_null() {
            assert!(start.elapsed() < Duration::from_secs(60), "it printed nothing");
            thread::sleep(POLL);
        }
    }

    #[test]
    fn the_last_object_and_the_ending_are_kept() {
        let running = shell(
            "trap 'echo \"{\\\"n\\\":2}\"; exit 3' TERM; echo '{\"n\":1}'; while :; do :; done",
        );
        wait_for_output(&running);
        let ended = running.stop().unwrap();
        assert_eq!((ended.figures["n"].as_u64(), ended.ending), (Some(2), Ending::Exit(3)));
    }

    #[test]
    fn a_kill_is_told_from_an_exit() {
        let running = shell("echo '{}'; exec sleep 600");
        wait_for_output(&running);
        running.strike().unwrap();
        while !running.is_gone() {
            thread::sleep(POLL);
        }
        assert_eq!(running.stop().unwrap().ending, Ending::Signal(9));
    }

    #[test]
    fn nothing_outlives_a_dropped_handle() {
        let running = shell("echo '{}'; exec sleep 600");
        wait_for_output(&running);
        let id = running.child.id();
        drop(running);
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        assert!(!stat.contains("(sleep)"), "{stat}");
    }

    #[test]
    fn times_are_read_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 25 17 0 0 20 0";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a"), None);
    }
}
