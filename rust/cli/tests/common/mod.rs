//! A private runtime directory, producers in it, and the command run beside them.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod coded;
pub mod picture;
pub mod play;
pub mod streams;
pub mod video;

use framelane::{FrameLayout, PixelFormat, Producer, ProducerOptions};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Nothing here takes this long unless it hangs.
pub const DEADLINE: Duration = Duration::from_secs(60);

pub struct Scene(tempfile::TempDir);

/// What a run of the command left.
pub struct Ran {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Scene {
    pub fn new() -> Self {
        Scene(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn producer(&self, lane: &str, options: ProducerOptions) -> Producer {
        Producer::create(lane, options.directory(self.directory())).unwrap()
    }

    pub fn grey(&self, lane: &str) -> Producer {
        self.producer(lane, ProducerOptions::new().layout(layout(PixelFormat::Grey, 64, 48)))
    }

    pub fn directory(&self) -> Option<PathBuf> {
        Some(self.path().to_owned())
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_framelane"));
        command.env("FRAMELANE_DIR", self.path()).env("NO_COLOR", "1").args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        finish(self.command(args).spawn().unwrap())
    }

    /// Output of a run that must succeed.
    pub fn text(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        ran.text()
    }

    /// Output of a run with --json, whatever its exit code.
    pub fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat());
        serde_json::from_slice(&ran.out).unwrap_or_else(|error| {
            panic!("{args:?}: {error}: {} {}", ran.text(), ran.err);
        })
    }
}

impl Ran {
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).unwrap()
    }
}

/// Waits for a process, and kills it if it does not end.
pub fn finish(mut child: Child) -> Ran {
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let out = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stdout.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).unwrap();
        text
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if start.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("the command does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    assert!(!err.contains("panicked"), "{err}");
    Ran { code: status.code().unwrap_or(-1), out, err }
}

pub fn layout(format: PixelFormat, width: u32, height: u32) -> FrameLayout {
    FrameLayout::new(format, width, height).unwrap()
}

pub fn publish(producer: &Producer) -> u64 {
    producer.claim().unwrap().publish().unwrap()
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A socket that a killed producer left behind.
pub fn stale_socket(directory: &Path, lane: &str) {
    let listener =
        std::os::unix::net::UnixListener::bind(directory.join(format!("{lane}.sock"))).unwrap();
    drop(listener);
}
