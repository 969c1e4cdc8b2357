//! One side of a lane, used by one thread at a time and closed from any.

use crate::failure::{Failure, Result, invalid};
use framelane::{Closer, Error, ErrorKind};
use rustix::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU64, fence};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// A side that is read from.
pub trait Side: Send {
    /// What it is, before its name.
    const WHAT: &'static str;
    /// What is read.
    type Item;
    /// Numbers that other threads may ask for while one waits.
    fn counts(&self) -> [u64; 3];
    fn closer(&self) -> Closer;
    fn fd(&mut self) -> BorrowedFd<'_>;
    fn try_next(&mut self) -> framelane::Result<Option<Self::Item>>;
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<Self::Item>>;
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool>;
}

pub struct Handle<S> {
    side: Mutex<Option<S>>,
    outside: Mutex<Option<Outside>>,
    name: String,
    closed: AtomicBool,
    /// As of the last call.
    counts: [AtomicU64; 3],
}

/// What can be had while the side is in use. It has descriptors: gone as soon as this is closed.
struct Outside {
    closer: Closer,
    /// A duplicate of the side's, there once somebody has polled it.
    descriptor: Option<Arc<OwnedFd>>,
}

impl<S: Side> Handle<S> {
    pub fn new(side: S, name: &str) -> Self {
        Handle {
            counts: side.counts().map(AtomicU64::new),
            outside: Mutex::new(Some(Outside { closer: side.closer(), descriptor: None })),
            side: Mutex::new(Some(side)),
            name: name.to_owned(),
            closed: AtomicBool::new(false),
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
            Err(TryLockError::WouldBlock) if self.is_closed() => Err(self.closed()),
            Err(TryLockError::WouldBlock) => Err(invalid(format!(
                "another thread uses this {} {:?}: open one for each thread",
                S::WHAT,
                self.name
            ))),
        }
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    fn closed(&self) -> Failure {
        let text = format!("this {} {:?} is closed", S::WHAT, self.name);
        Error::new(ErrorKind::Closed, text).into()
    }

    pub fn with<T>(&self, body: impl FnOnce(&mut S) -> framelane::Result<T>) -> Result<T> {
        if self.is_closed() {
            return Err(self.closed());
        }
        let _after_the_guard = LetsGo(self);
        let mut guard = self.lock()?;
        let Some(side) = guard.as_mut() else { return Err(self.closed()) };
        let done = body(side);
        for (count, now) in self.counts.iter().zip(side.counts()) {
            count.store(now, Relaxed);
        }
        Ok(done?)
    }

    /// The next item, if there is one within the time.
    pub fn next(&self, timeout_ns: u64) -> Result<Option<S::Item>> {
        self.with(|side| match timeout_ns {
            0 => side.try_next(),
            time => side.next(Duration::from_nanos(time)),
        })
    }

    pub fn wait(&self, timeout_ns: u64) -> Result<bool> {
        self.with(|side| side.wait(Duration::from_nanos(timeout_ns)))
    }

    /// The descriptor to poll. Kept by the caller no longer than for a call.
    pub fn descriptor(&self) -> Result<Arc<OwnedFd>> {
        let there = self.outside().as_ref().and_then(|outside| outside.descriptor.clone());
        if let Some(descriptor) = there {
            return Ok(descriptor);
        }
        let made = self.with(|side| {
            side.fd().try_clone_to_owned().map_err(|error| {
                Error::new(ErrorKind::System, format!("duplicating a descriptor: {error}"))
            })
        })?;
        match self.outside().as_mut() {
            Some(outside) => Ok(outside.descriptor.get_or_insert_with(|| Arc::new(made)).clone()),
            None => Err(self.closed()), // meanwhile
        }
    }

    fn outside(&self) -> MutexGuard<'_, Option<Outside>> {
        self.outside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn close(&self) {
        self.closed.store(true, Relaxed);
        let outside = self.outside().take();
        if let Some(outside) = outside {
            outside.closer.close();
        }
        self.let_go();
    }

    /// Drops the side of a closed one. Where it is in use, who uses it comes here afterwards.
    fn let_go(&self) {
        // Either we see that it was closed, or who closes it sees that it is not in use any more.
        fence(SeqCst);
        if !self.is_closed() {
            return;
        }
        let side = match self.side.try_lock() {
            Ok(mut side) => side.take(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().take(),
            Err(TryLockError::WouldBlock) => None,
        };
        drop(side);
    }
}

/// Lets go of the side when a call is over, however it ends.
struct LetsGo<'a, S: Side>(&'a Handle<S>);

impl<S: Side> Drop for LetsGo<'_, S> {
    fn drop(&mut self) {
        self.0.let_go();
    }
}
