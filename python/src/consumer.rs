//! The consumer.

use crate::descriptor;
use crate::errors::{failure, invalid, raise};
use crate::frame::Frame;
use crate::log;
use crate::options;
use crate::waiting::{Deadline, seconds, wait_for};
use framelane::{Closer, ConsumerOptions, ErrorKind, Mode, monotonic_ns};
use pyo3::prelude::*;
use rustix::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};
use std::time::Duration;

/// Reads a lane. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct Consumer {
    consumer: Mutex<Option<framelane::Consumer>>,
    closer: Closer,
    /// Name of the lane.
    #[pyo3(get)]
    name: String,
    ends_with_producer: bool,
    closed: AtomicBool,
    /// A duplicate of the consumer's: it stays open, and tells of closing, for those who poll it.
    descriptor: OnceLock<OwnedFd>,
    // As of the last read, so that other threads can ask while one waits.
    received: AtomicU64,
    missed: AtomicU64,
    epoch: AtomicU64,
}

type Found = framelane::Result<Option<framelane::Frame>>;

impl Consumer {
    /// The consumer for a call of this thread's.
    fn lock(&self) -> PyResult<MutexGuard<'_, Option<framelane::Consumer>>> {
        match self.consumer.try_lock() {
            Ok(consumer) => Ok(consumer),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid(format!(
                "another thread reads from this consumer of lane {:?}: open one for each thread",
                self.name
            ))),
        }
    }

    fn closed_error(&self) -> PyErr {
        let text = format!("this consumer of lane {:?} is closed", self.name);
        failure(ErrorKind::Closed, text)
    }

    fn with<T>(&self, body: impl FnOnce(&mut framelane::Consumer) -> PyResult<T>) -> PyResult<T> {
        if self.closed.load(Relaxed) {
            return Err(self.closed_error());
        }
        let mut guard = self.lock()?;
        let done = body(guard.as_mut().ok_or_else(|| self.closed_error())?);
        if let Some(consumer) = guard.as_ref() {
            self.received.store(consumer.received(), Relaxed);
            self.missed.store(consumer.missed(), Relaxed);
            self.epoch.store(consumer.epoch(), Relaxed);
        }
        if self.closed.load(Relaxed) {
            *guard = None; // by another thread meanwhile, which could not
        }
        done
    }

    /// One look. Where nothing is there it may have to look for a producer, with the interpreter
    /// let go; where something is, letting go would cost more than the look.
    fn look<T: Send>(
        py: Python<'_>,
        consumer: &mut framelane::Consumer,
        look: impl FnOnce(&mut framelane::Consumer) -> framelane::Result<T> + Send,
    ) -> framelane::Result<T> {
        match consumer.is_ready() {
            true => look(consumer),
            false => py.detach(|| look(consumer)),
        }
    }

    fn read_until(&self, py: Python<'_>, deadline: Deadline) -> PyResult<Option<Frame>> {
        self.with(|consumer| {
            let found =
                match Self::look(py, consumer, framelane::Consumer::try_next).map_err(raise)? {
                    Some(frame) => Some(frame),
                    None => wait_for(py, deadline, |slice| consumer.next(slice))?,
                };
            Ok(found.map(Frame::new))
        })
    }

    /// Whether an error is the natural end of a loop over frames.
    fn ends_loop(&self, py: Python<'_>, error: &PyErr) -> bool {
        let kind = error.value(py).getattr("kind").and_then(|kind| kind.extract::<u32>());
        kind.is_ok_and(|kind| {
            kind == ErrorKind::Closed.number()
                || self.ends_with_producer && kind == ErrorKind::Disconnected.number()
        })
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
        let options = ConsumerOptions::new(mode.as_ref().map_or(Ok(Mode::Latest), options::mode)?)
            .leases(leases)
            .reattach(reattach)
            .return_on_signal(true)
            .wants_writable(writable)
            .directory(directory);
        framelane_hobot::register();
        let deadline = Deadline::after(wait, "wait")?;
        let consumer = loop {
            let slice = deadline.slice().unwrap_or_default();
            let options = options.clone().wait_for_lane(slice);
            match py.detach(|| framelane::Consumer::open(name, options)) {
                Ok(consumer) => break consumer,
                Err(error) => {
                    log::pass_on(py);
                    py.check_signals()?;
                    let later = [ErrorKind::NotFound, ErrorKind::TimedOut, ErrorKind::TooMany];
                    if !later.contains(&error.kind()) || deadline.slice().is_none() {
                        return Err(raise(error));
                    }
                }
            }
        };
        log::pass_on(py);
        Ok(Consumer {
            closer: consumer.closer(),
            name: name.to_owned(),
            ends_with_producer: !reattach,
            closed: AtomicBool::new(false),
            descriptor: OnceLock::new(),
            received: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            epoch: AtomicU64::new(consumer.epoch()),
            consumer: Mutex::new(Some(consumer)),
        })
    }

    /// The next frame of this consumer's mode, waiting up to `timeout` seconds for it, for ever
    /// without. None when the time is over.
    #[pyo3(signature = (timeout=None))]
    fn read(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Frame>> {
        self.read_until(py, Deadline::after(timeout, "timeout")?)
    }

    /// The next frame if there is one now.
    fn try_next(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        self.with(|consumer| {
            let found = Self::look(py, consumer, framelane::Consumer::try_next);
            Ok(found.map_err(raise)?.map(Frame::new))
        })
    }

    /// The newest valid frame, also one that was delivered before; None when there is none, or
    /// none published within the last `max_age` seconds.
    #[pyo3(signature = (*, max_age=None))]
    fn read_latest(&self, py: Python<'_>, max_age: Option<f64>) -> PyResult<Option<Frame>> {
        let max_age = max_age.map(|age| seconds(age, "max_age")).transpose()?;
        let found: Found =
            self.with(|consumer| Ok(Self::look(py, consumer, framelane::Consumer::latest)))?;
        let fresh = |frame: &framelane::Frame| {
            max_age.is_none_or(|age| {
                let is = monotonic_ns().saturating_sub(frame.descriptor().publish_ns);
                u128::from(is) <= age.as_nanos()
            })
        };
        Ok(found.map_err(raise)?.filter(fresh).map(Frame::new))
    }

    /// Waits up to `timeout` seconds until there is something to read; whether there is.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = Deadline::after(timeout, "timeout")?;
        self.with(|consumer| {
            let now = |consumer: &mut framelane::Consumer| consumer.wait(Duration::ZERO);
            if Self::look(py, consumer, now).map_err(raise)? {
                return Ok(true);
            }
            let look = |slice| Ok(consumer.wait(slice)?.then_some(()));
            Ok(wait_for(py, deadline, look)?.is_some())
        })
    }

    /// A descriptor that becomes readable when there may be a frame. Each time, call `try_next`
    /// until it returns None. It belongs to the consumer.
    fn fileno(&self) -> PyResult<i32> {
        self.with(|consumer| {
            if let Some(descriptor) = self.descriptor.get() {
                return Ok(descriptor.as_raw_fd());
            }
            let descriptor = consumer.fd().try_clone_to_owned()?;
            Ok(self.descriptor.get_or_init(|| descriptor).as_raw_fd())
        })
    }

    /// Frames delivered.
    #[getter]
    fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// Frames that passed without being delivered.
    #[getter]
    fn missed(&self) -> u64 {
        self.missed.load(Relaxed)
    }

    /// Random id of the producer attached to, 0 while there is none.
    #[getter]
    fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }

    /// Frames of this consumer that are held now, by frames or by views.
    #[getter]
    fn held(&self) -> PyResult<u32> {
        self.with(|consumer| Ok(consumer.held()))
    }

    /// The lane as of the last attach, None while there is no producer.
    #[getter]
    fn lane<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(lane) = self.with(|consumer| Ok(consumer.lane().cloned()))? else {
            return Ok(None);
        };
        descriptor::lane_info(py, lane).map(Some)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Stops reading, from any thread: a waiting read raises `Closed`. Frames that are held stay
    /// valid.
    fn close(&self, py: Python<'_>) {
        self.closed.store(true, Relaxed);
        self.closer.close();
        // One that is being read is dropped by whoever reads it.
        if let Ok(mut consumer) = self.consumer.try_lock() {
            let consumer = consumer.take();
            py.detach(|| drop(consumer));
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

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        match self.read_until(py, Deadline::after(None, "timeout")?) {
            Err(error) if self.ends_loop(py, &error) => Ok(None),
            read => read,
        }
    }

    fn __aiter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py()
            .import("framelane._aio")?
            .getattr("each")?
            .call1((&slf, slf.get().ends_with_producer))
    }

    /// Like `read`, in an asyncio loop.
    #[pyo3(signature = (timeout=None))]
    fn read_async<'py>(slf: Bound<'py, Self>, timeout: Option<f64>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("framelane._aio")?.getattr("read")?.call1((&slf, timeout))
    }

    fn __repr__(&self) -> String {
        format!("<framelane.Consumer {:?}>", self.name)
    }
}
