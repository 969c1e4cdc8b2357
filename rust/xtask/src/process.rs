//! Runs other programs: shows what they print, keeps it, and ends them at a deadline or Ctrl-C.

use crate::counts::Counts;
use crate::{interrupt, workspace};
use anyhow::{Context, Result, anyhow, bail};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(100);
/// How long a process may keep its output open after its parent has ended.
const STRAGGLERS: Duration = Duration::from_secs(5);

/// A program to run, with a limit to its time.
pub struct Program {
    command: Command,
    limit: Duration,
    quiet: bool,
}

/// What came of it.
pub struct Output {
    /// Both output streams, in the order they came, without colours.
    pub text: String,
    /// None if the time limit ended it.
    pub status: Option<ExitStatus>,
}

impl Output {
    /// Whether the program ended by itself and well.
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

impl Program {
    /// A program in the top folder, with ten minutes of time.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.current_dir(workspace::root()).stdin(Stdio::null());
        Program { command, limit: Duration::from_secs(600), quiet: false }
    }

    /// The cargo that runs us.
    pub fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Self {
        Program::new(workspace::cargo()).args(args)
    }

    /// Cargo, building packages of ours.
    pub fn build(packages: &[&str], optimised: bool) -> Self {
        Program::cargo(["build", "--locked"])
            .args(optimised.then_some("--release"))
            .args(packages.iter().flat_map(|package| ["--package", package]))
    }

    /// Adds arguments.
    pub fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Sets the time limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Shows nothing while it runs.
    pub fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }

    /// Runs to the end. An error means that it could not start, or that we were interrupted.
    pub fn run(mut self) -> Result<Output> {
        interrupt::check()?;
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).context("a pipe")?;
        let again = write.try_clone().context("a pipe")?;
        // A group of its own, so that nothing it starts can outlive the deadline.
        self.command.process_group(0).stdout(write).stderr(again);
        let child = self.command.spawn().map_err(|error| self.cannot_start(&error))?;
        // The command still holds the write ends; only the children may.
        let Program { command, limit, quiet } = self;
        drop(command);
        let lines = read_lines(File::from(read));
        let mut group = Group { child, reaped: false };
        let mut text = String::new();
        let ended = follow(&group, &lines, limit, |line| {
            if !quiet {
                println!("{line}");
            }
            text.push_str(&without_colours(&line));
            text.push('\n');
        })?;
        let status = if ended { Some(group.end()?) } else { None };
        Ok(Output { text, status })
    }

    /// Runs to the end, which must be a good one; the error holds the last lines.
    pub fn check(self) -> Result<String> {
        let (shown, limit, quiet) = (self.shown(), self.limit, self.quiet);
        let output = self.run()?;
        if output.success() {
            return Ok(output.text);
        }
        let tail = if quiet { last_lines(&output.text, 40) } else { String::new() };
        match output.status {
            Some(status) => bail!("{tail}`{shown}` failed: {status}"),
            None => bail!("{tail}`{shown}` did not end within {limit:?}"),
        }
    }

    /// Runs to the end and adds up the tests its output tells of. A program that fails without a
    /// failed test counts as one; a program without any test is an error.
    pub fn counted(self) -> Result<Counts> {
        let (shown, limit) = (self.shown(), self.limit);
        let output = self.run()?;
        let mut counts = Counts::read(&output.text);
        if output.status.is_none() {
            println!("`{shown}` did not end within {limit:?}");
        }
        if !output.success() && counts.failed == 0 {
            counts.failed += 1;
        }
        if counts == Counts::default() {
            bail!("`{shown}` ran no test");
        }
        Ok(counts)
    }

    fn shown(&self) -> String {
        let program = Path::new(self.command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str());
        std::iter::once(name)
            .chain(self.command.get_args())
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn cannot_start(&self, error: &std::io::Error) -> anyhow::Error {
        anyhow!("cannot start {}: {error}", self.command.get_program().to_string_lossy())
    }
}

/// A child and all it starts; ended on drop.
struct Group {
    child: Child,
    reaped: bool,
}

impl Group {
    fn exited(&self) -> bool {
        exited(&self.child)
    }

    /// Ends the child and whatever it has left behind. Until it is reaped the number of the group
    /// is its own.
    fn end(&mut self) -> std::io::Result<ExitStatus> {
        let _ = kill_process_group(pid(&self.child), Signal::KILL);
        self.reaped = true;
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.end();
        }
    }
}

/// Process id in the form that system calls take.
pub fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

/// Whether the child has ended. It stays a zombie, so its number and its usage stay readable.
pub fn exited(child: &Child) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(pid(child)), options), Ok(None))
}

/// Hands on lines until the end of the output. False if the limit came first.
fn follow(
    group: &Group,
    lines: &Receiver<String>,
    limit: Duration,
    mut show: impl FnMut(String),
) -> Result<bool> {
    let start = Instant::now();
    let mut exit_seen: Option<Instant> = None;
    let mut open = true;
    loop {
        interrupt::check()?;
        if open {
            match lines.recv_timeout(POLL) {
                Ok(line) => show(line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => open = false,
            }
        } else {
            std::thread::sleep(POLL / 10);
        }
        if exit_seen.is_none() && group.exited() {
            exit_seen = Some(Instant::now());
        }
        match exit_seen {
            Some(_) if !open => return Ok(true),
            Some(seen) if seen.elapsed() > STRAGGLERS => return Ok(true),
            _ if start.elapsed() > limit => return Ok(false),
            _ => {}
        }
    }
}

fn read_lines(from: File) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            if send.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receive
}

fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        let sequence = &rest[at + 2..];
        let end = sequence.find(|c: char| c.is_ascii_alphabetic());
        rest = end.map_or("", |end| &sequence[end + 1..]);
    }
    plain.push_str(rest);
    plain
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    lines[from..].iter().flat_map(|line| [*line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Program {
        Program::new("sh").args(["-c", script]).quiet()
    }

    #[test]
    fn both_streams_are_kept() {
        let output = shell("echo one; echo two >&2; exit 3").run().unwrap();
        assert_eq!(output.text, "one\ntwo\n");
        assert_eq!(output.status.unwrap().code(), Some(3));
    }

    #[test]
    fn a_deadline_ends_the_whole_group() {
        let output = shell("sleep 600 & echo $!; wait").limit(Duration::from_millis(300)).run();
        let output = output.unwrap();
        assert!(output.status.is_none());
        must_be_gone(&output.text);
    }

    #[test]
    fn what_a_program_leaves_behind_is_ended() {
        let output = shell("sleep 600 >/dev/null 2>&1 & echo $!").run().unwrap();
        assert!(output.success());
        must_be_gone(&output.text);
    }

    /// It was killed, but the kernel takes its time to bury it.
    fn must_be_gone(number: &str) {
        let start = Instant::now();
        let grandchild = format!("/proc/{}/stat", number.trim());
        let running = || {
            let stat = std::fs::read_to_string(&grandchild).unwrap_or_default();
            !(stat.is_empty() || stat.contains(") Z "))
        };
        while running() {
            assert!(start.elapsed() < Duration::from_secs(300), "the sleep still runs");
            std::thread::sleep(POLL);
        }
    }

    #[test]
    fn a_failure_without_failed_tests_counts_as_one() {
        let counts = shell("echo '2 passed, 0 failed'; exit 1").counted().unwrap();
        assert_eq!(counts, Counts { passed: 2, failed: 1, skipped: 0 });
        assert!(shell("true").counted().is_err(), "no test must not look like success");
    }

    #[test]
    fn errors_show_the_last_lines() {
        let error = shell("echo the reason; exit 1").check().unwrap_err().to_string();
        assert!(error.contains("the reason") && error.contains("exit status: 1"), "{error}");
    }

    #[test]
    fn colours_are_removed() {
        assert_eq!(without_colours("a\u{1b}[1m\u{1b}[32mb\u{1b}[0mc"), "abc");
    }
}
