//! The producer.

use crate::descriptor;
use crate::errors::{failure, invalid, raise};
use crate::frame_mut::FrameMut;
use crate::log;
use crate::options::Keywords;
use crate::waiting::Deadline;
use framelane::{ErrorKind, Returned};
use pyo3::prelude::*;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Owns a lane: claims slots, fills them, publishes them.
#[pyclass(frozen, module = "framelane")]
pub struct Producer {
    producer: Mutex<Option<Arc<framelane::Producer>>>,
    /// Name of the lane.
    #[pyo3(get)]
    name: String,
    /// Random id of this producer incarnation.
    #[pyo3(get)]
    epoch: u64,
    /// Runtime directory the lane's socket is in.
    #[pyo3(get)]
    directory: PathBuf,
}

/// The producer, for one call. Whoever lets go of it last ends the lane, which waits for a thread
/// that may be calling an owner: that must not happen with the interpreter held.
struct Held(Option<Arc<framelane::Producer>>);

impl Deref for Held {
    type Target = framelane::Producer;
    fn deref(&self) -> &framelane::Producer {
        self.0.as_ref().expect("there until it is dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(last) = self.0.take().and_then(Arc::into_inner) {
            Python::try_attach(|py| py.detach(|| drop(last)));
        }
    }
}

impl Producer {
    fn producer(&self) -> PyResult<Held> {
        let producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        producer.clone().map(|producer| Held(Some(producer))).ok_or_else(|| {
            failure(ErrorKind::Closed, format!("the producer of lane {:?} is closed", self.name))
        })
    }

    fn create(py: Python<'_>, name: &str, keywords: Keywords<'_>) -> PyResult<Self> {
        let options = keywords.options()?;
        let producer = py.detach(|| framelane::Producer::create(name, options)).map_err(raise)?;
        log::pass_on(py);
        Ok(Producer {
            name: producer.name().to_owned(),
            epoch: producer.epoch(),
            directory: producer.directory().to_owned(),
            producer: Mutex::new(Some(Arc::new(producer))),
        })
    }

    fn take(&self) -> Option<Arc<framelane::Producer>> {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[pymethods]
impl Producer {
    #[new]
    #[pyo3(signature = (
        name, format=None, width=None, height=None, *, stride_align=1, payload_bytes=None,
        lease_budget=8, claims=1, history=1, lossless=false, lease=0.0, frame_period=0.0,
        memory=None, device_buffers=Vec::new(), huge_pages="off", lock_memory=false,
        numa_node=None, access=None, trust="same_user", reclaim="thread", directory=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python class")]
    fn new(
        py: Python<'_>,
        name: &str,
        format: Option<Bound<'_, PyAny>>,
        width: Option<u32>,
        height: Option<u32>,
        stride_align: u32,
        payload_bytes: Option<u64>,
        lease_budget: u32,
        claims: u32,
        history: u32,
        lossless: bool,
        lease: f64,
        frame_period: f64,
        memory: Option<Bound<'_, PyAny>>,
        device_buffers: Vec<Bound<'_, PyAny>>,
        huge_pages: &str,
        lock_memory: bool,
        numa_node: Option<u32>,
        access: Option<Bound<'_, PyAny>>,
        trust: &str,
        reclaim: &str,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        #[rustfmt::skip]
        let keywords = Keywords {
            format, width, height, stride_align, payload_bytes, lease_budget, claims, history,
            lossless, lease, frame_period, memory, device_buffers, huge_pages, lock_memory,
            numa_node, access, trust, reclaim, directory,
        };
        Self::create(py, name, keywords)
    }

    /// Claims a slot at once, or within `timeout` seconds.
    #[pyo3(signature = (timeout=Some(0.0)))]
    fn claim(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<FrameMut> {
        log::pass_on(py);
        if timeout == Some(0.0) {
            return self.producer()?.claim().map(FrameMut::new).map_err(raise);
        }
        let deadline = Deadline::after(timeout, "timeout")?;
        loop {
            let slice = deadline.slice().unwrap_or_default();
            let producer = self.producer()?; // anew: it may be closed between two slices
            match py.detach(|| producer.claim_within(slice)) {
                Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
                    log::pass_on(py);
                    py.check_signals()?;
                    if deadline.slice().is_none() {
                        return Err(raise(error));
                    }
                }
                claimed => return claimed.map(FrameMut::new).map_err(raise),
            }
        }
    }

    /// Publishes claimed frames in order with one wake-up; the last sequence.
    fn publish_batch(&self, py: Python<'_>, frames: Vec<Bound<'_, FrameMut>>) -> PyResult<u64> {
        let producer = self.producer()?;
        for (index, frame) in frames.iter().enumerate() {
            if frames[..index].iter().any(|other| other.is(frame)) {
                return Err(invalid("a frame stands in the batch twice"));
            }
            frame.get().refuse_viewed()?;
        }
        let frames: Vec<_> =
            frames.iter().map(|frame| frame.get().take(py)).collect::<PyResult<_>>()?;
        producer.publish_batch(frames).map_err(raise)
    }

    /// Publishes a frame in device memory; its sequence. `owner(sequence, revoked)` is called once
    /// when the buffer may be used again.
    #[pyo3(signature = (info, owner=None))]
    fn publish_external(
        &self,
        py: Python<'_>,
        info: &Bound<'_, PyAny>,
        owner: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        let (producer, what) = (self.producer()?, descriptor::from_python(info)?);
        let give_back = Box::new(move |returned: Returned| {
            if let Some(owner) = owner {
                call_owner(owner, returned);
            }
        });
        py.detach(|| producer.publish_external(&what, give_back)).map_err(raise)
    }

    /// Calls the owners of returned buffers, on lanes made with `reclaim="pump"`; how many.
    fn reclaim(&self, py: Python<'_>) -> PyResult<usize> {
        let producer = self.producer()?;
        Ok(py.detach(|| producer.reclaim()))
    }

    /// Takes back the device frames that nobody holds, the newest included.
    fn recall(&self, py: Python<'_>) -> PyResult<()> {
        let producer = self.producer()?;
        py.detach(|| producer.recall());
        Ok(())
    }

    /// How the lane is: geometry, counts, consumers and what they hold.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        log::pass_on(py);
        let producer = self.producer()?;
        let report = py.detach(|| Box::new(producer.report()));
        descriptor::report(py, &report)
    }

    /// Number of consumers attached now.
    #[getter]
    fn consumers(&self) -> PyResult<usize> {
        Ok(self.producer()?.consumers())
    }

    /// Whether the lane was ended.
    #[getter]
    fn closed(&self) -> bool {
        self.producer.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Ends the lane. Consumers are told; frames in the slots that they hold stay valid.
    fn close(&self, py: Python<'_>) {
        let producer = self.take();
        // It waits for its threads, one of which may be calling an owner.
        py.detach(|| drop(producer));
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

    fn __repr__(&self) -> String {
        let state = if self.closed() { " closed" } else { "" };
        format!("<framelane.Producer {:?}{state}>", self.name)
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        let producer = self.take();
        // As in `close`. Where the interpreter is on its way out, no owner is called any more.
        Python::try_attach(|py| py.detach(|| drop(producer)));
    }
}

/// Runs an owner on the return thread; what it raises is logged, since nobody is there to catch it.
fn call_owner(owner: Py<PyAny>, returned: Returned) {
    Python::try_attach(|py| {
        if let Err(error) = owner.call1(py, (returned.sequence, returned.revoked)) {
            let log = || {
                py.import("framelane._log")?
                    .getattr("owner_failed")?
                    .call1((returned.sequence, &error))
            };
            if log().is_err() {
                error.write_unraisable(py, Some(owner.bind(py)));
            }
        }
    });
}
