//! A claimed frame being filled.
#![allow(unsafe_code, reason = "a slot of the buffer protocol, passed on to a plane")]

use crate::bytes::with_bytes;
use crate::descriptor;
use crate::errors::{failure, invalid, raise};
use crate::frame::no_picture;
use crate::plane::{Bytes, Plane, Span, export};
use crate::shape::{self, Shape};
use framelane::{ErrorKind, FrameDescriptor};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyMemoryView, PyTuple};
use std::ffi::c_int;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A claimed slot. Its frame and every buffer taken from it have one of these; only when the frame
/// has the last one can it be published.
pub struct Claimed {
    frame: Mutex<framelane::FrameMut>,
    payload: Span,
}

/// A slot of the lane to be filled, then published.
///
/// In a `with` statement it is published at the end, and abandoned when an error comes out.
#[pyclass(frozen, module = "framelane")]
pub struct FrameMut {
    claimed: Mutex<Option<Arc<Claimed>>>,
    /// What was handed out to be changed, a `FrameInfo`.
    info: Mutex<Option<Py<PyAny>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FrameMut {
    pub fn new(mut frame: framelane::FrameMut) -> Self {
        let payload = frame.payload_mut();
        let payload = Span::new(payload.as_mut_ptr(), payload.len());
        let claimed = Arc::new(Claimed { frame: Mutex::new(frame), payload });
        FrameMut { claimed: Mutex::new(Some(claimed)), info: Mutex::new(None) }
    }

    fn claimed(&self) -> PyResult<Arc<Claimed>> {
        let claimed = lock(&self.claimed).clone();
        let claimed = claimed.ok_or_else(|| invalid("the frame was published or abandoned"))?;
        // Memory of a claim is not there in a forked child; this answers so.
        if let Err(error) = lock(&claimed.frame).plane_mut(0)
            && error.kind() == ErrorKind::Forked
        {
            return Err(raise(error));
        }
        Ok(claimed)
    }

    /// What the frame will say about itself, as things stand.
    fn descriptor(&self, py: Python<'_>, claimed: &Claimed) -> PyResult<FrameDescriptor> {
        let info = lock(&self.info).as_ref().map(|info| info.clone_ref(py));
        match info {
            Some(info) => descriptor::from_python(info.bind(py)),
            None => Ok(*lock(&claimed.frame).descriptor_mut()),
        }
    }

    fn span(claimed: &Claimed, what: &FrameDescriptor, index: usize) -> PyResult<Span> {
        let plane = &what.planes[index];
        let (offset, size, room) = (plane.offset_bytes, plane.size_bytes, claimed.payload.len());
        claimed.payload.part(offset, size).ok_or_else(|| {
            let text = format!("a plane at {offset} of {size} bytes does not fit in {room}");
            failure(ErrorKind::Protocol, text)
        })
    }

    fn picture(&self, py: Python<'_>) -> PyResult<Plane> {
        let claimed = self.claimed()?;
        let what = self.descriptor(py, &claimed)?;
        let (shape, planes) = shape::of_picture(&what).ok_or_else(no_picture)?;
        let mut span = Self::span(&claimed, &what, 0)?;
        for index in 1..planes {
            span = span.extended(span.len() + Self::span(&claimed, &what, index)?.len());
        }
        Ok(Plane::new(Bytes::Claimed(Arc::downgrade(&claimed)), span, shape))
    }

    /// Fails while somebody could still write the slot.
    pub fn refuse_viewed(&self) -> PyResult<()> {
        match &*lock(&self.claimed) {
            None => Err(invalid("the frame was published or abandoned")),
            Some(claimed) if Arc::strong_count(claimed) > 1 => Err(PyBufferError::new_err(
                "a view of the frame could still write it: delete the array, or write through \
                 frame.array[:]",
            )),
            Some(_) => Ok(()),
        }
    }

    /// The claim, with what `info` says; nobody else has it any more.
    pub fn take(&self, py: Python<'_>) -> PyResult<framelane::FrameMut> {
        self.refuse_viewed()?;
        drop(self.claimed()?);
        let info = lock(&self.info).take();
        let what = info.map(|info| descriptor::from_python(info.bind(py))).transpose()?;
        let claimed = lock(&self.claimed).take().and_then(Arc::into_inner);
        let claimed = claimed.ok_or_else(|| invalid("the frame is used by another thread"))?;
        let mut frame = claimed.frame.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(what) = what {
            *frame.descriptor_mut() = what;
        }
        Ok(frame)
    }
}

#[pymethods]
impl FrameMut {
    /// What the frame will say about itself; changes count until it is published.
    #[getter]
    fn info(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let claimed = self.claimed()?;
        if let Some(info) = &*lock(&self.info) {
            return Ok(info.clone_ref(py));
        }
        let made = descriptor::to_python(py, &self.descriptor(py, &claimed)?)?.unbind();
        Ok(lock(&self.info).get_or_insert(made).clone_ref(py))
    }

    /// The picture as a NumPy array to be filled.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.picture(py)?.into_array(py)
    }

    /// The planes as `info` lays them out now, to be filled.
    #[getter]
    fn planes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let claimed = self.claimed()?;
        let what = self.descriptor(py, &claimed)?;
        let count = usize::from(what.plane_count).min(what.planes.len());
        let mut planes = Vec::with_capacity(count);
        for index in 0..count {
            let span = Self::span(&claimed, &what, index)?;
            let bytes = Bytes::Claimed(Arc::downgrade(&claimed));
            let plane = Plane::new(bytes, span, shape::of_plane(&what, index));
            planes.push(Bound::new(py, plane)?);
        }
        PyTuple::new(py, planes)
    }

    /// All bytes of the slot.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        let claimed = self.claimed()?;
        let bytes = Bytes::Claimed(Arc::downgrade(&claimed));
        let plane = Plane::new(bytes, claimed.payload, Shape::flat(claimed.payload.len()));
        let plane = Bound::new(py, plane)?;
        drop(claimed);
        PyMemoryView::from(plane.as_any())
    }

    /// Copies bytes to the start of the slot, counted as copied by the SDK.
    fn copy_from(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>) -> PyResult<()> {
        let claimed = self.claimed()?;
        with_bytes(bytes, |bytes| {
            py.detach(|| lock(&claimed.frame).copy_from(bytes)).map_err(raise)
        })
    }

    /// Makes the frame the newest of the lane; its sequence.
    fn publish(&self, py: Python<'_>) -> PyResult<u64> {
        self.take(py)?.publish().map_err(raise)
    }

    /// Gives the slot back unpublished, once its last view is gone.
    fn abandon(&self) {
        drop(lock(&self.claimed).take());
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind, _error, _trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if !kind.is_none() {
            self.abandon();
        } else if lock(&self.claimed).is_some() {
            self.publish(py)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> &'static str {
        match &*lock(&self.claimed) {
            Some(_) => "<framelane.FrameMut>",
            None => "<framelane.FrameMut done>",
        }
    }

    /// # Safety
    /// `view` is what the interpreter passes to a bf_getbuffer slot.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        // SAFETY: the view is passed on as it came.
        unsafe { export(slf.py(), slf.get().picture(slf.py())?, view, flags) }
    }

    /// As for `Frame`.
    ///
    /// # Safety
    /// `_view` is what the interpreter passes to a bf_releasebuffer slot.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {}
}
