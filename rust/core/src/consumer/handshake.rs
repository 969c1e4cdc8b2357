//! Attaching: Hello, Welcome or Refused, Ready, and distrust of each answer.

use super::link::Reading;
use super::parcel::Parcel;
use crate::clock::{Deadline, timespec};
use crate::error::{Error, Result, protocol};
use crate::failpoint::step;
use crate::layout::limit::{DEVICE_BUFFERS, LAYOUT_TABLE_BYTES};
use crate::layout::{
    Bye, ErrorKind, Hello, MemoryKind, MessageType, Mode, Ready, Refused, StreamStart, Welcome,
};
use crate::layout_diff::first_difference;
use crate::wire::message;
use crate::wire::socket::{self, Received};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fd::OwnedFd;
use std::time::Duration;
use zerocopy::IntoBytes;

/// How long a producer may take for the whole handshake, so that none can hold up its consumer by
/// answering slowly.
pub(crate) const ANSWER: Duration = Duration::from_secs(2);

/// Memory kinds every program reads, as bits of a Hello.
const MEMORY_KINDS: u32 =
    1 << MemoryKind::Inline as u32 | 1 << MemoryKind::Memfd as u32 | 1 << MemoryKind::Dmabuf as u32;

/// The largest packet a producer sends, descriptors apart.
const PACKET_BYTES: usize = 1024;

/// What a reader asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) mode: Mode,
    /// 0 of a stream and of a switch.
    pub(crate) leases: u32,
    pub(crate) wants_writable: bool,
    /// The place in a stream where reading begins, and the age that KEY_BEFORE means.
    pub(crate) stream: Option<(StreamStart, u64)>,
    /// Whether a switch is followed, and nothing read.
    pub(crate) switch: bool,
}

/// Runs the handshake on a fresh connection.
///
/// # Errors
/// What the producer refused with; `TimedOut` when it does not answer; `Disconnected` when it
/// hangs up; `Protocol` when what it sends cannot be believed.
pub(crate) fn attach<R: Reading + ?Sized>(reader: &R, connection: OwnedFd) -> Result<R::Epoch> {
    let link = reader.link();
    let deadline = Deadline::after(link.patience);
    let welcome = greet(&link.name, &link.wish, &connection, deadline)?;
    step("attach.welcomed");
    let mut ready: Ready = message::new();
    ready.consumer_id = welcome.consumer_id;
    send(&connection, ready.as_bytes())?;
    step("attach.ready");
    let parcel = Parcel::receive(&connection, &welcome, deadline)?;
    step("attach.received");
    let epoch = reader.open_epoch(parcel, connection, &welcome)?;
    step("attach.mapped");
    Ok(epoch)
}

fn greet(lane: &str, wish: &Wish, connection: &OwnedFd, deadline: Deadline) -> Result<Welcome> {
    let mut hello: Hello = message::new();
    message::put_text(&mut hello.lane, lane);
    hello.leases = wish.leases;
    let imported = u32::from(super::import::is_registered()) << MemoryKind::HbMem as u32;
    hello.memory_kinds = MEMORY_KINDS | imported;
    hello.mode = wish.mode.number();
    hello.wants_writable = wish.wants_writable.into();
    hello.wants_switch = wish.switch.into();
    if let Some((start, age_ns)) = wish.stream {
        hello.wants_stream = 1;
        hello.start = start.number();
        hello.start_age_ns = age_ns;
    }
    // If the producer has refused and hung up already, its reason is there to be read.
    let _ = send(connection, hello.as_bytes());
    step("attach.hello");
    let packet = receive(connection, &mut Vec::new(), deadline)?;
    match message::header(&packet)?.message_type {
        kind if kind == MessageType::Refused.number() => {
            return Err(refusal(&packet, connection, deadline));
        }
        kind if kind == MessageType::Bye.number() => return Err(farewell(&packet)),
        _ => {}
    }
    read_welcome(&packet, wish.leases)
}

/// Reads a Welcome that grants what was asked for.
pub(super) fn read_welcome(packet: &[u8], leases: u32) -> Result<Welcome> {
    let welcome: Welcome = message::read(packet)?;
    let believable = welcome.leases == leases
        && (1..=8).contains(&welcome.fd_messages)
        && u64::from(welcome.device_buffers) <= DEVICE_BUFFERS;
    if !believable {
        return Err(protocol(format!(
            "welcomed with {} leases, {} messages and {} buffers",
            welcome.leases, welcome.fd_messages, welcome.device_buffers
        )));
    }
    Ok(welcome)
}

/// The error in a Refused; its first bytes are the same in every layout.
fn refusal(packet: &[u8], connection: &OwnedFd, deadline: Deadline) -> Error {
    let Ok(refused) = message::read::<Refused>(packet) else {
        let text = "the producer was built from another layout, and its refusal cannot be read";
        return Error::new(ErrorKind::LayoutMismatch, text);
    };
    let error = message::carried(refused.kind, &refused.text);
    if refused.table_bytes == 0 || u64::from(refused.table_bytes) > LAYOUT_TABLE_BYTES {
        return error;
    }
    match receive_up_to(connection, refused.table_bytes as usize, &mut Vec::new(), deadline) {
        Ok(table) => {
            let difference = first_difference(&String::from_utf8_lossy(&table));
            Error::new(error.kind(), format!("{error}: {difference}"))
        }
        Err(_) => error,
    }
}

/// The error in a Bye.
pub(super) fn farewell(packet: &[u8]) -> Error {
    match message::read::<Bye>(packet) {
        // The lane ended, not this consumer, who may meet the next producer.
        Ok(bye) if bye.kind == ErrorKind::Closed.number() => hung_up(),
        Ok(bye) => message::carried(bye.kind, &bye.text),
        Err(error) => error,
    }
}

fn send(connection: &OwnedFd, packet: &[u8]) -> Result<()> {
    socket::send(connection, packet).map_err(|errno| match errno {
        rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET => hung_up(),
        errno => Error::system("talking to the producer", errno),
    })
}

fn hung_up() -> Error {
    Error::new(ErrorKind::Disconnected, "the producer hung up during the handshake")
}

/// The next packet of at most a usual size.
pub(super) fn receive(
    connection: &OwnedFd,
    fds: &mut Vec<OwnedFd>,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    receive_up_to(connection, PACKET_BYTES, fds, deadline)
}

fn receive_up_to(
    connection: &OwnedFd,
    room: usize,
    fds: &mut Vec<OwnedFd>,
    deadline: Deadline,
) -> Result<Vec<u8>> {
    let mut packet = vec![0; room];
    loop {
        match socket::receive_fds(connection, &mut packet, fds)? {
            Received::Packet(length) if length > room => {
                return Err(protocol(format!("a packet of {length} bytes")));
            }
            // A ring can come before the last descriptors: it says nothing yet.
            Received::Packet(1) if room == PACKET_BYTES => fds.clear(),
            Received::Packet(length) => {
                packet.truncate(length);
                return Ok(packet);
            }
            Received::HungUp => return Err(hung_up()),
            Received::Nothing => {}
        }
        let Some(left) = deadline.left() else {
            let text = "the producer does not answer in time";
            return Err(Error::new(ErrorKind::TimedOut, text));
        };
        let mut polled = [PollFd::new(connection, PollFlags::IN)];
        match poll(&mut polled, Some(&timespec(left))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::system("poll", errno)),
        }
    }
}
