//! The reader of a switch.

use crate::errors::raise;
use crate::frame::Frame;
use crate::handle::{self, Handle, Side};
use crate::options;
use crate::reading::{Reads, ReadsFrames};
use crate::waiting::Deadline;
use framelane::SwitchStatus;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

/// Reads the active lane of a switch. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct Switch(Handle<framelane::Switch>);

/// An error that is told, not raised.
fn told(py: Python<'_>, problem: Option<framelane::Error>) -> Option<Py<PyAny>> {
    problem.map(|problem| raise(problem).into_value(py).into_any())
}

impl Side for framelane::Switch {
    const WHAT: &'static str = "reader of switch";
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.dropped()]
    }
}

impl Reads for framelane::Switch {
    type Item = framelane::Frame;
    fn is_quick(&self) -> bool {
        false // a look for lanes and a controller is part of each
    }
    fn try_next(&mut self) -> framelane::Result<Option<framelane::Frame>> {
        self.try_next()
    }
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<framelane::Frame>> {
        self.next(timeout)
    }
    fn ready(&mut self) -> framelane::Result<bool> {
        self.wait(Duration::ZERO)
    }
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool> {
        self.wait(timeout)
    }
}

impl ReadsFrames for framelane::Switch {
    fn latest(&mut self) -> framelane::Result<Option<framelane::Frame>> {
        self.latest()
    }
}

impl Switch {
    fn status(&self) -> PyResult<SwitchStatus> {
        self.0.with(|switch| Ok(switch.status()))
    }
}

#[pymethods]
impl Switch {
    #[new]
    #[pyo3(signature = (
        name, mode=None, *, leases=2, wait=Some(0.0), reattach=true, writable=false, directory=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python class")]
    fn new(
        py: Python<'_>,
        name: &str,
        mode: Option<Bound<'_, PyAny>>,
        leases: u32,
        wait: Option<f64>,
        reattach: bool,
        writable: bool,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = options::consumer(mode.as_ref(), leases, reattach, writable, directory)?;
        framelane_hobot::register();
        let switch = handle::open(py, Deadline::after(wait, "wait")?, |slice| {
            framelane::Switch::open(name, options.clone().wait_for_lane(slice))
        })?;
        let closer = switch.closer();
        Ok(Switch(Handle::new(switch, Some(closer), name, !reattach)))
    }

    /// Name of the switch.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The next frame of the active lane, waiting up to `timeout` seconds for it, for ever without.
    /// None when the time is over.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        let found = self.0.read_until(py, Deadline::after(timeout, "timeout")?)?;
        Ok(found.map(Frame::new))
    }

    /// The next frame of the active lane if there is one now.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        Ok(self.0.try_next(py)?.map(Frame::new))
    }

    /// The newest valid frame of the active lane, also one that was delivered before; None when
    /// there is none, or none published within the last `max_age` seconds.
    #[pyo3(signature = (*, max_age=None))]
    fn read_latest(&self, py: Python<'_>, max_age: Option<f64>) -> PyResult<Option<Frame>> {
        Ok(self.0.read_latest(py, max_age)?.map(Frame::new))
    }

    /// Waits up to `timeout` seconds until there may be something to read; whether there may.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        self.0.wait(py, timeout)
    }

    /// A descriptor that becomes readable when there may be a frame or a switch. Each time, call
    /// `try_next` until it returns None. It belongs to the reader.
    fn fileno(&self) -> PyResult<i32> {
        self.0.fileno(|switch| switch.fd())
    }

    /// Frames delivered.
    #[getter]
    fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Frames that passed without being delivered while their lane was active.
    #[getter]
    fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Frames that were too old after a switch, or of the lane that was switched away from.
    #[getter]
    fn dropped(&self) -> u64 {
        self.0.count(2)
    }

    /// Switches this reader has followed.
    #[getter]
    fn switches(&self) -> PyResult<u64> {
        self.0.with(|switch| Ok(switch.switches()))
    }

    /// Frames of this reader that are held now, by frames or by views.
    #[getter]
    fn held(&self) -> PyResult<u32> {
        self.0.with(|switch| Ok(switch.held()))
    }

    /// Whether there is a controller. Without one the lane that was active stays so.
    #[getter]
    fn controlled(&self) -> PyResult<bool> {
        Ok(self.status()?.controlled)
    }

    /// Random id of the controller seen last.
    #[getter]
    fn controller_epoch(&self) -> PyResult<u64> {
        Ok(self.status()?.controller_epoch)
    }

    /// Why a controller that is there is not followed.
    #[getter]
    fn problem(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        Ok(told(py, self.status()?.problem))
    }

    /// Why a producer that is there is not attached to, by index of the lane.
    #[getter]
    fn lane_problems(&self, py: Python<'_>) -> PyResult<Vec<Option<Py<PyAny>>>> {
        let lanes = self.status()?.lanes;
        Ok(lanes.into_iter().map(|lane| told(py, lane.problem)).collect())
    }

    /// Switch epoch of the selection seen last.
    #[getter]
    fn switch_epoch(&self) -> PyResult<u64> {
        Ok(self.status()?.switch_epoch)
    }

    /// Index of the active lane, as of the last read.
    #[getter]
    fn active(&self) -> PyResult<Option<usize>> {
        Ok(self.status()?.active)
    }

    /// The lanes, by index: their names, and whether their producer is there.
    #[getter]
    fn lanes(&self) -> PyResult<Vec<(String, bool)>> {
        let lanes = self.status()?.lanes;
        Ok(lanes.into_iter().map(|lane| (lane.name, lane.attached)).collect())
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Stops reading, from any thread: a waiting read raises `Closed`. Frames that are held stay
    /// valid.
    fn close(&self, py: Python<'_>) {
        self.0.close(py);
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (_kind, _error, _trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        self.0.in_loop(py, self.read(py, None))
    }

    fn __aiter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("framelane._aio")?
            .getattr("each")?
            .call1((&slf, slf.get().0.ends_with_peer))
    }

    /// Like `read`, in an asyncio loop.
    #[pyo3(signature = (timeout=None))]
    fn read_async<'py>(slf: Bound<'py, Self>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("framelane._aio")?.getattr("read")?.call1((&slf, timeout))
    }

    fn __repr__(&self) -> String {
        format!("<framelane.Switch {:?}>", self.0.name())
    }
}
