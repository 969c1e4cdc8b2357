//! Finding a lane's socket.

use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use crate::runtime_dir::{RuntimeDir, listed, socket_name};
use crate::wire::{peer, socket};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::path::PathBuf;

/// What one look in all places found.
pub(crate) enum Found {
    /// A producer that accepts connections.
    Connected(OwnedFd),
    /// No producer now; a stale socket is none either.
    Nobody,
    /// A producer whose queue of connections is full.
    Busy,
}

/// Looks for the lane in each place in turn.
///
/// # Errors
/// `PermissionDenied` when the only one found may not be connected to.
pub(crate) fn connect(lane: &str, places: &[PathBuf]) -> Result<Found> {
    let mut refusal = None;
    let mut busy = false;
    for dir in RuntimeDir::open_all(places)? {
        match connect_in(lane, &dir) {
            Ok(Found::Nobody) => {}
            Ok(Found::Busy) => busy = true,
            Ok(connected) => return Ok(connected),
            Err(error) => refusal = Some(error),
        }
    }
    match refusal {
        Some(error) if !busy => Err(error),
        _ if busy => Ok(Found::Busy),
        _ => Ok(Found::Nobody),
    }
}

fn connect_in(lane: &str, dir: &RuntimeDir) -> Result<Found> {
    let socket = socket::new()?;
    let name = socket_name(lane);
    match rustix::net::connect(&socket, &dir.address(&name)?) {
        Ok(()) if peer::has_ended(&socket) => Ok(Found::Nobody),
        Ok(()) => Ok(Found::Connected(socket)),
        Err(Errno::NOENT | Errno::CONNREFUSED | Errno::NOTDIR) => Ok(Found::Nobody),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Found::Busy),
        Err(errno) => {
            let path = dir.path().join(name);
            Err(Error::system(format_args!("connecting to {}", path.display()), errno))
        }
    }
}

/// The error for a producer that does not get round to accepting connections.
pub(crate) fn queue_full(lane: &str) -> Error {
    let text = format!("the queue of connections of lane {lane:?} is full");
    Error::new(ErrorKind::TimedOut, text)
}

/// The error for a lane that is not there.
pub(crate) fn not_found(lane: &str, places: &[PathBuf]) -> Error {
    let text = format!("no producer of lane {lane:?}; looked in {}", listed(places));
    Error::new(ErrorKind::NotFound, text)
}
