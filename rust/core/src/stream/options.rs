//! What a stream lane is made with, and how it is read.

use crate::error::{Error, Result, invalid};
use crate::layout::{ErrorKind, StreamConfig, StreamStart};
use crate::producer::{Access, Trust};
use std::path::PathBuf;
use std::time::Duration;

/// The most entries an index can have.
const MOST_ENTRIES: u32 = 1 << 20;

/// How to make a stream lane. Each method returns the options for chaining.
#[derive(Clone, Debug)]
pub struct StreamWriterOptions {
    pub(crate) config: StreamConfig,
    pub(crate) data_bytes: u64,
    pub(crate) index_capacity: u32,
    pub(crate) lossless: bool,
    pub(crate) key_request_interval: Duration,
    pub(crate) lock_memory: bool,
    pub(crate) numa_node: Option<u32>,
    pub(crate) access: Access,
    pub(crate) trust: Trust,
    pub(crate) directory: Option<PathBuf>,
}

impl StreamWriterOptions {
    /// A ring of 8 MiB and 1024 records, which begin with this config.
    pub fn new(config: StreamConfig) -> Self {
        StreamWriterOptions {
            config,
            data_bytes: 8 << 20,
            index_capacity: 1024,
            lossless: false,
            key_request_interval: Duration::from_secs(1),
            lock_memory: false,
            numa_node: None,
            access: Access::Owner,
            trust: Trust::SameUser,
            directory: None,
        }
    }

    /// Bytes of the data ring, rounded up to whole pages (8 MiB). Half of it is the largest record.
    pub fn data_bytes(mut self, bytes: u64) -> Self {
        self.data_bytes = bytes;
        self
    }

    /// Records the lane keeps at most, rounded up to a power of two (1024).
    pub fn index_capacity(mut self, records: u32) -> Self {
        self.index_capacity = records;
        self
    }

    /// Admits lossless readers, for which writing waits.
    pub fn lossless(mut self, allowed: bool) -> Self {
        self.lossless = allowed;
        self
    }

    /// How often at most a wish for a key record is reported to the writer (1 s).
    pub fn key_request_interval(mut self, interval: Duration) -> Self {
        self.key_request_interval = interval;
        self
    }

    /// Locks lane memory into RAM where the limits allow it.
    pub fn lock_memory(mut self, lock: bool) -> Self {
        self.lock_memory = lock;
        self
    }

    /// Binds lane memory to one NUMA node.
    pub fn numa_node(mut self, node: Option<u32>) -> Self {
        self.numa_node = node;
        self
    }

    /// Who may attach.
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Which peers are trusted with shared bells.
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// Runtime directory; None, the default, searches as described in
    /// [`runtime_dir`](crate::runtime_dir).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        self.config.refuse_impossible()?;
        if self.data_bytes == 0 || self.index_capacity == 0 {
            return Err(invalid("a stream needs room for at least one record"));
        }
        if self.index_capacity > MOST_ENTRIES {
            let text = format!("an index of {}, at most {MOST_ENTRIES}", self.index_capacity);
            return Err(invalid(text));
        }
        if self.data_bytes > 1 << 46 {
            let text = format!("a ring of {} bytes exceeds the address space", self.data_bytes);
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(())
    }
}

/// How to open a stream lane for reading. Each method returns the options for chaining.
#[derive(Clone, Debug)]
pub struct StreamReaderOptions {
    pub(crate) lossless: bool,
    pub(crate) start: StreamStart,
    pub(crate) start_age: Duration,
    pub(crate) after_lap: StreamStart,
    pub(crate) wait_for_lane: Duration,
    pub(crate) reattach: bool,
    pub(crate) return_on_signal: bool,
    pub(crate) directory: Option<PathBuf>,
}

impl Default for StreamReaderOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamReaderOptions {
    /// A live reader that starts at the newest key record and goes on at the newest when it was
    /// overtaken, does not wait for the lane, and re-attaches after a restart of the writer.
    pub fn new() -> Self {
        StreamReaderOptions {
            lossless: false,
            start: StreamStart::NewestKey,
            start_age: Duration::ZERO,
            after_lap: StreamStart::NewestKey,
            wait_for_lane: Duration::ZERO,
            reattach: true,
            return_on_signal: false,
            directory: None,
        }
    }

    /// Every record, in place; the writer waits. Only where the lane admits it.
    pub fn lossless(mut self, lossless: bool) -> Self {
        self.lossless = lossless;
        self
    }

    /// Where to begin (the newest key record). Where there is no key record yet, reading begins
    /// with the first that comes, which is asked for.
    pub fn start(mut self, start: StreamStart) -> Self {
        self.start = start;
        self
    }

    /// How long ago the record was published that `KeyBefore` means.
    pub fn start_age(mut self, age: Duration) -> Self {
        self.start_age = age;
        self
    }

    /// Where to go on after having been overtaken: `NewestKey`, the default, or `OldestKey`.
    pub fn after_lap(mut self, place: StreamStart) -> Self {
        self.after_lap = place;
        self
    }

    /// How long `open` waits for a writer to make the lane (not at all).
    pub fn wait_for_lane(mut self, time: Duration) -> Self {
        self.wait_for_lane = time;
        self
    }

    /// Whether to attach to the next writer of the lane when this one is gone (yes). Without it,
    /// reading then fails with `Disconnected`.
    pub fn reattach(mut self, reattach: bool) -> Self {
        self.reattach = reattach;
        self
    }

    /// Whether a blocking read returns None when a signal arrives (no), for interpreters that
    /// want to look at it. `open` then gives up as at the end of its time.
    pub fn return_on_signal(mut self, return_on_signal: bool) -> Self {
        self.return_on_signal = return_on_signal;
        self
    }

    /// Runtime directory to look in; None, the default, searches as described in
    /// [`runtime_dir`](crate::runtime_dir).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }
}
