//! DLPack 1.x: pictures for array libraries, on the CPU, read-only where the frame is.
//!
//! Callers that know only the older protocol are refused: its capsule cannot say "read-only".
#![allow(unsafe_code, reason = "a struct that a consumer in C frees through a function pointer")]

use crate::shape::Shape;
use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::{CStr, c_void};

/// Type and number of the device: the first CPU.
pub const DEVICE: (i32, i32) = (1, 0);

const NAME: &CStr = c"dltensor_versioned";
const VERSION: Version = Version { major: 1, minor: 0 };
const READ_ONLY: u64 = 1;
const UNSIGNED: DataType = DataType { code: 1, bits: 8, lanes: 1 };

#[repr(C)]
struct Version {
    major: u32,
    minor: u32,
}

#[repr(C)]
struct Device {
    kind: i32,
    number: i32,
}

#[repr(C)]
struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct Tensor {
    data: *mut c_void,
    device: Device,
    dimensions: i32,
    data_type: DataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    version: Version,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
    flags: u64,
    tensor: Tensor,
}

/// The tensor and what it points to, freed together.
#[repr(C)]
struct Shared {
    managed: Managed,
    counts: [i64; 3],
    strides: [i64; 3],
    owner: Py<PyAny>,
}

/// What a caller of `__dlpack__` asks for.
pub struct Request<'a> {
    pub stream: Option<&'a Bound<'a, PyAny>>,
    pub max_version: Option<(u32, u32)>,
    pub dl_device: Option<(i32, i32)>,
    pub copy: Option<bool>,
}

impl Request<'_> {
    /// Fails where the answer would not be what was asked for.
    pub fn check(&self, writable: bool) -> PyResult<()> {
        let refused = if self.max_version.is_none_or(|(major, _)| major < VERSION.major) {
            "DLPack before 1.0 cannot say that a frame is read-only: give max_version=(1, 0)"
        } else if self.stream.is_some() {
            "a frame in memory of the CPU has no stream"
        } else if self.dl_device.is_some_and(|device| device != DEVICE) {
            "a frame is in memory of the CPU"
        } else if self.copy == Some(true) {
            "copy the array that is made of it"
        } else if writable {
            "a claimed frame has to be published, which an array made of it would not notice"
        } else {
            return Ok(());
        };
        Err(PyBufferError::new_err(refused))
    }
}

/// A capsule for read-only bytes that `owner` keeps.
pub fn capsule<'py>(
    py: Python<'py>,
    address: *mut u8,
    shape: &Shape,
    owner: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let tensor = Tensor {
        data: address.cast(),
        device: Device { kind: DEVICE.0, number: DEVICE.1 },
        dimensions: shape.dimensions as i32,
        data_type: UNSIGNED,
        shape: std::ptr::null_mut(),
        strides: std::ptr::null_mut(),
        byte_offset: 0,
    };
    let managed = Managed {
        version: VERSION,
        context: std::ptr::null_mut(),
        deleter: Some(delete),
        flags: READ_ONLY,
        tensor,
    };
    let counts = shape.counts.map(|count| count as i64);
    let strides = shape.strides.map(|stride| stride as i64);
    let shared =
        Box::into_raw(Box::new(Shared { managed, counts, strides, owner: owner.unbind() }));
    // SAFETY: just made, and nobody else knows it yet.
    unsafe {
        (*shared).managed.tensor.shape = (&raw mut (*shared).counts).cast();
        (*shared).managed.tensor.strides = (&raw mut (*shared).strides).cast();
    }
    // SAFETY: the name is static and the destructor is for this kind of capsule.
    let made = unsafe { ffi::PyCapsule_New(shared.cast(), NAME.as_ptr(), Some(unused)) };
    if made.is_null() {
        // SAFETY: nobody else knows it.
        unsafe { delete(shared.cast()) };
        return Err(PyErr::fetch(py));
    }
    // SAFETY: a new reference, checked above.
    Ok(unsafe { Bound::from_owned_ptr(py, made) })
}

/// Called by whoever took the tensor, on any thread.
unsafe extern "C" fn delete(managed: *mut Managed) {
    // SAFETY: `managed` is the first field of a Shared made by `capsule`, freed once.
    let shared = unsafe { Box::from_raw(managed.cast::<Shared>()) };
    // Where the interpreter is on its way out, the process's end frees the rest.
    let shared = std::mem::ManuallyDrop::new(shared);
    let _ = Python::try_attach(|_| drop(std::mem::ManuallyDrop::into_inner(shared)));
}

/// Destructor of a capsule that nobody took; one that was taken has another name by then.
unsafe extern "C" fn unused(capsule: *mut ffi::PyObject) {
    // SAFETY: called by the interpreter with the capsule; the pointer is asked for by its name.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, NAME.as_ptr()) == 1 {
            delete(ffi::PyCapsule_GetPointer(capsule, NAME.as_ptr()).cast());
        }
    }
}
