//! Both sides of a shmbuf ring.

use crate::bytes::{Piece, with_bytes_mut};
use crate::errors::{failure, raise};
use crate::handle::{self, Handle, Side};
use crate::waiting::{Deadline, seconds, wait_for};
use framelane::ErrorKind;
use framelane::shmbuf::{self, Receiver, ReceiverOptions, Sender, SenderOptions};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;

/// Writes messages into a shmbuf segment of its own. Used by one thread at a time; `close` works
/// from any.
#[pyclass(frozen, module = "framelane")]
pub struct ShmbufSender {
    handle: Handle<Sender>,
    /// Bytes of the ring: the largest power of two that fits the wish.
    #[pyo3(get)]
    capacity_bytes: usize,
    /// The longest message that the empty ring can take.
    #[pyo3(get)]
    longest_message: usize,
}

impl Side for Sender {
    const WHAT: &'static str = "sender of shmbuf";
    fn counts(&self) -> [u64; 3] {
        [self.sent(), self.times_full(), 0]
    }
}

#[pymethods]
impl ShmbufSender {
    #[new]
    #[pyo3(signature = (
        name, capacity_bytes, *, mode=0o600, keep=false, python_receiver=false, bell=false,
        poll_interval=0.001, directory=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "the keywords of the Python class")]
    fn new(
        py: Python<'_>,
        name: &str,
        capacity_bytes: u64,
        mode: u32,
        keep: bool,
        python_receiver: bool,
        bell: bool,
        poll_interval: f64,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = SenderOptions::new(capacity_bytes)
            .mode(mode)
            .keep(keep)
            .python_receiver(python_receiver)
            .bell(bell)
            .poll_interval(seconds(poll_interval, "poll_interval")?)
            .directory(directory);
        let sender = py.detach(|| Sender::create(name, options)).map_err(raise)?;
        Ok(ShmbufSender {
            capacity_bytes: sender.capacity_bytes(),
            longest_message: sender.longest_message(),
            handle: Handle::new(sender, None, name, false),
        })
    }

    /// Sends a message at once, or within `timeout` seconds, for ever with None; False, and nothing
    /// is written, when there was no room.
    #[pyo3(signature = (message, timeout=Some(0.0)))]
    fn send(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<bool> {
        let piece = Piece::of(message)?;
        let (bytes, deadline) = (piece.bytes(), Deadline::after(timeout, "timeout")?);
        self.handle.with(|sender| {
            if timeout == Some(0.0) {
                return py.detach(|| sender.try_send(bytes)).map_err(raise);
            }
            let sent = wait_for(py, deadline, |slice| {
                self.handle.refuse_closed()?;
                Ok(sender.send(bytes, slice)?.then_some(()))
            })?;
            Ok(sent.is_some())
        })
    }

    /// Waits up to `timeout` seconds until everything sent has been read; whether it has.
    #[pyo3(signature = (timeout=None))]
    fn drain(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let deadline = Deadline::after(timeout, "timeout")?;
        self.handle.with(|sender| {
            let drained = wait_for(py, deadline, |slice| {
                self.handle.refuse_closed()?;
                Ok(sender.drain(slice)?.then_some(()))
            })?;
            Ok(drained.is_some() || sender.unread_bytes().map_err(raise)? == 0)
        })
    }

    /// Bytes that wait to be read, the 4 before each message included.
    #[getter]
    fn unread_bytes(&self) -> PyResult<usize> {
        self.handle.with(|sender| sender.unread_bytes().map_err(raise))
    }

    /// Whether a receiver of ours is attached; upstream ones cannot be seen.
    #[getter]
    fn has_receiver(&self) -> PyResult<bool> {
        self.handle.with(|sender| sender.has_receiver().map_err(raise))
    }

    /// Name of the segment.
    #[getter]
    fn name(&self) -> &str {
        self.handle.name()
    }

    /// Messages sent.
    #[getter]
    fn sent(&self) -> u64 {
        self.handle.count(0)
    }

    /// How often a send that does not wait found the ring full.
    #[getter]
    fn times_full(&self) -> u64 {
        self.handle.count(1)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Ends the segment, from any thread: its name goes unless it is to be kept, an attached
    /// receiver can still read what was sent. A waiting send ends within a fifth of a second.
    fn close(&self, py: Python<'_>) {
        self.handle.close(py);
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
        format!("<framelane.ShmbufSender {:?}{state}>", self.name())
    }
}

/// Reads the messages of a shmbuf segment. Used by one thread at a time; `close` works from any.
#[pyclass(frozen, module = "framelane")]
pub struct ShmbufReceiver(Handle<Receiver>);

impl Side for Receiver {
    const WHAT: &'static str = "receiver of shmbuf";
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.empty(), self.restarts()]
    }
}

impl ShmbufReceiver {
    /// Size of the next message, once there is one.
    fn wait_until(
        &self,
        py: Python<'_>,
        receiver: &mut Receiver,
        deadline: Deadline,
    ) -> PyResult<Option<usize>> {
        match receiver.next_bytes().map_err(raise)? {
            Some(size) => Ok(Some(size)),
            None => wait_for(py, deadline, |slice| {
                self.0.refuse_closed()?;
                receiver.wait(slice)
            }),
        }
    }

    fn read_until<'py>(
        &self,
        py: Python<'py>,
        deadline: Deadline,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.0.with(|receiver| {
            let size = self.wait_until(py, receiver, deadline)?;
            size.map(|size| taken(py, receiver, size)).transpose()
        })
    }
}

/// The next message, whose size is known; it is copied with the interpreter let go.
fn taken<'py>(
    py: Python<'py>,
    receiver: &mut Receiver,
    size: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, size, |into| {
        match py.detach(|| receiver.try_recv_into(into)).map_err(raise)? {
            Some(read) if read == size => Ok(()),
            _ => Err(failure(ErrorKind::Protocol, "the message changed while it was read")),
        }
    })
}

#[pymethods]
impl ShmbufReceiver {
    #[new]
    #[pyo3(signature = (
        name, *, wait=Some(0.0), reattach=true, bell=false, poll_interval=0.001, directory=None
    ))]
    fn new(
        py: Python<'_>,
        name: &str,
        wait: Option<f64>,
        reattach: bool,
        bell: bool,
        poll_interval: f64,
        directory: Option<PathBuf>,
    ) -> PyResult<Self> {
        let options = ReceiverOptions::new()
            .reattach(reattach)
            .bell(bell)
            .poll_interval(seconds(poll_interval, "poll_interval")?)
            .directory(directory);
        let receiver = handle::open(py, Deadline::after(wait, "wait")?, |slice| {
            Receiver::open(name, options.clone().wait_for_sender(slice))
        })?;
        Ok(ShmbufReceiver(Handle::new(receiver, None, name, !reattach)))
    }

    /// The next message, waiting up to `timeout` seconds for it, for ever without. None when the
    /// time is over.
    #[pyo3(signature = (timeout=None))]
    fn read<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read_until(py, Deadline::after(timeout, "timeout")?)
    }

    /// The next message if there is one now.
    fn try_next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.read_until(py, Deadline::after(Some(0.0), "timeout")?)
    }

    /// The next message into memory of the caller's, waiting up to `timeout` seconds for it; its
    /// size, None when the time is over.
    #[pyo3(signature = (into, timeout=None))]
    fn read_into(
        &self,
        py: Python<'_>,
        into: &Bound<'_, PyAny>,
        timeout: Option<f64>,
    ) -> PyResult<Option<usize>> {
        let deadline = Deadline::after(timeout, "timeout")?;
        with_bytes_mut(into, |into| {
            self.0.with(|receiver| match self.wait_until(py, receiver, deadline)? {
                Some(_) => py.detach(|| receiver.try_recv_into(into)).map_err(raise),
                None => Ok(None),
            })
        })
    }

    /// Size of the next message, waiting up to `timeout` seconds for it; it stays.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<usize>> {
        let deadline = Deadline::after(timeout, "timeout")?;
        self.0.with(|receiver| self.wait_until(py, receiver, deadline))
    }

    /// Drops the next message unread; False if there is none.
    fn skip(&self) -> PyResult<bool> {
        self.0.with(|receiver| receiver.skip().map_err(raise))
    }

    /// Bytes of the ring.
    #[getter]
    fn capacity_bytes(&self) -> PyResult<usize> {
        self.0.with(|receiver| Ok(receiver.capacity_bytes()))
    }

    /// Name of the segment.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Messages received.
    #[getter]
    fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Empty messages that were stepped over; ours never send one.
    #[getter]
    fn empty(&self) -> u64 {
        self.0.count(1)
    }

    /// How often another segment was found at the name: the sender had been restarted.
    #[getter]
    fn restarts(&self) -> u64 {
        self.0.count(2)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Stops reading, from any thread; the segment stays. A waiting read ends within a fifth of a
    /// second.
    fn close(&self, py: Python<'_>) {
        self.0.close(py);
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

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.0.in_loop(py, self.read_until(py, Deadline::after(None, "timeout")?))
    }

    fn __repr__(&self) -> String {
        format!("<framelane.ShmbufReceiver {:?}>", self.name())
    }
}

/// Removes a shmbuf segment by name, as after a crash; False if there is none.
#[pyfunction]
#[pyo3(signature = (name, directory=None))]
pub fn remove_shmbuf(py: Python<'_>, name: &str, directory: Option<PathBuf>) -> PyResult<bool> {
    py.detach(|| shmbuf::remove(name, directory.as_deref())).map_err(raise)
}
