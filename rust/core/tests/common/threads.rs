//! Threads whose end is waited for with a deadline.

use super::DEADLINE;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;

/// A thread with a result.
pub struct Task<T> {
    what: String,
    result: Receiver<T>,
    thread: JoinHandle<()>,
}

/// Runs `body` on a thread of its own.
pub fn task<T: Send + 'static>(what: &str, body: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    let (sender, result) = channel();
    let named = std::thread::Builder::new().name(what.to_owned());
    let send = move || {
        let _ = sender.send(body());
    };
    let thread = named.spawn(send).unwrap();
    Task { what: what.to_owned(), result, thread }
}

impl<T> Task<T> {
    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        self.thread.is_finished()
    }

    /// The result. A panic in the thread is one here.
    pub fn join(self) -> T {
        match self.result.recv_timeout(DEADLINE) {
            Ok(value) => value,
            Err(RecvTimeoutError::Disconnected) => panic!("{} failed", self.what),
            Err(RecvTimeoutError::Timeout) => panic!("{} does not end", self.what),
        }
    }
}
