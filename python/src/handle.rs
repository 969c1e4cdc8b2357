//! What Python holds of one side of a lane or a ring, used by one thread at a time and closed from
//! any.

use crate::errors::{failure, invalid, raise};
use crate::log;
use crate::waiting::Deadline;
use framelane::{Closer, Error, ErrorKind};
use pyo3::prelude::*;
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

/// A side that can be held.
pub trait Side: Send {
    /// What it is, before its name.
    const WHAT: &'static str;
    /// Numbers that other threads may ask for while one waits.
    fn counts(&self) -> [u64; 3];
}

/// One side and whether it was closed.
pub struct Handle<S> {
    side: Mutex<Option<S>>,
    /// Ends a wait at once, where the side has such.
    closer: Option<Closer>,
    name: String,
    /// Whether a loop ends when the other side is gone.
    pub ends_with_peer: bool,
    closed: AtomicBool,
    /// A duplicate of the side's: it stays open, and tells of closing, for those who poll it.
    descriptor: OnceLock<OwnedFd>,
    /// As of the last call.
    counts: [AtomicU64; 3],
}

impl<S: Side> Handle<S> {
    pub fn new(side: S, closer: Option<Closer>, name: &str, ends_with_peer: bool) -> Self {
        Handle {
            counts: side.counts().map(AtomicU64::new),
            side: Mutex::new(Some(side)),
            closer,
            name: name.to_owned(),
            ends_with_peer,
            closed: AtomicBool::new(false),
            descriptor: OnceLock::new(),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// One of the numbers of `Side::counts`.
    pub fn count(&self, which: usize) -> u64 {
        self.counts[which].load(Relaxed)
    }

    /// The side for a call of this thread's.
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<S>>> {
        match self.side.try_lock() {
            Ok(side) => Ok(side),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid(format!(
                "another thread uses this {} {:?}: make one for each thread",
                S::WHAT,
                self.name
            ))),
        }
    }

    /// What a wait of a side without a closer fails with, once it was closed.
    pub fn refuse_closed(&self) -> framelane::Result<()> {
        if self.is_closed() {
            let text = format!("this {} {:?} is closed", S::WHAT, self.name);
            return Err(Error::new(ErrorKind::Closed, text));
        }
        Ok(())
    }

    pub fn with<T>(&self, body: impl FnOnce(&mut S) -> PyResult<T>) -> PyResult<T> {
        self.refuse_closed().map_err(raise)?;
        let mut guard = self.lock()?;
        let done = match guard.as_mut() {
            Some(side) => body(side),
            None => Err(failure(ErrorKind::Closed, format!("this {} is closed", S::WHAT))),
        };
        if let Some(side) = guard.as_ref() {
            for (count, now) in self.counts.iter().zip(side.counts()) {
                count.store(now, Relaxed);
            }
        }
        if self.is_closed() {
            *guard = None; // by another thread meanwhile, which could not
        }
        done
    }

    /// The descriptor to poll, from the side's own.
    pub fn fileno(&self, own: impl FnOnce(&mut S) -> BorrowedFd<'_>) -> PyResult<i32> {
        self.with(|side| {
            if let Some(descriptor) = self.descriptor.get() {
                return Ok(descriptor.as_raw_fd());
            }
            let descriptor = own(side).try_clone_to_owned()?;
            Ok(self.descriptor.get_or_init(|| descriptor).as_raw_fd())
        })
    }

    pub fn close(&self, py: Python<'_>) {
        self.closed.store(true, Relaxed);
        if let Some(closer) = &self.closer {
            closer.close();
        }
        // One that is in use is dropped by whoever uses it.
        if let Ok(mut side) = self.side.try_lock() {
            let side = side.take();
            py.detach(|| drop(side));
        }
        log::pass_on(py);
    }

    /// What a loop makes of a read: its natural end is no error.
    pub fn in_loop<T>(&self, py: Python<'_>, read: PyResult<Option<T>>) -> PyResult<Option<T>> {
        match read {
            Err(error) if self.ends_loop(py, &error) => Ok(None),
            read => read,
        }
    }

    fn ends_loop(&self, py: Python<'_>, error: &PyErr) -> bool {
        let kind = error.value(py).getattr("kind").and_then(|kind| kind.extract::<u32>());
        kind.is_ok_and(|kind| {
            kind == ErrorKind::Closed.number()
                || self.ends_with_peer && kind == ErrorKind::Disconnected.number()
        })
    }
}

/// Opens what may not be there yet, waiting in slices with the interpreter let go.
pub fn open<S: Send>(
    py: Python<'_>,
    deadline: Deadline,
    open: impl Fn(Duration) -> framelane::Result<S> + Sync,
) -> PyResult<S> {
    loop {
        let slice = deadline.slice().unwrap_or_default();
        let opened = py.detach(|| open(slice));
        log::pass_on(py);
        match opened {
            Ok(side) => return Ok(side),
            Err(error) => {
                py.check_signals()?;
                let later = [ErrorKind::NotFound, ErrorKind::TimedOut, ErrorKind::TooMany];
                if !later.contains(&error.kind()) || deadline.slice().is_none() {
                    return Err(raise(error));
                }
            }
        }
    }
}
