//! Times as Python writes them, and waits that a signal can end.

use crate::errors::{invalid, raise};
use crate::log;
use framelane::ErrorKind;
use pyo3::prelude::*;
use std::time::{Duration, Instant};

/// Longest wait before Python's signal handlers get a turn. A signal that the waiting thread itself
/// receives ends the wait at once; this is for those that another thread receives.
const SLICE: Duration = Duration::from_millis(200);

/// Seconds as a duration.
pub fn seconds(value: f64, what: &str) -> PyResult<Duration> {
    if value == f64::INFINITY {
        return Ok(Duration::MAX);
    }
    let time = Duration::try_from_secs_f64(value);
    time.map_err(|_| invalid(format!("{what} is {value}: a number of seconds from 0 up is needed")))
}

/// The end of a wait; None waits for ever.
#[derive(Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    pub fn after(timeout: Option<f64>, what: &str) -> PyResult<Self> {
        let Some(timeout) = timeout else { return Ok(Deadline(None)) };
        // A time beyond what the clock can tell is never.
        Ok(Deadline(Instant::now().checked_add(seconds(timeout, what)?)))
    }

    /// How long to wait now; None when the time is over.
    pub fn slice(self) -> Option<Duration> {
        let Some(end) = self.0 else { return Some(SLICE) };
        let left = end.saturating_duration_since(Instant::now());
        (!left.is_zero()).then(|| left.min(SLICE))
    }
}

/// Waits in slices for what `look` finds, with the interpreter let go.
pub fn wait_for<T: Send>(
    py: Python<'_>,
    deadline: Deadline,
    mut look: impl FnMut(Duration) -> framelane::Result<Option<T>> + Send,
) -> PyResult<Option<T>> {
    while let Some(slice) = deadline.slice() {
        let found = py.detach(|| look(slice)).map_err(raise)?;
        if found.is_some() {
            return Ok(found);
        }
        log::pass_on(py);
        py.check_signals()?;
    }
    Ok(None)
}

/// Does what needs room in a ring, waiting for it in slices with the interpreter let
/// go; fails with the last `NoFreeSlot` at the deadline.
pub fn once_free<T: Send>(
    py: Python<'_>,
    deadline: Deadline,
    mut attempt: impl FnMut(Duration) -> framelane::Result<T> + Send,
) -> PyResult<T> {
    loop {
        let slice = deadline.slice().unwrap_or_default();
        match py.detach(|| attempt(slice)) {
            Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
                log::pass_on(py);
                py.check_signals()?;
                if deadline.slice().is_none() {
                    return Err(raise(error));
                }
            }
            done => return done.map_err(raise),
        }
    }
}
