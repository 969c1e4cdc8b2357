//! A record that was read.
#![allow(unsafe_code, reason = "a slot of the buffer protocol, passed on to a plane")]

use crate::dlpack;
use crate::errors::invalid;
use crate::plane::{Bytes, Plane, Span, export, is_bare};
use crate::shape::Shape;
use crate::stream_info;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;
use std::ffi::c_int;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A record: its own copy, or of a lossless reader the bytes in place, which stay as they are until
/// it is released and its last view is gone.
#[pyclass(frozen, module = "framelane")]
pub struct Record {
    held: Mutex<Option<Arc<framelane::Record>>>,
    /// As for `Frame`: kept for who was given a bare address.
    pinned: OnceLock<Arc<framelane::Record>>,
    /// Number of the record in its epoch, from 1.
    #[pyo3(get)]
    sequence: u64,
    /// Whether decoding can start here.
    #[pyo3(get)]
    is_key: bool,
    /// Records that passed between the one before and this one, without those that a `LappedError`
    /// has told of.
    #[pyo3(get)]
    missed: u64,
    /// Whether this is the first record under its config, of those that were read.
    #[pyo3(get)]
    new_config: bool,
    /// Writer incarnation the record comes from.
    #[pyo3(get)]
    epoch: u64,
    /// Whether this is the first record after the writer was restarted.
    #[pyo3(get)]
    new_epoch: bool,
}

impl Record {
    pub fn new(record: framelane::Record) -> Self {
        Record {
            sequence: record.sequence(),
            is_key: record.is_key(),
            missed: record.missed(),
            new_config: record.new_config(),
            epoch: record.epoch(),
            new_epoch: record.new_epoch(),
            held: Mutex::new(Some(Arc::new(record))),
            pinned: OnceLock::new(),
        }
    }

    fn record(&self) -> PyResult<Arc<framelane::Record>> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or_else(|| invalid(format!("record {} was released", self.sequence)))
    }

    fn view(&self) -> PyResult<Plane> {
        let record = self.record()?;
        let bytes = record.bytes();
        let span = Span::new(bytes.as_ptr().cast_mut(), bytes.len());
        let shape = Shape::flat(bytes.len());
        Ok(Plane::new(Bytes::Recorded(record), span, shape))
    }
}

#[pymethods]
impl Record {
    /// What the record is, copied.
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        stream_info::record(py, self.record()?.info())
    }

    /// What the stream is, from this record to the next change, copied.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        stream_info::config(py, self.record()?.config())
    }

    /// Its bytes.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(Bound::new(py, self.view()?)?.as_any())
    }

    /// Its bytes as a NumPy array.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.view()?.into_array(py)
    }

    /// Whether the record was released.
    #[getter]
    fn released(&self) -> bool {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the record back. Views that are left keep its bytes until the last of them is gone.
    fn release(&self) {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(held); // after the guard: it may ring the writer
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.record()?.bytes().len())
    }

    /// A record of no bytes is a record.
    fn __bool__(&self) -> bool {
        true
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (_kind, _error, _trace, /))]
    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.release();
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.view()?.into_array_as(py, dtype, copy)
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
        Plane::dlpack(Bound::new(py, self.view()?)?, &request)
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::DEVICE
    }

    fn __repr__(&self) -> String {
        let key = if self.is_key { " key" } else { "" };
        let state = if self.released() { " released" } else { "" };
        format!("<framelane.Record {}{key}{state}>", self.sequence)
    }

    /// # Safety
    /// `view` is what the interpreter passes to a bf_getbuffer slot.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let record = slf.get();
        if is_bare(flags) {
            let held = record.record()?;
            record.pinned.get_or_init(|| held);
        }
        // SAFETY: the view is passed on as it came.
        unsafe { export(slf.py(), record.view()?, view, flags) }
    }

    /// As for `Frame`.
    ///
    /// # Safety
    /// `_view` is what the interpreter passes to a bf_releasebuffer slot.
    unsafe fn __releasebuffer__(&self, _view: *mut ffi::Py_buffer) {}
}
