//! Errors of the SDK as Python exceptions. The classes are made in Python, `framelane/_errors.py`.

use framelane::{Error, ErrorKind};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

static MAKE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The exception for an error of the SDK.
#[cold]
pub fn raise(error: Error) -> PyErr {
    Python::attach(|py| {
        let made = MAKE
            .get_or_try_init(py, || {
                Ok(py.import("framelane._errors")?.getattr("exception_for")?.unbind())
            })
            .and_then(|make| {
                let (kind, text) = (error.kind().number(), error.to_string());
                make.bind(py).call1((kind, text, error.missed()))
            });
        match made {
            Ok(exception) => PyErr::from_value(exception),
            Err(failure) => {
                let raised = PyRuntimeError::new_err(error.to_string());
                raised.set_cause(py, Some(failure));
                raised
            }
        }
    })
}

/// An error that this binding has found itself.
#[cold]
pub fn failure(kind: ErrorKind, text: impl Into<String>) -> PyErr {
    raise(Error::new(kind, text))
}

/// A mistake in the call.
#[cold]
pub fn invalid(text: impl Into<String>) -> PyErr {
    failure(ErrorKind::InvalidArgument, text)
}
