//! Speaks the lane's socket by hand and writes the shared pages by hand, so that a test can say
//! anything to either side.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of this")]

pub mod child;
pub mod consumer;
pub mod impostor;
pub mod traffic;
pub mod wire;

pub use consumer::Attached;
pub use impostor::{Goods, Impostor};
pub use traffic::Traffic;
pub use wire::{Heard, Line};

use framelane::{
    Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Every wait ends after this; a working lane needs a small part of it.
pub const SOON: Duration = Duration::from_secs(20);

/// Name of the lane where a test has only one.
pub const LANE: &str = "lane";

/// A runtime directory of the test's own.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    /// A directory that every user can search.
    pub fn for_everyone() -> Self {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::new();
        std::fs::set_permissions(place.0.path(), PermissionsExt::from_mode(0o755)).unwrap();
        place
    }

    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    pub fn some(&self) -> Option<PathBuf> {
        Some(self.0.path().to_owned())
    }

    /// A producer of small grey frames.
    pub fn producer(&self, options: ProducerOptions) -> Producer {
        let layout = FrameLayout::new(PixelFormat::Grey, 64, 16).unwrap();
        Producer::create(LANE, options.layout(layout).directory(self.some())).unwrap()
    }

    pub fn consumer(&self, options: ConsumerOptions) -> Consumer {
        self.try_consumer(options).unwrap()
    }

    pub fn latest(&self) -> Consumer {
        self.consumer(ConsumerOptions::new(Mode::Latest))
    }

    pub fn try_consumer(&self, options: ConsumerOptions) -> framelane::Result<Consumer> {
        Consumer::open(LANE, options.directory(self.some()))
    }
}

/// Waits until `condition` holds.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "not within the deadline: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Publishes one frame of equal bytes.
pub fn publish(producer: &Producer, value: u8) -> u64 {
    let mut frame = producer.claim().unwrap();
    frame.payload_mut().fill(value);
    frame.publish().unwrap()
}

/// The error of a call that must fail.
#[track_caller]
pub fn refused<T>(result: framelane::Result<T>) -> framelane::Error {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}
