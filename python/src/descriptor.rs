//! Descriptors as Python objects, `framelane.FrameInfo`.

use crate::errors::invalid;
use framelane::FrameDescriptor;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict};
use zerocopy::{FromBytes, IntoBytes};

static FRAME_INFO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static LANE_INFO: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static REPORT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// A class that is made in Python, looked up once.
pub fn class<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyAny>>,
    name: &str,
) -> PyResult<&'py Bound<'py, PyAny>> {
    let load = || Ok::<_, PyErr>(py.import("framelane")?.getattr(name)?.unbind());
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

/// What a consumer knows about its lane, as a `LaneInfo`.
pub fn lane_info<'py>(py: Python<'py>, lane: framelane::LaneInfo) -> PyResult<Bound<'py, PyAny>> {
    let facts = PyDict::new(py);
    facts.set_item("name", lane.name)?;
    facts.set_item("epoch", lane.epoch)?;
    facts.set_item("consumer_id", lane.consumer_id)?;
    facts.set_item("leases", lane.leases)?;
    facts.set_item("slots", lane.slots)?;
    facts.set_item("history", lane.history)?;
    facts.set_item("memory_kind", lane.memory_kind.number())?;
    facts.set_item("flags", lane.flags)?;
    facts.set_item("payload_bytes", lane.payload_bytes)?;
    facts.set_item("lease_ns", lane.lease_ns)?;
    facts.set_item("total_bytes", lane.total_bytes)?;
    facts.set_item("producer_pid", lane.producer_pid)?;
    facts.set_item("producer_uid", lane.producer_uid)?;
    class(py, &LANE_INFO, "LaneInfo")?.call((), Some(&facts))
}

/// A structure of the schema as an object of a class that has its fields.
pub fn copied<'py>(
    py: Python<'py>,
    class: &Bound<'py, PyAny>,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    class.call_method1("from_buffer_copy", (PyBytes::new(py, bytes),))
}

/// What an object of such a class says now.
pub fn read_back<T: FromBytes>(
    object: &Bound<'_, PyAny>,
    class: &Bound<'_, PyAny>,
    name: &str,
) -> PyResult<T> {
    if !object.is_instance(class)? {
        return Err(invalid(format!("a {name} is needed")));
    }
    let bytes = object.py().get_type::<PyBytes>().call1((object,))?.cast_into::<PyBytes>()?;
    T::read_from_bytes(bytes.as_bytes())
        .map_err(|_| invalid(format!("the {name} has another size than in the schema")))
}

/// What a `FrameInfo` says now.
pub fn from_python(info: &Bound<'_, PyAny>) -> PyResult<FrameDescriptor> {
    read_back(info, class(info.py(), &FRAME_INFO, "FrameInfo")?, "FrameInfo")
}
