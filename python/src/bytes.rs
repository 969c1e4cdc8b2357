//! Bytes of other Python objects, for the time of a call.
#![allow(unsafe_code, reason = "the buffer protocol hands out addresses")]

use crate::errors::invalid;
use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

/// Bytes that somebody lets us read for as long as this lives.
pub struct Piece(PyBuffer<u8>);

impl Piece {
    pub fn of(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let buffer = PyBuffer::<u8>::get(object)?;
        if !buffer.is_c_contiguous() {
            return Err(invalid("the bytes have gaps between them"));
        }
        Ok(Piece(buffer))
    }

    pub fn bytes(&self) -> &[u8] {
        let (address, count) = (self.0.buf_ptr().cast::<u8>(), self.0.len_bytes());
        if count == 0 {
            return &[];
        }
        // SAFETY: contiguous bytes that their exporter keeps in place while the buffer lives. Other
        // threads that write them meanwhile spoil the copy, as with every buffer of Python.
        unsafe { std::slice::from_raw_parts(address, count) }
    }
}

/// Bytes that somebody lets us read for the time of `body`.
pub fn with_bytes<T>(
    object: &Bound<'_, PyAny>,
    body: impl FnOnce(&[u8]) -> PyResult<T>,
) -> PyResult<T> {
    body(Piece::of(object)?.bytes())
}

/// The same, to be written.
pub fn with_bytes_mut<T>(
    object: &Bound<'_, PyAny>,
    body: impl FnOnce(&mut [u8]) -> PyResult<T>,
) -> PyResult<T> {
    let buffer = PyBuffer::<u8>::get(object)?;
    if buffer.readonly() || !buffer.is_c_contiguous() {
        return Err(invalid("bytes that can be written and have no gaps are needed"));
    }
    let (address, count) = (buffer.buf_ptr().cast::<u8>(), buffer.len_bytes());
    if count == 0 {
        return body(&mut []);
    }
    // SAFETY: as in `Piece`, and the exporter says that they may be written.
    body(unsafe { std::slice::from_raw_parts_mut(address, count) })
}
