//! The second process of a test: the test binary itself, run again with a role.
//!
//! Parent and child talk in lines, over the child's standard input and output. A child ends when
//! its test does, whichever way: it is killed on drop, and at the end of its input.

use super::{DEADLINE, Place};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid};
use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

pub const ROLE: &str = "FRAMELANE_TEST_ROLE";
const FAIL: &str = "FRAMELANE_FAIL";
/// Starts each line that is meant for the parent: the test runner writes lines of its own.
const MARK: char = '@';

pub type Roles = &'static [(&'static str, fn(&[&str]))];

/// Body of the test `child_entry`, which every file with children has: plays a role in a child,
/// and is a test of this module otherwise.
pub fn entry(roles: Roles) {
    let Ok(line) = std::env::var(ROLE) else { return test_children() };
    // Also when the test is killed, and can drop nothing.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    match roles.iter().find(|(name, _)| *name == words[0]) {
        Some((_, role)) => role(&words[1..]),
        None if words[0] == "echo" => echo(),
        None => panic!("no role {line:?}"),
    }
}

/// Tells the parent one line.
pub fn say(line: impl std::fmt::Display) {
    // The runner may have left a line unfinished.
    let text = format!("\n{MARK}{line}\n");
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
}

/// The parent's next line. Its death ends this process.
pub fn hear() -> String {
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line).expect("standard input") == 0 {
        std::process::exit(3);
    }
    line.trim_end().to_owned()
}

/// Waits for a certain line of the parent.
pub fn await_word(word: &str) {
    assert_eq!(hear(), word, "what the parent says");
}

fn echo() {
    while let line = hear()
        && line != "end"
    {
        if line == "fail" {
            std::process::exit(7);
        }
        say(&line);
    }
}

/// That children answer, that their failures show, and that a drop ends them.
fn test_children() {
    let place = Place::new();
    let mut good = Child::start(&place, "echo");
    good.say("one line");
    assert_eq!(good.line(), "one line");
    let pid = good.pid;
    let mut bad = Child::start(&place, "echo");
    bad.say("fail");
    assert_eq!(bad.try_line(), None, "the pipe ends with the child");
    assert_eq!(bad.end().exit_status(), Some(7), "a failure shows");
    good.say("end");
    good.expect_success();
    let idle = Child::start(&place, "echo");
    assert!(rustix::process::test_kill_process(idle.pid).is_ok());
    let idle_pid = idle.pid;
    drop(idle);
    for pid in [pid, idle_pid] {
        assert!(rustix::process::test_kill_process(pid).is_err(), "nothing is left of it");
    }
}

/// Spawns a program that may just have been copied: until another thread's child has come to its
/// exec, that child still has the copy open for writing, and the program is busy.
fn spawn_when_closed(command: &mut Command) -> std::process::Child {
    let start = Instant::now();
    loop {
        match command.spawn() {
            Err(error)
                if error.kind() == std::io::ErrorKind::ExecutableFileBusy
                    && start.elapsed() < DEADLINE =>
            {
                std::thread::sleep(Duration::from_millis(1));
            }
            spawned => return spawned.expect("the program starts"),
        }
    }
}

/// A process that plays a role of the running test file.
pub struct Child {
    pub pid: Pid,
    name: String,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    status: Option<WaitStatus>,
}

impl Child {
    /// Starts a role, with its arguments after blanks.
    pub fn start(place: &Place, role: &str) -> Child {
        Self::spawn(role, command(place, role))
    }

    /// As [`start`](Self::start), with a plan for a labelled step: `<step>:<kill|stop>:<n>`.
    pub fn failing(place: &Place, role: &str, plan: &str) -> Child {
        let mut command = command(place, role);
        command.env(FAIL, plan);
        Self::spawn(&format!("{role} with {plan}"), command)
    }

    /// Starts a prepared command as a child.
    #[allow(clippy::zombie_processes, reason = "it is killed and waited for on drop")]
    pub fn spawn(name: &str, mut command: Command) -> Child {
        let mut spawned = spawn_when_closed(&mut command);
        let pid = Pid::from_raw(spawned.id() as i32).unwrap();
        let output = spawned.stdout.take().expect("piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                let Ok(line) = line else { return };
                let Some(said) = line.strip_prefix(MARK) else { continue };
                if sender.send(said.to_owned()).is_err() {
                    return;
                }
            }
        });
        let input = spawned.stdin.take();
        Child { pid, name: name.to_owned(), input, lines, status: None }
    }

    /// The child's next line; None when it has ended.
    pub fn try_line(&mut self) -> Option<String> {
        self.line_within(DEADLINE)
    }

    fn line_within(&mut self, time: Duration) -> Option<String> {
        match self.lines.recv_timeout(time) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("{} says nothing", self.name),
        }
    }

    /// The child's next line.
    pub fn line(&mut self) -> String {
        self.try_line().unwrap_or_else(|| {
            let status = self.end();
            panic!("{} ended: {status:?}", self.name)
        })
    }

    /// Waits for a certain line.
    pub fn expect(&mut self, word: &str) {
        let line = self.line();
        assert_eq!(line, word, "what {} says", self.name);
    }

    /// As [`expect`](Self::expect), of a child that has much to do before it says so.
    pub fn expect_after_long(&mut self, word: &str) {
        let line = self.line_within(4 * DEADLINE);
        assert_eq!(line.as_deref(), Some(word), "what {} says", self.name);
    }

    /// Tells the child one line; it may be dead already.
    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        let _ = input.write_all(format!("{line}\n").as_bytes());
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).unwrap();
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.expect_killed();
    }

    pub fn expect_killed(&mut self) {
        let status = self.end();
        assert_eq!(
            status.terminating_signal(),
            Some(Signal::KILL.as_raw()),
            "{}: {status:?}",
            self.name
        );
    }

    pub fn expect_success(&mut self) {
        let status = self.end();
        assert_eq!(status.exit_status(), Some(0), "{}: {status:?}", self.name);
    }

    /// Waits until it is stopped.
    pub fn expect_stopped(&mut self) {
        let status = self.wait(WaitOptions::UNTRACED);
        assert!(status.stopped(), "{}: {status:?}", self.name);
    }

    /// Whether it is stopped now.
    pub fn has_stopped(&mut self) -> bool {
        let found = waitpid(Some(self.pid), WaitOptions::UNTRACED | WaitOptions::NOHANG).unwrap();
        let Some((_, status)) = found else { return false };
        assert!(status.stopped(), "{} has ended instead of stopping: {status:?}", self.name);
        true
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        if self.status.is_none() {
            let found = waitpid(Some(self.pid), WaitOptions::NOHANG).unwrap();
            self.status = found.map(|(_, status)| status);
        }
        self.status.is_some()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> WaitStatus {
        let status = self.status.unwrap_or_else(|| self.wait(WaitOptions::empty()));
        self.status = Some(status);
        status
    }

    /// Somebody else has waited for its end.
    pub fn has_been_reaped(self) {
        std::mem::forget(self);
    }

    fn wait(&mut self, options: WaitOptions) -> WaitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let found = waitpid(Some(self.pid), options | WaitOptions::NOHANG).unwrap();
            if let Some((_, status)) = found {
                if !status.stopped() {
                    self.status = Some(status);
                }
                return status;
            }
            assert!(Instant::now() < deadline, "{} neither ends nor stops", self.name);
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
        }
    }
}

/// The command that runs this test binary in a role.
pub fn command(place: &Place, role: &str) -> Command {
    let own = std::env::current_exe().unwrap();
    // For another processor the kernel cannot start it: what emulates that one has to.
    let mut command = match std::env::var_os("FRAMELANE_TEST_RUNNER") {
        Some(runner) => {
            let mut command = Command::new(runner);
            command.arg(own);
            command
        }
        None => Command::new(own),
    };
    command
        .args(["--exact", "child_entry", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env("FRAMELANE_DIR", place.path())
        .env_remove(FAIL)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    command
}
