//! The reader of a stream lane.

use crate::errors::raise;
use crate::handle::{self, Handle, Side};
use crate::reading::Reads;
use crate::record::Record;
use crate::stream_info;
use crate::waiting::{Deadline, seconds};
use framelane::{StreamReaderOptions, StreamStart};
use pyo3::prelude::*;
use std::path::PathBuf;
use std::time::Duration;

/// Reads a stream lane, record after record. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct StreamReader(Handle<framelane::StreamReader>);

impl Side for framelane::StreamReader {
    const WHAT: &'static str = "reader of lane";
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.epoch()]
    }
}

impl Reads for framelane::StreamReader {
    type Item = framelane::Record;
    fn is_quick(&self) -> bool {
        false // also the copying of a record goes on without the interpreter
    }
    fn try_next(&mut self) -> framelane::Result<Option<framelane::Record>> {
        self.try_next()
    }
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<framelane::Record>> {
        self.next(timeout)
    }
    fn ready(&mut self) -> framelane::Result<bool> {
        self.ready()
    }
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool> {
        self.wait(timeout)
    }
}

fn place_or(value: Option<Bound<'_, PyAny>>) -> PyResult<StreamStart> {
    value.as_ref().map_or(Ok(StreamStart::NewestKey), stream_info::place)
}

#[pymethods]
impl StreamReader {
    #[new]
    #[pyo3(signature = (
        name, start=None, *, start_age=0.0, after_lap=None, lossless=false, wait=Some(0.0),
        reattach=true, directory=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python class")]
    fn new(
        py: Python<'_>,
        name: &str,
        start: Option<Bound<'_, PyAny>>,
        start_age: f64,
        after_lap: Option<Bound<'_, PyAny>>,
        lossless: bool,
        wait: Option<f64>,
        reattach: bool,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = StreamReaderOptions::new()
            .start(place_or(start)?)
            .start_age(seconds(start_age, "start_age")?)
            .after_lap(place_or(after_lap)?)
            .lossless(lossless)
            .reattach(reattach)
            .return_on_signal(true)
            .directory(directory);
        let reader = handle::open(py, Deadline::after(wait, "wait")?, |slice| {
            framelane::StreamReader::open(name, options.clone().wait_for_lane(slice))
        })?;
        let closer = reader.closer();
        Ok(StreamReader(Handle::new(reader, Some(closer), name, !reattach)))
    }

    /// Name of the lane.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// The next record, waiting up to `timeout` seconds for it, for ever without. None when the
    /// time is over.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Record>> {
        let found = self.0.read_until(py, Deadline::after(timeout, "timeout")?)?;
        Ok(found.map(Record::new))
    }

    /// The next record if there is one now.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        Ok(self.0.try_next(py)?.map(Record::new))
    }

    /// Waits up to `timeout` seconds until there may be something to read; whether there is.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        self.0.wait(py, timeout)
    }

    /// Goes to another place of the stream. `age` is how many seconds ago the record was published
    /// that `key_before` means.
    #[pyo3(signature = (place, *, age=0.0))]
    fn seek(&self, place: &Bound<'_, PyAny>, age: f64) -> PyResult<()> {
        let (place, age) = (stream_info::place(place)?, seconds(age, "age")?);
        self.0.with(|reader| reader.seek(place, age).map_err(raise))
    }

    /// Asks the writer for a key record.
    fn request_key_frame(&self) -> PyResult<()> {
        self.0.with(|reader| reader.request_key_frame().map_err(raise))
    }

    /// A descriptor that becomes readable when there may be a record. Each time, call `try_next`
    /// until it returns None. It belongs to the reader.
    fn fileno(&self) -> PyResult<i32> {
        self.0.fileno(|reader| reader.fd())
    }

    /// Records delivered.
    #[getter]
    fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Records that passed without being delivered, seeks left out.
    #[getter]
    fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Random id of the writer attached to, 0 while there is none.
    #[getter]
    fn epoch(&self) -> u64 {
        self.0.count(2)
    }

    /// Records that are held in place now, by records or by views.
    #[getter]
    fn held(&self) -> PyResult<u32> {
        self.0.with(|reader| Ok(reader.held()))
    }

    /// The lane as of the last attach, None while there is no writer.
    #[getter]
    fn lane<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let lane = self.0.with(|reader| Ok(reader.lane().cloned()))?;
        lane.map(|lane| stream_info::stream(py, lane)).transpose()
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Stops reading, from any thread: a waiting read raises `Closed`. Records stay valid.
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

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Record>> {
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
        format!("<framelane.StreamReader {:?}>", self.0.name())
    }
}
