//! How a consumer attaches.

use crate::layout::Mode;
use std::path::PathBuf;
use std::time::Duration;

/// How to open a lane for reading. Each method returns the options for chaining.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    pub(crate) mode: Mode,
    pub(crate) leases: u32,
    pub(crate) wait_for_lane: Duration,
    pub(crate) reattach: bool,
    pub(crate) return_on_signal: bool,
    pub(crate) wants_writable: bool,
    pub(crate) directory: Option<PathBuf>,
}

impl ConsumerOptions {
    /// One lease, no waiting for the lane, re-attaching after a restart of the producer.
    pub fn new(mode: Mode) -> Self {
        ConsumerOptions {
            mode,
            leases: 1,
            wait_for_lane: Duration::ZERO,
            reattach: true,
            return_on_signal: false,
            wants_writable: false,
            directory: None,
        }
    }

    /// Frames held at once, 1 to 63 (1).
    pub fn leases(mut self, leases: u32) -> Self {
        self.leases = leases;
        self
    }

    /// How long `open` waits for a producer to make the lane (not at all).
    pub fn wait_for_lane(mut self, time: Duration) -> Self {
        self.wait_for_lane = time;
        self
    }

    /// Whether to attach to the next producer of the lane when this one is gone (yes). Without
    /// it, reading then fails with `Disconnected`.
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

    /// Accept device buffers that this process could write.
    pub fn wants_writable(mut self, wants: bool) -> Self {
        self.wants_writable = wants;
        self
    }

    /// Runtime directory to look in; None, the default, searches as described in
    /// [`runtime_dir`](crate::runtime_dir).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }
}
