//! What the two-process tests share: places, children, frames that prove themselves.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of this")]

pub mod child;
pub mod device;
pub mod forks;
pub mod messages;
pub mod os;
pub mod readers;
pub mod steps;
pub mod streams;
pub mod strip;
pub mod switches;
pub mod threads;
pub mod trace;

pub use child::Child;
pub use strip::{Order, assert_intact, fill};
pub use threads::task;

use framelane::{
    Consumer, ConsumerOptions, Error, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long anything may take that happens at once on an idle machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// After which a test that hangs is ended, with its name.
const WATCHDOG: Duration = Duration::from_secs(100);

/// Name of the lane of every test; each has a directory of its own.
pub const LANE: &str = "lane";

/// A fresh runtime directory, and a watchdog over the test that uses it.
pub struct Place {
    dir: tempfile::TempDir,
    _alive: Sender<()>,
}

impl Place {
    pub fn new() -> Self {
        let (alive, ended) = channel::<()>();
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        std::thread::spawn(move || {
            if ended.recv_timeout(WATCHDOG) == Err(RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs for {} s", WATCHDOG.as_secs());
                std::process::abort();
            }
        });
        Place { dir: tempfile::tempdir().unwrap(), _alive: alive }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Names of what is in it.
    pub fn entries(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub fn producer(&self, options: ProducerOptions) -> Producer {
        self.try_producer(options).unwrap()
    }

    pub fn try_producer(&self, options: ProducerOptions) -> Result<Producer, Error> {
        Producer::create(LANE, options.layout(layout()).directory(self.directory()))
    }

    pub fn consumer(&self, options: ConsumerOptions) -> Consumer {
        self.try_consumer(options.wait_for_lane(DEADLINE)).unwrap()
    }

    pub fn try_consumer(&self, options: ConsumerOptions) -> Result<Consumer, Error> {
        Consumer::open(LANE, options.directory(self.directory()))
    }

    pub fn directory(&self) -> Option<PathBuf> {
        Some(self.path().to_owned())
    }
}

/// The frames of the tests: one page and a little more, so that a torn one shows.
pub fn layout() -> FrameLayout {
    FrameLayout::new(PixelFormat::Grey, 160, 32).unwrap()
}

/// A consumer in a child, which finds its directory in the environment.
pub fn open(mode: Mode, leases: u32) -> Consumer {
    Consumer::open(LANE, ConsumerOptions::new(mode).leases(leases).wait_for_lane(DEADLINE)).unwrap()
}

/// A producer in a child.
pub fn create(options: ProducerOptions) -> Producer {
    Producer::create(LANE, options.layout(layout())).unwrap()
}

/// Claims, fills with what belongs there, and publishes; the sequence.
pub fn publish(producer: &Producer, sequence: u64) -> u64 {
    let mut frame = producer.claim_within(DEADLINE).unwrap();
    fill(&mut frame, producer.epoch(), sequence);
    let published = frame.publish().unwrap();
    assert_eq!(published, sequence, "sequences count up by one");
    published
}

/// Asks again until something is so, or the deadline has passed.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "not within {} s: {what}", DEADLINE.as_secs());
        std::thread::sleep(Duration::from_millis(1));
    }
}
