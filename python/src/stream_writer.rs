//! The writer of a stream lane.

use crate::bytes::Piece;
use crate::errors::raise;
use crate::log;
use crate::options;
use crate::record_mut::RecordMut;
use crate::waiting::{Deadline, once_free, seconds};
use crate::{descriptor, stream_info};
use framelane::layout::RecordFlag;
use framelane::{Access, ErrorKind, RecordInfo, StreamWriterOptions};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Owns a stream lane and writes its records, one after the other.
#[pyclass(frozen, module = "framelane")]
pub struct StreamWriter {
    writer: Mutex<Option<Arc<framelane::StreamWriter>>>,
    /// Name of the lane.
    #[pyo3(get)]
    name: String,
    /// Random id of this writer incarnation.
    #[pyo3(get)]
    epoch: u64,
    /// Largest record, in bytes: half of the ring.
    #[pyo3(get)]
    record_limit_bytes: usize,
    /// Runtime directory the lane's socket is in.
    #[pyo3(get)]
    directory: PathBuf,
}

impl StreamWriter {
    fn writer(&self) -> PyResult<Arc<framelane::StreamWriter>> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.clone().ok_or_else(|| raise(self.closed_error()))
    }

    fn closed_error(&self) -> framelane::Error {
        let text = format!("the writer of lane {:?} is closed", self.name);
        framelane::Error::new(ErrorKind::Closed, text)
    }

    fn create(py: Python<'_>, name: &str, options: StreamWriterOptions) -> PyResult<Self> {
        let writer = py.detach(|| framelane::StreamWriter::create(name, options)).map_err(raise)?;
        log::pass_on(py);
        Ok(StreamWriter {
            name: writer.name().to_owned(),
            epoch: writer.epoch(),
            record_limit_bytes: writer.record_limit_bytes(),
            directory: writer.directory().to_owned(),
            writer: Mutex::new(Some(Arc::new(writer))),
        })
    }

    fn take(&self) -> Option<Arc<framelane::StreamWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Asks the writer at once, or again and again until it has room. It is had anew each time, so
    /// that closing it ends the wait.
    fn patiently<T: Send>(
        &self,
        py: Python<'_>,
        timeout: Option<f64>,
        ask: impl Fn(&framelane::StreamWriter, Option<Duration>) -> framelane::Result<T> + Sync,
    ) -> PyResult<T> {
        log::pass_on(py);
        if timeout == Some(0.0) {
            let writer = self.writer()?;
            return ask(&writer, None).map_err(raise);
        }
        once_free(py, Deadline::after(timeout, "timeout")?, |slice| {
            let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let writer = writer.ok_or_else(|| self.closed_error())?;
            ask(&writer, Some(slice))
        })
    }

    fn begin_record(
        &self,
        py: Python<'_>,
        room: usize,
        timeout: Option<f64>,
    ) -> PyResult<framelane::RecordMut> {
        self.patiently(py, timeout, |writer, slice| match slice {
            None => writer.begin(room),
            Some(slice) => writer.begin_within(room, slice),
        })
    }
}

#[pymethods]
impl StreamWriter {
    #[new]
    #[pyo3(signature = (
        name, config, *, data_bytes=8 << 20, index_capacity=1024, lossless=false,
        key_request_interval=1.0, lock_memory=false, numa_node=None, access=None,
        trust="same_user", directory=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python class")]
    fn new(
        py: Python<'_>,
        name: &str,
        config: &Bound<'_, PyAny>,
        data_bytes: u64,
        index_capacity: u32,
        lossless: bool,
        key_request_interval: f64,
        lock_memory: bool,
        numa_node: Option<u32>,
        access: Option<Bound<'_, PyAny>>,
        trust: &str,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = StreamWriterOptions::new(stream_info::config_from(config)?)
            .data_bytes(data_bytes)
            .index_capacity(index_capacity)
            .lossless(lossless)
            .key_request_interval(seconds(key_request_interval, "key_request_interval")?)
            .lock_memory(lock_memory)
            .numa_node(numa_node)
            .access(access.as_ref().map_or(Ok(Access::Owner), options::access)?)
            .trust(options::trust(trust)?)
            .directory(directory);
        Self::create(py, name, options)
    }

    /// Begins a record of up to `room` bytes, at once or within `timeout` seconds.
    #[pyo3(signature = (room, timeout=Some(0.0)))]
    fn begin(&self, py: Python<'_>, room: usize, timeout: Option<f64>) -> PyResult<RecordMut> {
        self.begin_record(py, room, timeout).map(RecordMut::new)
    }

    /// Writes a record from its pieces at once, or within `timeout` seconds; its sequence.
    #[pyo3(signature = (
        *pieces, key=false, pts_ns=None, dts_ns=None, capture_id=0, flags=0, timeout=Some(0.0)
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python method")]
    fn write(
        &self,
        py: Python<'_>,
        pieces: &Bound<'_, PyTuple>,
        key: bool,
        pts_ns: Option<i64>,
        dts_ns: Option<i64>,
        capture_id: u64,
        flags: u32,
        timeout: Option<f64>,
    ) -> PyResult<u64> {
        let pieces: Vec<Piece> =
            pieces.iter().map(|piece| Piece::of(&piece)).collect::<PyResult<_>>()?;
        let pieces: Vec<&[u8]> = pieces.iter().map(Piece::bytes).collect();
        let room = pieces.iter().fold(0, |sum: usize, piece| sum.saturating_add(piece.len()));
        let mut record = self.begin_record(py, room, timeout)?;
        let info = record.info_mut();
        let RecordInfo { pts_ns: no_pts, dts_ns: no_dts, .. } = *info;
        (info.pts_ns, info.dts_ns) = (pts_ns.unwrap_or(no_pts), dts_ns.unwrap_or(no_dts));
        info.capture_id = capture_id;
        info.flags = if key { flags | RecordFlag::KEY } else { flags };
        py.detach(|| {
            pieces.iter().try_for_each(|piece| record.append(piece))?;
            record.commit()
        })
        .map_err(raise)
    }

    /// Says what the records to come are, at once or within `timeout` seconds; the number of that
    /// config. Saying the same again changes nothing.
    #[pyo3(signature = (config, timeout=Some(0.0)))]
    fn set_config(
        &self,
        py: Python<'_>,
        config: &Bound<'_, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<u32> {
        let config = stream_info::config_from(config)?;
        self.patiently(py, timeout, |writer, slice| match slice {
            None => writer.set_config(&config),
            Some(slice) => writer.set_config_within(&config, slice),
        })
    }

    /// What the records to come are, copied.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        stream_info::config(py, &self.writer()?.config())
    }

    /// Whether a reader wants a key record, waiting up to `timeout` seconds for it. Says so again
    /// after an interval until one is committed.
    #[pyo3(signature = (timeout=Some(0.0)))]
    fn key_frame_wanted(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = Deadline::after(timeout, "timeout")?;
        if self.writer()?.key_frame_wanted() {
            return Ok(true);
        }
        while let Some(slice) = deadline.slice() {
            let writer = self.writer()?;
            let wanted = py.detach(move || writer.wait_key_frame_wanted(slice));
            if wanted {
                return Ok(true);
            }
            log::pass_on(py);
            py.check_signals()?;
        }
        Ok(false)
    }

    /// How the lane is: sizes, counts and readers.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        log::pass_on(py);
        let writer = self.writer()?;
        let report = py.detach(|| Box::new(writer.report()));
        descriptor::report(py, &report)
    }

    /// Number of readers attached now.
    #[getter]
    fn readers(&self) -> PyResult<usize> {
        Ok(self.writer()?.readers())
    }

    /// Whether the lane was ended.
    #[getter]
    fn closed(&self) -> bool {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Ends the lane. Readers are told, and read what is left.
    fn close(&self, py: Python<'_>) {
        let writer = self.take();
        py.detach(|| drop(writer)); // it waits for its thread
        log::pass_on(py);
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (_kind, _error, _trace, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn __repr__(&self) -> String {
        let state = if self.closed() { " closed" } else { "" };
        format!("<framelane.StreamWriter {:?}{state}>", self.name)
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        let writer = self.take();
        // As in `close`. Where the interpreter is on its way out, nobody waits for it.
        Python::try_attach(|py| py.detach(|| drop(writer)));
    }
}
