//! A frame under lease.
#![allow(unsafe_code, reason = "a slot of the buffer protocol, passed on to a plane")]

use crate::bytes::with_bytes_mut;
use crate::descriptor;
use crate::errors::{failure, invalid, raise};
use crate::plane::{Bytes, Plane, export, is_bare, leased_span};
use crate::{dlpack, shape};
use framelane::{ErrorKind, monotonic_ns};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::ffi::c_int;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A frame that is held: its bytes stay as they are until it is released and its last view is gone.
#[pyclass(frozen, module = "framelane")]
pub struct Frame {
    held: Mutex<Option<Arc<framelane::Frame>>>,
    /// The lease for as long as this object lives, where somebody was given a bare address: what
    /// asks for no more than that may keep it longer than the buffer it came with.
    pinned: OnceLock<Arc<framelane::Frame>>,
    /// Number of the frame in its epoch, from 1.
    #[pyo3(get)]
    sequence: u64,
    /// Frames that passed between the one before and this one.
    #[pyo3(get)]
    missed: u64,
    /// Whether this is the first frame after the producer was restarted.
    #[pyo3(get)]
    new_epoch: bool,
    /// Switch epoch under which a switch read the frame; 0 of any other reader.
    #[pyo3(get)]
    switch_epoch: u64,
    /// Index of the lane of a switch that the frame comes from; 0 of any other reader.
    #[pyo3(get)]
    lane_index: usize,
    /// Whether this is the first frame that a switch delivers under another selection.
    #[pyo3(get)]
    switched: bool,
}

impl Frame {
    pub fn new(frame: framelane::Frame) -> Self {
        Frame {
            sequence: frame.sequence(),
            missed: frame.missed(),
            new_epoch: frame.new_epoch(),
            switch_epoch: frame.switch_epoch(),
            lane_index: frame.lane_index(),
            switched: frame.switched(),
            held: Mutex::new(Some(Arc::new(frame))),
            pinned: OnceLock::new(),
        }
    }

    fn take(&self) -> Option<Arc<framelane::Frame>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn frame(&self) -> PyResult<Arc<framelane::Frame>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or_else(|| invalid(format!("frame {} was released", self.sequence)))
    }

    fn picture(&self) -> PyResult<Plane> {
        let frame = self.frame()?;
        let what = frame.descriptor();
        let Some((shape, planes)) = shape::of_picture(what) else {
            return Err(no_picture());
        };
        let mut span = leased_span(&frame, 0)?;
        for index in 1..planes {
            // They follow each other, says the shape; that all are inside, says this.
            span = span.extended(span.len() + leased_span(&frame, index)?.len());
        }
        Ok(Plane::new(Bytes::Leased(frame), span, shape))
    }
}

/// The planes of a picture lie so that they are no array together.
pub fn no_picture() -> PyErr {
    failure(ErrorKind::Unsupported, "the planes of this frame are not one array: use .planes")
}

#[pymethods]
impl Frame {
    /// Producer incarnation the frame comes from.
    #[getter]
    fn epoch(&self) -> PyResult<u64> {
        Ok(self.frame()?.epoch())
    }

    /// Slot the frame is in; a small number to key caches by.
    #[getter]
    fn slot(&self) -> PyResult<usize> {
        Ok(self.frame()?.slot())
    }

    /// Whether the frame was released.
    #[getter]
    fn released(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Everything the producer said about the frame, copied.
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        descriptor::to_python(py, self.frame()?.descriptor())
    }

    /// Width in pixels.
    #[getter]
    fn width(&self) -> PyResult<u32> {
        Ok(self.frame()?.descriptor().width)
    }

    /// Height in pixels.
    #[getter]
    fn height(&self) -> PyResult<u32> {
        Ok(self.frame()?.descriptor().height)
    }

    /// Seconds since it was published.
    #[getter]
    fn age(&self) -> PyResult<f64> {
        let published = self.frame()?.descriptor().publish_ns;
        Ok(monotonic_ns().saturating_sub(published) as f64 / 1e9)
    }

    /// The picture as a NumPy array.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.picture()?.into_array(py)
    }

    /// The planes, in place.
    #[getter]
    fn planes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let frame = self.frame()?;
        let mut planes = Vec::with_capacity(4);
        for index in 0..frame.plane_count() {
            let (span, shape) =
                (leased_span(&frame, index)?, shape::of_plane(frame.descriptor(), index));
            planes.push(Bound::new(py, Plane::new(Bytes::Leased(frame.clone()), span, shape))?);
        }
        PyTuple::new(py, planes)
    }

    /// Whether everything read from the frame before this call counts.
    fn check(&self) -> PyResult<bool> {
        Ok(self.frame()?.check())
    }

    /// A descriptor of the dma-buf or memfd that one plane is in; the caller owns and closes it.
    fn plane_fd(&self, plane: usize) -> PyResult<i32> {
        let fd = self.frame()?.plane_fd(plane).map_err(raise)?;
        Ok(std::os::fd::IntoRawFd::into_raw_fd(fd))
    }

    /// Copies one plane, padding included, and says so if the copy is not whole.
    fn copy_to(&self, py: Python<'_>, plane: usize, into: &Bound<'_, PyAny>) -> PyResult<()> {
        let frame = self.frame()?;
        with_bytes_mut(into, |into| py.detach(|| frame.copy_to(plane, into)).map_err(raise))
    }

    /// Gives the frame back. Views that are left keep the lease until the last of them is gone.
    fn release(&self) -> PyResult<()> {
        match self.take().map(Arc::try_unwrap) {
            None => Ok(()),
            Some(Ok(frame)) => frame.release().map_err(raise),
            Some(Err(viewed)) if viewed.check() => Ok(()),
            Some(Err(_)) => Err(failure(
                ErrorKind::Revoked,
                format!("frame {} was taken back at its deadline", self.sequence),
            )),
        }
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind, _error, _trace, /))]
    fn __exit__(
        &self,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        match self.release() {
            // The error that is on its way matters more.
            Err(_) if !kind.is_none() => Ok(()),
            released => released,
        }
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.picture()?.into_array_as(py, dtype, copy)
    }

    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let stream = stream.as_ref();
        let request = dlpack::Request { stream, max_version, dl_device, copy };
        Plane::dlpack(Bound::new(py, self.picture()?)?, &request)
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::DEVICE
    }

    fn __repr__(&self) -> String {
        let state = if self.released() { " released" } else { "" };
        format!("<framelane.Frame {}{state}>", self.sequence)
    }

    /// # Safety
    /// `view` is what the interpreter passes to a bf_getbuffer slot.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let frame = slf.get();
        if is_bare(flags) {
            let held = frame.frame()?;
            frame.pinned.get_or_init(|| held);
        }
        // SAFETY: the view is passed on as it came.
        unsafe { export(slf.py(), frame.picture()?, view, flags) }
    }

    /// Never called, since a plane is the exporter; that there is one tells others that a buffer
    /// has to be held on to.
    ///
    /// # Safety
    /// `_view` is what the interpreter passes to a bf_releasebuffer slot.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {}
}
