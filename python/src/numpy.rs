//! What is needed of NumPy, found at run time: the package is not built against it.

use crate::errors::failure;
use crate::shape::Shape;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyTuple;
use std::sync::Mutex;

/// What is used of NumPy, looked up once.
pub struct Numpy {
    pub ndarray: Py<PyAny>,
    pub asarray: Py<PyAny>,
    pub uint8: Py<PyAny>,
}

static NUMPY: PyOnceLock<Numpy> = PyOnceLock::new();

impl Numpy {
    pub fn get(py: Python<'_>) -> PyResult<&Self> {
        NUMPY.get_or_try_init(py, || {
            let module = py.import("numpy")?;
            let get = |name: &str| module.getattr(name).map(Bound::unbind);
            let uint8 = module.getattr("dtype")?.call1((module.getattr("uint8")?,))?.unbind();
            Ok(Numpy { ndarray: get("ndarray")?, asarray: get("asarray")?, uint8 })
        })
    }
}

/// A shape and its strides as Python has them.
type Tuples = (Py<PyTuple>, Py<PyTuple>);

/// Those used last: a camera has few shapes, and a tuple for each frame costs.
static TUPLES: Mutex<Vec<(Shape, Tuples)>> = Mutex::new(Vec::new());
const KEPT: usize = 8;

pub fn shape_tuples<'py>(
    py: Python<'py>,
    shape: &Shape,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyTuple>)> {
    let found = {
        let kept = TUPLES.lock().map_err(|_| poisoned())?;
        let place = kept.iter().position(|(known, _)| known == shape);
        place.map(|place| (kept[place].1.0.clone_ref(py), kept[place].1.1.clone_ref(py)))
    };
    if let Some((counts, strides)) = found {
        return Ok((counts.into_bound(py), strides.into_bound(py)));
    }
    // Made without the lock: making objects can run anything.
    let counts = PyTuple::new(py, shape.counts())?;
    let strides = PyTuple::new(py, shape.strides())?;
    let made = (*shape, (counts.clone().unbind(), strides.clone().unbind()));
    let dropped = {
        let mut kept = TUPLES.lock().map_err(|_| poisoned())?;
        kept.push(made);
        (kept.len() > KEPT).then(|| kept.remove(0))
    };
    drop(dropped);
    Ok((counts, strides))
}

fn poisoned() -> PyErr {
    failure(framelane::ErrorKind::Internal, "a panic while shapes were looked up")
}
