//! Times as Python writes them, and waits that a signal can end.

use crate::errors::invalid;
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
