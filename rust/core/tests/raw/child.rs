//! Parts that other processes play: other users, other environments, other limits.
//!
//! A test file with such parts has one ignored test called `role`, which the copies of the test
//! program run. Lines marked with `@` go back to the test.

use super::SOON;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

const ROLE: &str = "FRAMELANE_TEST_ROLE";

/// The part this process plays, in a copy of the test program.
pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Says a line to the test.
pub fn tell(line: impl std::fmt::Display) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n@{line}").unwrap();
    out.flush().unwrap();
}

/// Waits for the test to say a line; None when it has gone.
pub fn told() -> Option<String> {
    let mut line = String::new();
    match std::io::stdin().read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim().to_owned()),
    }
}

/// Sleeps until the test has gone or says something.
pub fn wait_to_be_told() {
    let _ = told();
}

/// A process that plays a part; killed when dropped.
pub struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
}

/// How to start a part.
pub struct Part {
    command: Command,
}

impl Part {
    /// Plays `role` as the test's own user.
    pub fn new(role: &str) -> Part {
        Self::of(&std::env::current_exe().unwrap(), role)
    }

    /// Plays `role` as another user, who may not be able to read the build folder: from a copy
    /// of the test program in `shared`.
    pub fn of_user(role: &str, uid: u32, gid: u32, shared: &Path) -> Part {
        let program = shared.join("program");
        if !program.exists() {
            std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        }
        let mut part = Self::of(&program, role);
        part.command.uid(uid).gid(gid).current_dir("/");
        part
    }

    fn of(program: &Path, role: &str) -> Part {
        let mut command = Command::new(program);
        command.args(["--ignored", "--exact", "role", "--nocapture"]).env(ROLE, role);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Part { command }
    }

    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Part {
        self.command.env(key, value);
        self
    }

    pub fn without_env(mut self, key: &str) -> Part {
        self.command.env_remove(key);
        self
    }

    pub fn start(mut self) -> Child {
        let mut process = self.command.spawn().expect("starting a copy of the test program");
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(said) = line.strip_prefix('@') {
                    let _ = sender.send(said.to_owned());
                }
            }
        });
        Child { process, lines }
    }
}

impl Child {
    /// The next line it says.
    #[track_caller]
    pub fn says(&self) -> String {
        match self.lines.recv_timeout(SOON) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("the other process says nothing"),
            Err(RecvTimeoutError::Disconnected) => panic!("the other process has ended"),
        }
    }

    pub fn tell(&mut self, line: &str) {
        let input = self.process.stdin.as_mut().unwrap();
        writeln!(input, "{line}").unwrap();
        input.flush().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Tests of other user ids can only be run by root.
#[track_caller]
pub fn need_root() {
    let uid = rustix::process::geteuid();
    assert!(uid.is_root(), "needs root: this test starts processes of other users, run it as root");
}
