//! Descriptors as Python objects, `framelane.FrameInfo`.

use crate::errors::invalid;
use framelane::FrameDescriptor;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyBytes;
use zerocopy::{FromBytes, IntoBytes};

static FRAME_INFO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static REPORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let load = || Ok::<_, PyErr>(py.import("framelane._info")?.getattr(name)?.unbind());
    Ok(cell.get_or_try_init(py, load)?.bind(py))
}

/// A copy of a descriptor as a `FrameInfo`.
pub fn to_python<'py>(py: Python<'py>, what: &FrameDescriptor) -> PyResult<Bound<'py, PyAny>> {
    copied(py, class(py, &FRAME_INFO, "FrameInfo")?, what.as_bytes())
}

/// A report as a `Report`.
pub fn report<'py>(py: Python<'py>, report: &framelane::Report) -> PyResult<Bound<'py, PyAny>> {
    copied(py, class(py, &REPORT, "Report")?, report.as_bytes())
}

fn copied<'py>(
    py: Python<'py>,
    class: &Bound<'py, PyAny>,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    class.call_method1("from_buffer_copy", (PyBytes::new(py, bytes),))
}

/// What a `FrameInfo` says now.
pub fn from_python(info: &Bound<'_, PyAny>) -> PyResult<FrameDescriptor> {
    let py = info.py();
    if !info.is_instance(class(py, &FRAME_INFO, "FrameInfo")?)? {
        return Err(invalid("a FrameInfo is needed"));
    }
    let bytes = py.get_type::<PyBytes>().call1((info,))?.cast_into::<PyBytes>()?;
    FrameDescriptor::read_from_bytes(bytes.as_bytes())
        .map_err(|_| invalid("the FrameInfo has another size than a descriptor"))
}
