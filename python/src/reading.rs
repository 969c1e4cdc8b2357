//! Reading: what consumers, readers of streams and readers of switches have in common.

use crate::errors::raise;
use crate::handle::{Handle, Side};
use crate::waiting::{Deadline, seconds, wait_for};
use framelane::{Frame, Result, monotonic_ns};
use pyo3::prelude::*;
use std::time::Duration;

/// A side that something is read from.
pub trait Reads: Side {
    type Item: Send;
    /// Whether a look now only looks at memory: letting the interpreter go would cost more.
    fn is_quick(&self) -> bool;
    fn try_next(&mut self) -> Result<Option<Self::Item>>;
    fn next(&mut self, timeout: Duration) -> Result<Option<Self::Item>>;
    /// Whether there may be something to read, without waiting for it.
    fn ready(&mut self) -> Result<bool>;
    fn wait(&mut self, timeout: Duration) -> Result<bool>;
}

/// One whose newest frame can be had again.
pub trait ReadsFrames: Reads<Item = Frame> {
    fn latest(&mut self) -> Result<Option<Frame>>;
}

/// One look, with the interpreter let go where it may have to look for a peer and talk with it.
fn look<S: Reads, T: Send>(
    py: Python<'_>,
    side: &mut S,
    look: impl FnOnce(&mut S) -> Result<T> + Send,
) -> PyResult<T> {
    let looked = if side.is_quick() { look(side) } else { py.detach(|| look(side)) };
    looked.map_err(raise)
}

impl<S: Reads> Handle<S> {
    pub fn try_next(&self, py: Python<'_>) -> PyResult<Option<S::Item>> {
        self.with(|side| look(py, side, S::try_next))
    }

    pub fn read_until(&self, py: Python<'_>, deadline: Deadline) -> PyResult<Option<S::Item>> {
        self.with(|side| match look(py, side, S::try_next)? {
            Some(found) => Ok(Some(found)),
            None => wait_for(py, deadline, |slice| side.next(slice)),
        })
    }

    pub fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = Deadline::after(timeout, "timeout")?;
        self.with(|side| {
            if look(py, side, S::ready)? {
                return Ok(true);
            }
            let once = |slice| Ok(side.wait(slice)?.then_some(()));
            Ok(wait_for(py, deadline, once)?.is_some())
        })
    }
}

impl<S: ReadsFrames> Handle<S> {
    /// The newest frame, where it was published within the last `max_age` seconds.
    pub fn read_latest(&self, py: Python<'_>, max_age: Option<f64>) -> PyResult<Option<Frame>> {
        let max_age = max_age.map(|age| seconds(age, "max_age")).transpose()?;
        let found = self.with(|side| look(py, side, S::latest))?;
        let fresh = |frame: &Frame| {
            max_age.is_none_or(|age| {
                let is = monotonic_ns().saturating_sub(frame.descriptor().publish_ns);
                u128::from(is) <= age.as_nanos()
            })
        };
        Ok(found.filter(fresh))
    }
}
