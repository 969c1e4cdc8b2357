//! What is needed of NumPy, found at run time: the package is not built against it.
#![allow(unsafe_code, reason = "NumPy's C API")]

use crate::plane::Plane;
use crate::shape::Shape;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyMemoryView, PyTuple};
use std::ffi::{c_int, c_void};

/// What is used of NumPy, looked up once.
pub struct Numpy {
    ndarray: Py<PyAny>,
    asarray: Py<PyAny>,
    uint8: Py<PyAny>,
    functions: Option<Functions>,
}

static NUMPY: PyOnceLock<Numpy> = PyOnceLock::new();

impl Numpy {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        NUMPY.get_or_try_init(py, || {
            let module = py.import("numpy")?;
            let get = |name: &str| module.getattr(name).map(Bound::unbind);
            let uint8 = module.getattr("dtype")?.call1((module.getattr("uint8")?,))?.unbind();
            let functions = Functions::find(py);
            Ok(Numpy { ndarray: get("ndarray")?, asarray: get("asarray")?, uint8, functions })
        })
    }
}

/// A read-only array of what `owner` exports, which is kept by being the array's base. `address`
/// is where the array begins.
pub fn based_on<'py>(
    owner: Bound<'py, Plane>,
    address: *mut u8,
    shape: &Shape,
) -> PyResult<Bound<'py, PyAny>> {
    let py = owner.py();
    let numpy = Numpy::get(py)?;
    if let Some(functions) = &numpy.functions {
        return functions.array(numpy, owner.into_any(), address, shape, READ_ONLY);
    }
    // The slow way, which needs no more than NumPy's Python API.
    let (counts, strides) = (shape.counts(), shape.strides());
    let (counts, strides) = (PyTuple::new(py, counts)?, PyTuple::new(py, strides)?);
    numpy.ndarray.bind(py).call1((counts, numpy.uint8.bind(py), owner.get().flat(), 0, strides))
}

/// A writable array that holds a buffer of `exporter`, by having a memoryview as its base.
pub fn holding<'py>(
    exporter: Bound<'py, Plane>,
    address: *mut u8,
    shape: &Shape,
) -> PyResult<Bound<'py, PyAny>> {
    let numpy = Numpy::get(exporter.py())?;
    let view = PyMemoryView::from(exporter.as_any())?.into_any();
    match &numpy.functions {
        Some(functions) => functions.array(numpy, view, address, shape, WRITABLE),
        None => numpy.asarray.bind(exporter.py()).call1((view,)),
    }
}

type Object = *mut ffi::PyObject;
type NewFromDescr = unsafe extern "C" fn(
    class: Object,
    dtype: Object,
    dimensions: c_int,
    counts: *const isize,
    strides: *const isize,
    data: *mut c_void,
    flags: c_int,
    like: Object,
) -> Object;
type SetBaseObject = unsafe extern "C" fn(array: Object, base: Object) -> c_int;

/// Functions of NumPy's C API, whose table has kept these places since its first version. They make
/// an array in a third of the time, and an array is most of what a frame costs.
struct Functions {
    new_from_descr: NewFromDescr,
    set_base_object: SetBaseObject,
}

const ABI_VERSION: usize = 0;
const NEW_FROM_DESCR: usize = 94;
const SET_BASE_OBJECT: usize = 282;
/// Flags of an array; the other ones NumPy finds out by itself.
const READ_ONLY: c_int = 0;
const WRITABLE: c_int = 0x400;
/// Of NumPy 1 and 2: any other may have another table.
const KNOWN_ABIS: [u32; 2] = [0x0100_0009, 0x0200_0000];

impl Functions {
    fn find(py: Python<'_>) -> Option<Self> {
        let module = py
            .import("numpy._core._multiarray_umath")
            .or_else(|_| py.import("numpy.core._multiarray_umath"));
        let capsule = module.ok()?.getattr("_ARRAY_API").ok()?;
        // SAFETY: asked for by its name, none; NULL with an error for anything else.
        let table = unsafe { ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null()) };
        if table.is_null() {
            drop(PyErr::take(py));
            return None;
        }
        let table = table.cast::<*const c_void>();
        // SAFETY: NumPy's table is static, its first entry is this function in every version, and
        // the others are looked at only where that tells a version that has them there.
        unsafe {
            let version: extern "C" fn() -> u32 = std::mem::transmute(*table.add(ABI_VERSION));
            KNOWN_ABIS.contains(&version()).then(|| Functions {
                new_from_descr: std::mem::transmute::<*const c_void, NewFromDescr>(
                    *table.add(NEW_FROM_DESCR),
                ),
                set_base_object: std::mem::transmute::<*const c_void, SetBaseObject>(
                    *table.add(SET_BASE_OBJECT),
                ),
            })
        }
    }

    fn array<'py>(
        &self,
        numpy: &Numpy,
        base: Bound<'py, PyAny>,
        address: *mut u8,
        shape: &Shape,
        flags: c_int,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = base.py();
        // SAFETY: class and dtype are what they are called, the reference to the dtype is given
        // away as the function wants it; counts and strides are copied by it. The flags do not say
        // that the array owns its memory.
        let array = unsafe {
            (self.new_from_descr)(
                numpy.ndarray.as_ptr(),
                numpy.uint8.clone_ref(py).into_ptr(),
                shape.dimensions as c_int,
                shape.counts.as_ptr(),
                shape.strides.as_ptr(),
                address.cast(),
                flags,
                std::ptr::null_mut(),
            )
        };
        // SAFETY: a new reference, or NULL with an error set.
        let array = unsafe { Bound::from_owned_ptr_or_err(py, array)? };
        // SAFETY: an array without a base; the reference to the base is given away.
        match unsafe { (self.set_base_object)(array.as_ptr(), base.into_ptr()) } {
            0 => Ok(array),
            _ => Err(PyErr::fetch(py)),
        }
    }
}
