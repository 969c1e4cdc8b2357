//! A record being written.

use crate::bytes::with_bytes;
use crate::errors::{invalid, raise};
use crate::stream_info;
use framelane::RecordInfo;
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

/// The open record of a writer: append its bytes, then commit it.
///
/// In a `with` statement it is committed at the end, and abandoned when an error comes out.
#[pyclass(frozen, module = "framelane")]
pub struct RecordMut {
    open: Mutex<Option<framelane::RecordMut>>,
    /// What was handed out to be changed, a `RecordInfo`.
    info: Mutex<Option<Py<PyAny>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn done() -> PyErr {
    invalid("the record was committed or abandoned")
}

impl RecordMut {
    pub fn new(record: framelane::RecordMut) -> Self {
        RecordMut { open: Mutex::new(Some(record)), info: Mutex::new(None) }
    }

    /// The record for a call of this thread's. Never waited for: who has it may be waiting for the
    /// interpreter.
    fn open(&self) -> PyResult<MutexGuard<'_, Option<framelane::RecordMut>>> {
        match self.open.try_lock() {
            Ok(open) => Ok(open),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(invalid("another thread appends to the record")),
        }
    }

    fn with<T>(&self, look: impl FnOnce(&framelane::RecordMut) -> T) -> PyResult<T> {
        self.open()?.as_ref().map(look).ok_or_else(done)
    }
}

#[pymethods]
impl RecordMut {
    /// What the record will say about itself; times, capture id and flags count until it is
    /// committed.
    #[getter]
    fn info(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.with(|_| ())?;
        if let Some(info) = &*lock(&self.info) {
            return Ok(info.clone_ref(py));
        }
        let made = stream_info::record(py, &RecordInfo::new())?.unbind();
        Ok(lock(&self.info).get_or_insert(made).clone_ref(py))
    }

    /// Whether decoding can start at this record, a bit of `info.flags`.
    #[getter]
    fn is_key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.info(py)?.bind(py).getattr("is_key")
    }

    #[setter]
    fn set_is_key(&self, py: Python<'_>, is_key: bool) -> PyResult<()> {
        self.info(py)?.bind(py).setattr("is_key", is_key)
    }

    /// Bytes that can still be appended.
    #[getter]
    fn room(&self) -> PyResult<usize> {
        self.with(framelane::RecordMut::room)
    }

    /// Appends bytes, counted as copied by the SDK.
    fn append(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>) -> PyResult<()> {
        with_bytes(bytes, |bytes| {
            let mut open = self.open()?;
            let record = open.as_mut().ok_or_else(done)?;
            py.detach(|| record.append(bytes)).map_err(raise)
        })
    }

    /// Makes the record the newest of the lane; its sequence.
    fn commit(&self, py: Python<'_>) -> PyResult<u64> {
        self.with(|_| ())?;
        let info = lock(&self.info).as_ref().map(|info| info.clone_ref(py));
        let info = info.map(|info| stream_info::record_from(info.bind(py))).transpose()?;
        let mut record = self.open()?.take().ok_or_else(done)?;
        if let Some(info) = info {
            *record.info_mut() = info;
        }
        py.detach(|| record.commit()).map_err(raise)
    }

    /// Gives the record up.
    fn abandon(&self) -> PyResult<()> {
        let open = self.open()?.take();
        drop(open);
        Ok(())
    }

    fn __len__(&self) -> PyResult<usize> {
        self.with(framelane::RecordMut::len)
    }

    /// A record of no bytes is a record.
    fn __bool__(&self) -> bool {
        true
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind, _error, _trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if !kind.is_none() {
            return self.abandon();
        }
        if self.open()?.is_some() {
            self.commit(py)?;
        }
        Ok(())
    }

    fn __repr__(&self) -> &'static str {
        match self.open().as_deref() {
            Ok(None) => "<framelane.RecordMut done>",
            _ => "<framelane.RecordMut>",
        }
    }
}
