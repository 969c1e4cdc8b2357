//! One side of a lane, used by one thread at a time and closed from any.

use crate::failure::{Failure, Result, invalid};
use framelane::{Closer, Error, ErrorKind};
use rustix::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

/// A side that is read from.
pub trait Side: Send {
    /// What it is, before its name.
    const WHAT: &'static str;
    /// Numbers that other threads may ask for while one waits.
    fn counts(&self) -> [u64; 3];
    fn closer(&self) -> Closer;
    fn fd(&mut self) -> BorrowedFd<'_>;
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool>;
}

pub struct Handle<S> {
    side: Mutex<Option<S>>,
    closer: Closer,
    name: String,
    closed: AtomicBool,
    /// A duplicate of the side's: it stays open as long as somebody may poll it.
    descriptor: OnceLock<OwnedFd>,
    /// As of the last call.
    counts: [AtomicU64; 3],
}

impl<S: Side> Handle<S> {
    pub fn new(side: S, name: &str) -> Self {
        Handle {
            counts: side.counts().map(AtomicU64::new),
            closer: side.closer(),
            side: Mutex::new(Some(side)),
            name: name.to_owned(),
            closed: AtomicBool::new(false),
            descriptor: OnceLock::new(),
        }
    }

    /// One of the numbers of `Side::counts`.
    pub fn count(&self, which: usize) -> u64 {
        self.counts[which].load(Relaxed)
    }

    /// The side for a call of this thread's.
    fn lock(&self) -> Result<MutexGuard<'_, Option<S>>> {
        match self.side.try_lock() {
            Ok(side) => Ok(side),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid(format!(
                "another thread uses this {} {:?}: open one for each thread",
                S::WHAT,
                self.name
            ))),
        }
    }

    fn closed(&self) -> Failure {
        let text = format!("this {} {:?} is closed", S::WHAT, self.name);
        Error::new(ErrorKind::Closed, text).into()
    }

    pub fn with<T>(&self, body: impl FnOnce(&mut S) -> framelane::Result<T>) -> Result<T> {
        if self.closed.load(Relaxed) {
            return Err(self.closed());
        }
        let mut guard = self.lock()?;
        let Some(side) = guard.as_mut() else { return Err(self.closed()) };
        let done = body(side);
        for (count, now) in self.counts.iter().zip(side.counts()) {
            count.store(now, Relaxed);
        }
        if self.closed.load(Relaxed) {
            *guard = None; // by another thread meanwhile, which could not
        }
        Ok(done?)
    }

    pub fn wait(&self, timeout_ns: u64) -> Result<bool> {
        self.with(|side| side.wait(Duration::from_nanos(timeout_ns)))
    }

    /// The descriptor to poll.
    pub fn descriptor(&self) -> Result<&OwnedFd> {
        if let Some(descriptor) = self.descriptor.get() {
            return Ok(descriptor);
        }
        let made = self.with(|side| {
            side.fd().try_clone_to_owned().map_err(|error| {
                Error::new(ErrorKind::System, format!("duplicating a descriptor: {error}"))
            })
        })?;
        Ok(self.descriptor.get_or_init(|| made))
    }

    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        self.closer.close();
        // One that is in use is dropped by whoever uses it.
        if let Ok(mut side) = self.side.try_lock() {
            let side = side.take();
            drop(side);
        }
    }
}
