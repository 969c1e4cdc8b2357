//! Looking at lanes from outside, without taking a lease.

use crate::clock::{Deadline, timespec};
use crate::consumer::{Found, connect, not_found, queue_full};
use crate::error::{Error, Result, protocol};
use crate::layout::{Bye, ErrorKind, MessageType, Query, Refused, Report};
use crate::runtime_dir::{self, RuntimeDir};
use crate::wire::message;
use crate::wire::message::Message;
use crate::wire::socket::{self, Received};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zerocopy::IntoBytes;

/// A lane that has a socket; whether somebody answers is for [`query`] to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneEntry {
    /// Name of the lane.
    pub name: String,
    /// Runtime directory its socket is in.
    pub directory: PathBuf,
}

/// Lanes in a runtime directory, or in all that are searched, by name.
///
/// # Errors
/// `PermissionDenied` and `System` when a directory that is there cannot be read.
pub fn discover(directory: Option<&Path>) -> Result<Vec<LaneEntry>> {
    let mut lanes = Vec::new();
    for dir in RuntimeDir::open_all(&runtime_dir::places(directory))? {
        let place = dir.path();
        let entries = match std::fs::read_dir(place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => {
                return Err(Error::io(format_args!("reading {}", place.display()), error));
            }
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        lanes.extend(
            names
                .filter_map(|file| file.strip_suffix(".sock").map(str::to_owned))
                .filter(|name| crate::name::validate(name).is_ok())
                .map(|name| LaneEntry { name, directory: place.to_owned() }),
        );
    }
    lanes.sort();
    Ok(lanes)
}

/// Asks a lane's producer how the lane is.
///
/// # Errors
/// `NotFound` with the places searched; `PermissionDenied`; `LayoutMismatch`; `TimedOut`,
/// `TooMany` and `Disconnected` when the time is over; `Protocol` for an answer that cannot be
/// believed.
pub fn query(name: &str, directory: Option<&Path>, timeout: Duration) -> Result<Report> {
    crate::name::validate(name)?;
    let mut query: Query = message::new();
    message::put_text(&mut query.lane, name);
    ask(name, directory, timeout, query.as_bytes(), read_answer)
}

/// Sends a question to whoever owns the lane, and reads the one answer.
pub(crate) fn ask<T>(
    name: &str,
    directory: Option<&Path>,
    timeout: Duration,
    question: &[u8],
    read: impl Fn(&[u8]) -> Result<T>,
) -> Result<T> {
    let places = runtime_dir::places(directory);
    let deadline = Deadline::after(timeout);
    loop {
        let obstacle = match connect(name, &places)? {
            Found::Nobody => return Err(not_found(name, &places)),
            Found::Connected(connection) => {
                let answer = answer(&connection, question, deadline);
                match answer.and_then(|packet| read(&packet)) {
                    // It died on us, or has too many handshakes to finish: come again.
                    Err(error) if comes_again(error.kind()) => error,
                    Ok(answer) => return Ok(answer),
                    Err(error) => return Err(error.context(format!("asking lane {name:?}"))),
                }
            }
            Found::Busy => queue_full(name),
        };
        let pause = deadline.slice(Duration::from_millis(10)).ok_or(obstacle)?;
        std::thread::sleep(pause);
    }
}

fn comes_again(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Disconnected | ErrorKind::TooMany)
}

fn answer(connection: &OwnedFd, question: &[u8], deadline: Deadline) -> Result<Vec<u8>> {
    // A hang-up at this point shows when the answer is read.
    let _ = socket::send(connection, question);
    let mut packet = vec![0; size_of::<Report>()];
    let length = loop {
        match socket::receive(connection, &mut packet)? {
            Received::Packet(length) => break length.min(packet.len()),
            Received::HungUp => {
                return Err(Error::new(ErrorKind::Disconnected, "the producer hung up"));
            }
            Received::Nothing => {}
        }
        let Some(left) = deadline.left() else {
            return Err(Error::new(ErrorKind::TimedOut, "the producer does not answer"));
        };
        let mut polled = [PollFd::new(connection, PollFlags::IN)];
        let _ = poll(&mut polled, Some(&timespec(left)));
    };
    packet.truncate(length);
    Ok(packet)
}

pub(crate) fn read_answer(packet: &[u8]) -> Result<Report> {
    let report: Report = read_granted(packet)?;
    if report.consumer_count as usize > report.consumers.len() {
        return Err(protocol(format!("a report of {} consumers", report.consumer_count)));
    }
    Ok(report)
}

/// Reads an answer that is not a refusal.
pub(crate) fn read_granted<T: Message>(packet: &[u8]) -> Result<T> {
    let kind = message::header(packet)?.message_type;
    if kind == MessageType::Refused.number() {
        let refused: Refused = message::read(packet)?;
        return Err(message::carried(refused.kind, &refused.text));
    }
    if kind == MessageType::Bye.number() {
        let bye: Bye = message::read(packet)?;
        // The lane ended: the next look finds the next producer, or none.
        let ended = bye.kind == ErrorKind::Closed.number();
        let kind = if ended { ErrorKind::Disconnected.number() } else { bye.kind };
        return Err(message::carried(kind, &bye.text));
    }
    message::read(packet)
}
