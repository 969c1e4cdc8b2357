//! A board for the tests of one file: the stand-ins in a folder, and processes beside this one.
#![allow(dead_code, reason = "each test file uses its own part of this")]

use framelane_standin_ion::Place;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// How long anything may take.
pub const DEADLINE: Duration = Duration::from_secs(20);

const ROLE: &str = "HOBOT_TEST_ROLE";
const MARK: &str = "\u{1}";

/// The board; one test has it at a time, since a process has one library and thus one board.
pub struct Board {
    pub place: &'static Place,
    _turn: MutexGuard<'static, ()>,
}

/// Takes the board, on which nothing is left from the test before.
pub fn board() -> Board {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    Board { place: place(), _turn: turn }
}

fn place() -> &'static Place {
    static PLACE: OnceLock<Place> = OnceLock::new();
    PLACE.get_or_init(|| {
        let name = format!("board-{}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        sweep();
        Place::new(&folder).unwrap()
    })
}

/// Removes the boards of processes that are no more.
fn sweep() {
    let entries = std::fs::read_dir(env!("CARGO_TARGET_TMPDIR")).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().into_string().unwrap_or_default();
        let Some(pid) = name.strip_prefix("board-") else { continue };
        let own = pid == std::process::id().to_string();
        if own || !PathBuf::from(format!("/proc/{pid}")).exists() {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Where the libraries of this process are: the board's folder, or the one a role was given.
pub fn folder() -> PathBuf {
    let given = std::env::var_os("FRAMELANE_HOBOT_DIR").map(PathBuf::from);
    given.unwrap_or_else(|| place().folder().to_owned())
}

impl Board {
    /// Share ids that are in use.
    pub fn ids(&self) -> Vec<i32> {
        self.place.ion().look(|state| state.buffers.keys().copied().collect()).unwrap()
    }

    /// References to a buffer, and uses of it, in all processes.
    pub fn counts(&self, id: i32) -> (u32, u32) {
        let count = |state: &framelane_standin_ion::State| {
            state.buffers.get(&id).map_or((0, 0), |record| (record.clients(), record.consumes()))
        };
        self.place.ion().look(count).unwrap()
    }

    /// Starts a role in a process of its own.
    pub fn start(&self, role: &str) -> Role {
        self.start_with(role, &[])
    }

    /// The same with more in its environment.
    pub fn start_with(&self, role: &str, environment: &[(&str, String)]) -> Role {
        Role::spawn(role, self.command(role, environment))
    }

    /// What would start it, with its input and output for us.
    pub fn command(&self, role: &str, environment: &[(&str, String)]) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "child_entry", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env("FRAMELANE_HOBOT_DIR", self.place.folder())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.ids().is_empty(), "left behind: {:?}", self.ids());
        }
    }
}

/// A process that plays a role.
pub struct Role {
    name: String,
    child: Child,
    lines: Receiver<String>,
}

impl Role {
    fn spawn(name: &str, mut command: Command) -> Role {
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let Some(said) = line.strip_prefix(MARK) else { continue };
                if sender.send(said.to_owned()).is_err() {
                    return;
                }
            }
        });
        Role { name: name.to_owned(), child, lines }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its next line.
    pub fn line(&self) -> String {
        let line = self.lines.recv_timeout(DEADLINE);
        line.unwrap_or_else(|_| panic!("{} says nothing", self.name))
    }

    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Kills it and waits until it is gone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// It ends by itself, and well.
    pub fn ends_well(mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + DEADLINE;
        loop {
            match self.child.try_wait().unwrap() {
                Some(status) => {
                    assert!(status.success(), "{}: {status}", self.name);
                    return;
                }
                None => assert!(Instant::now() < deadline, "{} does not end", self.name),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Plays the role this process was started for, if any.
pub fn entry(roles: &[(&str, fn())]) {
    let Ok(role) = std::env::var(ROLE) else { return };
    let found = roles.iter().find(|(name, _)| *name == role);
    found.expect("a role of this file").1();
}

/// In a role: says a line.
pub fn say(line: impl std::fmt::Display) {
    println!("\n{MARK}{line}");
}

/// In a role: the next line of the test, None when it has ended.
pub fn hear() -> Option<String> {
    let mut line = String::new();
    let count = std::io::stdin().read_line(&mut line).unwrap();
    (count > 0).then(|| line.trim().to_owned())
}

/// A plain struct as text.
pub fn to_text<T: IntoBytes + Immutable>(value: &T) -> String {
    value.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// And back.
pub fn from_text<T: FromBytes>(text: &str) -> T {
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    let bytes: Vec<u8> = (0..text.len()).step_by(2).map(digit).collect();
    T::read_from_bytes(&bytes).unwrap()
}
