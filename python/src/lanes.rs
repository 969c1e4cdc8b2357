//! Looking at lanes from outside, and facts about this build.

use crate::descriptor;
use crate::errors::{invalid, raise};
use crate::options;
use crate::waiting::seconds;
use framelane::FrameDescriptor;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Names and runtime directories of the lanes that have a socket, by name.
#[pyfunction]
#[pyo3(signature = (directory=None))]
pub fn discover(py: Python<'_>, directory: Option<PathBuf>) -> PyResult<Vec<(String, PathBuf)>> {
    let lanes = py.detach(|| framelane::discover(directory.as_deref())).map_err(raise)?;
    Ok(lanes.into_iter().map(|lane| (lane.name, lane.directory)).collect())
}

/// Asks a lane's producer how the lane is. Takes no lease.
#[pyfunction]
#[pyo3(signature = (name, *, timeout=1.0, directory=None))]
pub fn query<'py>(
    py: Python<'py>,
    name: &str,
    timeout: f64,
    directory: Option<PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let timeout = seconds(timeout, "timeout")?;
    let ask = || framelane::query(name, directory.as_deref(), timeout).map(Box::new);
    descriptor::report(py, &*py.detach(ask).map_err(raise)?)
}

/// A `FrameInfo` that lays out one picture in one block of memory.
#[pyfunction]
#[pyo3(signature = (format, width, height, stride_align=1))]
pub fn picture<'py>(
    py: Python<'py>,
    format: &Bound<'_, PyAny>,
    width: u32,
    height: u32,
    stride_align: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let layout = options::layout(Some(format), Some(width), Some(height), stride_align)?;
    let layout = layout.ok_or_else(|| invalid("a pixel format is needed"))?;
    let mut what = FrameDescriptor::ZERO;
    layout.apply(&mut what);
    descriptor::to_python(py, &what)
}

/// CLOCK_MONOTONIC now, the clock of publish times.
#[pyfunction]
pub fn monotonic_ns() -> u64 {
    framelane::monotonic_ns()
}

/// Hash of the byte layout that this build was made with.
#[pyfunction]
pub fn layout_hash() -> u64 {
    framelane::layout::LAYOUT_HASH
}
