//! The consumer.

use crate::descriptor;
use crate::frame::Frame;
use crate::handle::{self, Handle, Side};
use crate::options;
use crate::reading::{Reads, ReadsFrames};
use crate::waiting::Deadline;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

/// Reads a lane. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct Consumer(Handle<framelane::Consumer>);

impl Side for framelane::Consumer {
    const WHAT: &'static str = "consumer of lane";
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.epoch()]
    }
}

impl Reads for framelane::Consumer {
    type Item = framelane::Frame;
    fn is_quick(&self) -> bool {
        self.is_ready()
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

impl ReadsFrames for framelane::Consumer {
    fn latest(&mut self) -> framelane::Result<Option<framelane::Frame>> {
        self.latest()
    }
}

#[pymethods]
impl Consumer {
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
        let consumer = handle::open(py, Deadline::after(wait, "wait")?, |slice| {
            framelane::Consumer::open(name, options.clone().wait_for_lane(slice))
        })?;
        let closer = consumer.closer();
        Ok(Consumer(Handle::new(consumer, Some(closer), name, !reattach)))
    }

    /// Name of the lane.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The next frame of this consumer's mode, waiting up to `timeout` seconds for it, for ever
    /// without. None when the time is over.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        let found = self.0.read_until(py, Deadline::after(timeout, "timeout")?)?;
        Ok(found.map(Frame::new))
    }

    /// The next frame if there is one now.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        Ok(self.0.try_next(py)?.map(Frame::new))
    }

    /// The newest valid frame, also one that was delivered before; None when there is none, or
    /// none published within the last `max_age` seconds.
    #[pyo3(signature = (*, max_age=None))]
    fn read_latest(&self, py: Python<'_>, max_age: Option<f64>) -> PyResult<Option<Frame>> {
        Ok(self.0.read_latest(py, max_age)?.map(Frame::new))
    }

    /// Waits up to `timeout` seconds until there is something to read; whether there is.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        self.0.wait(py, timeout)
    }

    /// A descriptor that becomes readable when there may be a frame. Each time, call `try_next`
    /// until it returns None. It belongs to the consumer.
    fn fileno(&self) -> PyResult<i32> {
        self.0.fileno(|consumer| consumer.fd())
    }

    /// Frames delivered.
    #[getter]
    fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Frames that passed without being delivered.
    #[getter]
    fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Random id of the producer attached to, 0 while there is none.
    #[getter]
    fn epoch(&self) -> u64 {
        self.0.count(2)
    }

    /// Frames of this consumer that are held now, by frames or by views.
    #[getter]
    fn held(&self) -> PyResult<u32> {
        self.0.with(|consumer| Ok(consumer.held()))
    }

    /// The lane as of the last attach, None while there is no producer.
    #[getter]
    fn lane<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(lane) = self.0.with(|consumer| Ok(consumer.lane().cloned()))? else {
            return Ok(None);
        };
        descriptor::lane_info(py, lane).map(Some)
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
        format!("<framelane.Consumer {:?}>", self.0.name())
    }
}
