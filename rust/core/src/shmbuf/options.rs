//! How a side of the ring is opened.

use super::waiting::Waiting;
use std::path::PathBuf;
use std::time::Duration;

/// What upstream peers sleep between two looks.
const POLL: Duration = Duration::from_millis(1);

/// How to make a segment. Each method returns the options for chaining.
#[derive(Clone, Debug)]
pub struct SenderOptions {
    pub(super) capacity_bytes: u64,
    pub(super) mode: u32,
    pub(super) keep: bool,
    pub(super) python_receiver: bool,
    pub(super) waiting: Waiting,
    pub(super) directory: Option<PathBuf>,
}

impl SenderOptions {
    /// A ring for its own user, removed when the sender goes.
    ///
    /// As upstream does it, the ring takes the largest power of two that fits `capacity_bytes`, the
    /// segment 16 bytes more than `capacity_bytes`. A message needs 4 bytes beside its own.
    pub fn new(capacity_bytes: u64) -> Self {
        SenderOptions {
            capacity_bytes,
            mode: 0o600,
            keep: false,
            python_receiver: false,
            waiting: Waiting { bell: false, poll: POLL },
            directory: None,
        }
    }

    /// Permissions of the segment (0600), whatever the umask. A receiver needs to read and write.
    pub fn mode(mut self, mode: u32) -> Self {
        self.mode = mode & 0o666;
        self
    }

    /// Whether the name stays when this sender goes (no), for receivers that come later.
    pub fn keep(mut self, keep: bool) -> Self {
        self.keep = keep;
        self
    }

    /// Whether the receiver is upstream's Python one (no), which goes deaf after 4 GiB: the
    /// counters are then set back to 0 whenever the ring is empty and they are high. Never with a
    /// C++ receiver, which would read far outside its memory.
    pub fn python_receiver(mut self, python: bool) -> Self {
        self.python_receiver = python;
        self
    }

    /// Whether to wake the other side and be woken (no), where that is ours, too, and asks for the
    /// same; uses the header's reserved word, which upstream peers neither read nor write.
    pub fn bell(mut self, bell: bool) -> Self {
        self.waiting.bell = bell;
        self
    }

    /// Sleep between two looks at a peer that rings no bell (1 ms), at most 50 ms.
    pub fn poll_interval(mut self, time: Duration) -> Self {
        self.waiting.poll = time;
        self
    }

    /// Folder of the segment (that of POSIX shared memory).
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }
}

/// How to attach to a segment. Each method returns the options for chaining.
#[derive(Clone, Debug)]
pub struct ReceiverOptions {
    pub(super) wait_for_sender: Duration,
    pub(super) reattach: bool,
    pub(super) waiting: Waiting,
    pub(super) directory: Option<PathBuf>,
}

impl Default for ReceiverOptions {
    fn default() -> Self {
        ReceiverOptions::new()
    }
}

impl ReceiverOptions {
    /// No waiting for the sender, re-attaching after a restart of it.
    pub fn new() -> Self {
        ReceiverOptions {
            wait_for_sender: Duration::ZERO,
            reattach: true,
            waiting: Waiting { bell: false, poll: POLL },
            directory: None,
        }
    }

    /// How long `open` waits for a segment that can be read (not at all).
    pub fn wait_for_sender(mut self, time: Duration) -> Self {
        self.wait_for_sender = time;
        self
    }

    /// Whether to wait for the next sender when this one is gone (yes). Without it, waiting then
    /// fails with `Disconnected`; that an upstream sender is gone cannot be seen.
    pub fn reattach(mut self, reattach: bool) -> Self {
        self.reattach = reattach;
        self
    }

    /// As [`SenderOptions::bell`].
    pub fn bell(mut self, bell: bool) -> Self {
        self.waiting.bell = bell;
        self
    }

    /// As [`SenderOptions::poll_interval`].
    pub fn poll_interval(mut self, time: Duration) -> Self {
        self.waiting.poll = time;
        self
    }

    /// As [`SenderOptions::directory`].
    pub fn directory(mut self, directory: Option<PathBuf>) -> Self {
        self.directory = directory;
        self
    }
}
