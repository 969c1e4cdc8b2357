//! The reader of a stream lane.

use crate::errors::{failure, invalid, raise};
use crate::log;
use crate::record::Record;
use crate::stream_info;
use crate::waiting::{Deadline, seconds, wait_for};
use framelane::{Closer, ErrorKind, StreamReaderOptions, StreamStart};
use pyo3::prelude::*;
use rustix::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};

/// Reads a stream lane, record after record. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct StreamReader {
    reader: Mutex<Option<framelane::StreamReader>>,
    closer: Closer,
    /// Name of the lane.
    #[pyo3(get)]
    name: String,
    ends_with_writer: bool,
    closed: AtomicBool,
    /// A duplicate of the reader's, as for `Consumer`.
    descriptor: OnceLock<OwnedFd>,
    // As of the last read, so that other threads can ask while one waits.
    received: AtomicU64,
    missed: AtomicU64,
    epoch: AtomicU64,
}

impl StreamReader {
    fn new(reader: framelane::StreamReader, name: &str, reattach: bool) -> Self {
        StreamReader {
            closer: reader.closer(),
            name: name.to_owned(),
            ends_with_writer: !reattach,
            closed: AtomicBool::new(false),
            descriptor: OnceLock::new(),
            received: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            epoch: AtomicU64::new(reader.epoch()),
            reader: Mutex::new(Some(reader)),
        }
    }

    /// The reader for a call of this thread's.
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<framelane::StreamReader>>> {
        match self.reader.try_lock() {
            Ok(reader) => Ok(reader),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid(format!(
                "another thread reads from this reader of lane {:?}: open one for each thread",
                self.name
            ))),
        }
    }

    fn closed_error(&self) -> PyErr {
        failure(ErrorKind::Closed, format!("this reader of lane {:?} is closed", self.name))
    }

    fn with<T>(
        &self,
        body: impl FnOnce(&mut framelane::StreamReader) -> PyResult<T>,
    ) -> PyResult<T> {
        if self.closed.load(Relaxed) {
            return Err(self.closed_error());
        }
        let mut guard = self.lock()?;
        let done = body(guard.as_mut().ok_or_else(|| self.closed_error())?);
        if let Some(reader) = guard.as_ref() {
            self.received.store(reader.received(), Relaxed);
            self.missed.store(reader.missed(), Relaxed);
            self.epoch.store(reader.epoch(), Relaxed);
        }
        if self.closed.load(Relaxed) {
            *guard = None; // by another thread meanwhile, which could not
        }
        done
    }

    /// Also the copying of a record goes on without the interpreter.
    fn read_until(&self, py: Python<'_>, deadline: Deadline) -> PyResult<Option<Record>> {
        self.with(|reader| {
            let found = match py.detach(|| reader.try_next()).map_err(raise)? {
                Some(record) => Some(record),
                None => wait_for(py, deadline, |slice| reader.next(slice))?,
            };
            Ok(found.map(Record::new))
        })
    }

    /// Whether an error is the natural end of a loop over records.
    fn ends_loop(&self, py: Python<'_>, error: &PyErr) -> bool {
        let kind = error.value(py).getattr("kind").and_then(|kind| kind.extract::<u32>());
        kind.is_ok_and(|kind| {
            kind == ErrorKind::Closed.number()
                || self.ends_with_writer && kind == ErrorKind::Disconnected.number()
        })
    }
}

/// A reader, once there is a writer to read from.
fn open(
    py: Python<'_>,
    name: &str,
    options: &StreamReaderOptions,
    deadline: Deadline,
) -> PyResult<framelane::StreamReader> {
    loop {
        let slice = deadline.slice().unwrap_or_default();
        let options = options.clone().wait_for_lane(slice);
        match py.detach(|| framelane::StreamReader::open(name, options)) {
            Ok(reader) => return Ok(reader),
            Err(error) => {
                log::pass_on(py);
                py.check_signals()?;
                let later = [ErrorKind::NotFound, ErrorKind::TimedOut, ErrorKind::TooMany];
                if !later.contains(&error.kind()) || deadline.slice().is_none() {
                    return Err(raise(error));
                }
            }
        }
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
    fn py_new(
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
        let reader = open(py, name, &options, Deadline::after(wait, "wait")?)?;
        log::pass_on(py);
        Ok(Self::new(reader, name, reattach))
    }

    /// The next record, waiting up to `timeout` seconds for it, for ever without. None when the
    /// time is over.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Record>> {
        self.read_until(py, Deadline::after(timeout, "timeout")?)
    }

    /// The next record if there is one now.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Record>> {
        self.with(|reader| {
            let found = py.detach(|| reader.try_next()).map_err(raise)?;
            Ok(found.map(Record::new))
        })
    }

    /// Waits up to `timeout` seconds until there may be something to read; whether there is.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = Deadline::after(timeout, "timeout")?;
        self.with(|reader| {
            if py.detach(|| reader.ready()).map_err(raise)? {
                return Ok(true);
            }
            let look = |slice| Ok(reader.wait(slice)?.then_some(()));
            Ok(wait_for(py, deadline, look)?.is_some())
        })
    }

    /// Goes to another place of the stream. `age` is how many seconds ago the record was published
    /// that `key_before` means.
    #[pyo3(signature = (place, *, age=0.0))]
    fn seek(&self, place: &Bound<'_, PyAny>, age: f64) -> PyResult<()> {
        let (place, age) = (stream_info::place(place)?, seconds(age, "age")?);
        self.with(|reader| reader.seek(place, age).map_err(raise))
    }

    /// Asks the writer for a key record.
    fn request_key_frame(&self) -> PyResult<()> {
        self.with(|reader| reader.request_key_frame().map_err(raise))
    }

    /// A descriptor that becomes readable when there may be a record. Each time, call `try_next`
    /// until it returns None. It belongs to the reader.
    fn fileno(&self) -> PyResult<i32> {
        self.with(|reader| {
            if let Some(descriptor) = self.descriptor.get() {
                return Ok(descriptor.as_raw_fd());
            }
            let descriptor = reader.fd().try_clone_to_owned()?;
            Ok(self.descriptor.get_or_init(|| descriptor).as_raw_fd())
        })
    }

    /// Records delivered.
    #[getter]
    fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Records that passed without being delivered, seeks left out.
    #[getter]
    fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    /// Random id of the writer attached to, 0 while there is none.
    #[getter]
    fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    /// Records that are held in place now, by records or by views.
    #[getter]
    fn held(&self) -> PyResult<u32> {
        self.with(|reader| Ok(reader.held()))
    }

    /// The lane as of the last attach, None while there is no writer.
    #[getter]
    fn lane<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let lane = self.with(|reader| Ok(reader.lane().cloned()))?;
        lane.map(|lane| stream_info::stream(py, lane)).transpose()
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Stops reading, from any thread: a waiting read raises `Closed`. Records stay valid.
    fn close(&self, py: Python<'_>) {
        self.closed.store(true, Relaxed);
        self.closer.close();
        // One that is being read is dropped by whoever reads it.
        if let Ok(mut reader) = self.reader.try_lock() {
            let reader = reader.take();
            py.detach(|| drop(reader));
        }
        log::pass_on(py);
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
        match self.read_until(py, Deadline::after(None, "timeout")?) {
            Err(error) if self.ends_loop(py, &error) => Ok(None),
            read => read,
        }
    }

    fn __aiter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("framelane._aio")?
            .getattr("each")?
            .call1((&slf, slf.get().ends_with_writer))
    }

    /// Like `read`, in an asyncio loop.
    #[pyo3(signature = (timeout=None))]
    fn read_async<'py>(slf: Bound<'py, Self>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("framelane._aio")?.getattr("read")?.call1((&slf, timeout))
    }

    fn __repr__(&self) -> String {
        format!("<framelane.StreamReader {:?}>", self.name)
    }
}
