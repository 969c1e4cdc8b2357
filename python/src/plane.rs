//! Views of the bytes of frames and records: what exports them to Python, and what keeps them.
#![allow(unsafe_code, reason = "the buffer protocol hands out addresses")]

use crate::frame_mut::Claimed;
use crate::shape::Shape;
use crate::{dlpack, errors, numpy};
use framelane::{Frame, Record};
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMemoryView, PyTuple};
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Weak};

/// Whose the bytes are.
#[derive(Clone)]
pub enum Bytes {
    /// A frame under lease. The lease ends with the last view of it.
    Leased(Arc<Frame>),
    /// A record that was read. It ends with the last view of it.
    Recorded(Arc<Record>),
    /// A claimed slot. Views may outlive the claim; buffers taken from them hold on to it.
    Claimed(Weak<Claimed>),
}

/// A range of a frame's memory.
#[derive(Clone, Copy)]
pub struct Span {
    address: *mut u8,
    bytes: usize,
}

// SAFETY: a span is an address and a length; who reads or writes there is for its holder to order.
unsafe impl Send for Span {}
// SAFETY: as above.
unsafe impl Sync for Span {}

impl Span {
    pub fn new(address: *mut u8, bytes: usize) -> Self {
        Span { address, bytes }
    }

    /// A part of this one; it is inside.
    pub fn part(self, offset: u64, bytes: u64) -> Option<Self> {
        let end = offset.checked_add(bytes)?;
        let inside = end <= self.bytes as u64;
        inside.then(|| Span {
            address: self.address.wrapping_add(offset as usize),
            bytes: bytes as usize,
        })
    }

    /// This one and the one that follows it, together `bytes` long.
    pub fn extended(self, bytes: usize) -> Self {
        Span { bytes, ..self }
    }

    pub fn len(self) -> usize {
        self.bytes
    }

    pub fn address(self) -> *mut u8 {
        self.address
    }
}

/// One plane of a frame, in place.
///
/// It is a buffer of bytes with the plane's true shape and strides, read-only for a frame that was
/// read. Whatever is made from it keeps the frame.
#[pyclass(frozen, module = "framelane")]
pub struct Plane {
    bytes: Bytes,
    span: Span,
    shape: Shape,
}

impl Plane {
    /// A view of `span`, which belongs to `bytes` and which `shape` does not leave.
    pub fn new(bytes: Bytes, span: Span, shape: Shape) -> Self {
        Plane { bytes, span, shape }
    }

    /// The same bytes in a row.
    pub fn flat(&self) -> Self {
        let shape = Shape::flat(self.span.bytes);
        Plane { bytes: self.bytes.clone(), span: self.span, shape }
    }

    fn is_writable(&self) -> bool {
        matches!(self.bytes, Bytes::Claimed(_))
    }

    /// The bytes as a NumPy array. One that is read keeps its lease by being based on a view; one
    /// that is written holds a buffer, so that its frame cannot be published under it.
    pub fn into_array<'py>(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (span, shape, writable) = (self.span, self.shape, self.is_writable());
        let plane = Bound::new(py, self)?;
        if writable {
            numpy::holding(plane, span.address, &shape)
        } else {
            numpy::based_on(plane, span.address, &shape)
        }
    }

    /// A NumPy array, in another type or copied where that is asked for.
    pub fn into_array_as<'py>(
        self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let array = self.into_array(py)?;
        if dtype.is_none() && copy != Some(true) {
            return Ok(array);
        }
        let numpy = py.import("numpy")?;
        let Some(copy) = copy else {
            return numpy.getattr("asarray")?.call1((array, dtype)); // a copy where it takes one
        };
        let arguments = PyDict::new(py);
        arguments.set_item("dtype", dtype)?;
        arguments.set_item("copy", copy)?;
        numpy.getattr("array")?.call((array,), Some(&arguments))
    }

    pub fn dlpack<'py>(
        slf: Bound<'py, Self>,
        request: &dlpack::Request<'_>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let plane = slf.get();
        request.check(plane.is_writable())?;
        dlpack::capsule(slf.py(), plane.span.address, &plane.shape, slf.clone().into_any())
    }
}

#[pymethods]
impl Plane {
    /// Counts of rows, samples, and bytes of a sample where there are several.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.shape.counts())
    }

    /// Bytes from one row, sample and byte to the next.
    #[getter]
    fn strides<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.shape.strides())
    }

    /// Size with the padding of its rows.
    #[getter]
    fn size_bytes(&self) -> usize {
        self.span.bytes
    }

    /// Whether it can be written.
    #[getter]
    fn writable(&self) -> bool {
        self.is_writable()
    }

    /// The plane as a NumPy array.
    #[getter]
    fn array<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        Plane { bytes: self.bytes.clone(), ..*self }.into_array(py)
    }

    /// All its bytes in a row, padding included.
    #[getter]
    fn raw<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(Bound::new(py, self.flat())?.as_any())
    }

    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        &self,
        py: Python<'py>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Plane { bytes: self.bytes.clone(), ..*self }.into_array_as(py, dtype, copy)
    }

    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        slf: Bound<'py, Self>,
        stream: Option<Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let stream = stream.as_ref();
        Plane::dlpack(slf, &dlpack::Request { stream, max_version, dl_device, copy })
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        dlpack::DEVICE
    }

    fn __len__(&self) -> usize {
        self.shape.counts[0] as usize
    }

    fn __repr__(&self) -> String {
        let access = if self.is_writable() { "writable" } else { "read-only" };
        format!("<framelane.Plane {:?} {access}>", self.shape.counts())
    }

    /// # Safety
    /// `view` is what the interpreter passes to a bf_getbuffer slot.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no view to fill"));
        }
        let plane = slf.get();
        // SAFETY: by contract of the slot valid for writes, also when an error is returned.
        unsafe { (*view).obj = std::ptr::null_mut() };
        refuse(plane, flags)?;
        let hold = match &plane.bytes {
            Bytes::Leased(_) | Bytes::Recorded(_) => std::ptr::null_mut(),
            // Until it is released this buffer is a claim of its own.
            Bytes::Claimed(claimed) => match claimed.upgrade() {
                Some(claimed) => Arc::into_raw(claimed).cast_mut().cast::<c_void>(),
                None => return Err(PyBufferError::new_err(GONE)),
            },
        };
        // SAFETY: `view` is valid for writes; the address and the lengths lie inside a frozen
        // object that the view keeps by its reference `obj`.
        unsafe { fill(view, &slf, flags, hold) };
        Ok(())
    }

    /// # Safety
    /// `view` was filled by `__getbuffer__`.
    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: `fill` put null or a reference of an Arc<Claimed> there, released once.
        unsafe {
            let hold = (*view).internal.cast::<Claimed>().cast_const();
            (*view).internal = std::ptr::null_mut();
            if !hold.is_null() {
                drop(Arc::from_raw(hold));
            }
        }
    }
}

const GONE: &str = "the frame was published or abandoned: its slot is not yours any more";

/// Whether no more than an address and its extent is asked for: a memoryview, which others hold on
/// to, also asks what the items are.
pub fn is_bare(flags: c_int) -> bool {
    flags & ffi::PyBUF_FORMAT == 0
}

/// Fails where a buffer of the kind that is asked for cannot be had.
fn refuse(plane: &Plane, flags: c_int) -> PyResult<()> {
    let wants = |flag: c_int| flags & flag == flag;
    if wants(ffi::PyBUF_WRITABLE) && !plane.is_writable() {
        return Err(PyBufferError::new_err("what was read is read-only"));
    }
    if plane.is_writable() && is_bare(flags) {
        // NumPy's `ndarray(buffer=...)`, for one, goes on writing when the buffer was released.
        return Err(PyBufferError::new_err("take a memoryview of it"));
    }
    let takes_strides = wants(ffi::PyBUF_STRIDES);
    let wants_none = [ffi::PyBUF_C_CONTIGUOUS, ffi::PyBUF_ANY_CONTIGUOUS];
    let contiguous = !takes_strides || wants_none.into_iter().any(wants);
    if contiguous && !plane.shape.is_contiguous() {
        return Err(PyBufferError::new_err("rows are padded: read it with strides, or use .raw"));
    }
    let one_row = plane.shape.counts().iter().filter(|&&count| count > 1).count() <= 1;
    if wants(ffi::PyBUF_F_CONTIGUOUS) && !one_row {
        return Err(PyBufferError::new_err("rows follow each other, columns do not"));
    }
    Ok(())
}

/// # Safety
/// `view` is valid for writes, and `hold` is null or a reference of an `Arc<Claimed>`.
unsafe fn fill(view: *mut ffi::Py_buffer, slf: &Bound<'_, Plane>, flags: c_int, hold: *mut c_void) {
    let plane = slf.get();
    let wants = |flag: c_int| flags & flag == flag;
    let some_if = |wanted: bool, pointer: *const isize| {
        if wanted { pointer.cast_mut() } else { std::ptr::null_mut() }
    };
    let shaped = wants(ffi::PyBUF_ND);
    let format =
        if wants(ffi::PyBUF_FORMAT) { c"B".as_ptr().cast_mut() } else { std::ptr::null_mut() };
    let filled = ffi::Py_buffer {
        buf: plane.span.address.cast(),
        obj: slf.clone().into_ptr(),
        len: plane.shape.bytes(),
        itemsize: 1,
        readonly: (!plane.is_writable()).into(),
        ndim: if shaped { plane.shape.dimensions as c_int } else { 1 },
        format,
        shape: some_if(shaped, plane.shape.counts.as_ptr()),
        strides: some_if(wants(ffi::PyBUF_STRIDES), plane.shape.strides.as_ptr()),
        suboffsets: std::ptr::null_mut(),
        internal: hold,
    };
    // SAFETY: by contract.
    unsafe { view.write(filled) };
}

/// Hands out a buffer of `plane` in the name of the frame it belongs to.
///
/// # Safety
/// `view` is what the interpreter passes to a bf_getbuffer slot.
pub unsafe fn export(
    py: Python<'_>,
    plane: Plane,
    view: *mut ffi::Py_buffer,
    flags: c_int,
) -> PyResult<()> {
    let plane = Bound::new(py, plane)?;
    // SAFETY: the view is passed on as it came; the plane becomes its exporter.
    match unsafe { ffi::PyObject_GetBuffer(plane.as_ptr(), view, flags) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(py)),
    }
}

/// The planes of a leased frame.
pub fn leased_span(frame: &Frame, index: usize) -> PyResult<Span> {
    if frame.descriptor().memory_kind == framelane::MemoryKind::Inline.number() {
        let bytes = frame.plane(index).map_err(errors::raise)?;
        return Ok(Span::new(bytes.as_ptr().cast_mut(), bytes.len()));
    }
    let bytes = frame.revocable_plane(index).map_err(errors::raise)?;
    Ok(Span::new(bytes.address.cast_mut(), bytes.len))
}
