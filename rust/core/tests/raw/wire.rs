//! Packets by hand.

use crate::common::DEADLINE;
use framelane::layout::layout::WIRE_MAGIC;
use framelane::layout::{
    Bye, Hello, LAYOUT_HASH, MessageHeader, MessageType, Mode, Query, Ready, Refused,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::Duration;
use zerocopy::{FromBytes, FromZeros, IntoBytes};

/// One end of a lane's socket.
pub struct Line(pub OwnedFd);

/// What came from the other end.
#[derive(Debug)]
pub enum Heard {
    Packet(Vec<u8>, Vec<OwnedFd>),
    HungUp,
    Silence,
}

pub fn header(kind: MessageType, length: usize) -> MessageHeader {
    MessageHeader {
        magic: WIRE_MAGIC,
        message_version: 1,
        message_type: kind.number(),
        length_bytes: length as u32,
        reserved: 0,
        layout_hash: LAYOUT_HASH,
    }
}

/// A Hello that an honest producer accepts.
pub fn hello(lane: &str) -> Hello {
    let mut hello = Hello::new_zeroed();
    hello.header = header(MessageType::Hello, size_of::<Hello>());
    hello.lane[..lane.len()].copy_from_slice(lane.as_bytes());
    hello.leases = 1;
    hello.memory_kinds = u32::MAX;
    hello.mode = Mode::Latest.number();
    hello
}

pub fn ready(consumer_id: u32) -> Ready {
    let mut ready = Ready::new_zeroed();
    ready.header = header(MessageType::Ready, size_of::<Ready>());
    ready.consumer_id = consumer_id;
    ready
}

pub fn query(lane: &str) -> Query {
    let mut query = Query::new_zeroed();
    query.header = header(MessageType::Query, size_of::<Query>());
    query.lane[..lane.len()].copy_from_slice(lane.as_bytes());
    query
}

pub fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

pub fn socket() -> OwnedFd {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
}

impl Line {
    /// Connects to a lane's socket, trying again while its queue is full.
    pub fn connect(directory: &Path, lane: &str) -> Line {
        let deadline = std::time::Instant::now() + DEADLINE;
        loop {
            match Self::try_connect(directory, lane) {
                Ok(line) => return line,
                Err(Errno::AGAIN) if std::time::Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(errno) => panic!("connecting to {lane}: {errno}"),
            }
        }
    }

    pub fn try_connect(directory: &Path, lane: &str) -> rustix::io::Result<Line> {
        let socket = socket();
        let address = SocketAddrUnix::new(directory.join(format!("{lane}.sock")))?;
        rustix::net::connect(&socket, &address)?;
        Ok(Line(socket))
    }

    pub fn send(&self, packet: &[u8]) -> rustix::io::Result<()> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::send(&self.0, packet, flags).map(drop)
    }

    pub fn send_fds(&self, packet: &[u8], fds: &[BorrowedFd<'_>]) -> rustix::io::Result<()> {
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(fds.len()))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(fds.is_empty() || control.push(SendAncillaryMessage::ScmRights(fds)));
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        rustix::net::sendmsg(&self.0, &[IoSlice::new(packet)], &mut control, flags).map(drop)
    }

    /// The next packet, a hang-up, or silence when the time is over.
    pub fn hear_within(&self, time: Duration) -> Heard {
        let timeout =
            Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        if poll(&mut polled, Some(&timeout)).unwrap() == 0 {
            return Heard::Silence;
        }
        let mut packet = vec![0; 32 << 10];
        let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut into = [IoSliceMut::new(&mut packet)];
        let got = rustix::net::recvmsg(&self.0, &mut into, &mut control, flags);
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        match got.map(|message| message.bytes) {
            Ok(0) | Err(Errno::CONNRESET | Errno::PIPE) => Heard::HungUp,
            Ok(length) => {
                packet.truncate(length);
                Heard::Packet(packet, fds)
            }
            Err(Errno::AGAIN) => Heard::Silence,
            Err(errno) => panic!("receiving: {errno}"),
        }
    }

    pub fn hear(&self) -> Heard {
        self.hear_within(DEADLINE)
    }

    /// Whether the next packet, which stays where it is, is of a kind.
    pub fn next_is(&self, kind: MessageType) -> bool {
        let mut head = [0; size_of::<MessageHeader>()];
        let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
        match rustix::net::recv(&self.0, &mut head, flags) {
            Ok(_) => MessageHeader::read_from_bytes(&head).unwrap().message_type == kind.number(),
            Err(_) => false,
        }
    }

    /// The next packet as a message of the wanted size.
    #[track_caller]
    pub fn message<T: FromBytes>(&self) -> (T, Vec<OwnedFd>) {
        match self.hear() {
            Heard::Packet(packet, fds) => match T::read_from_bytes(&packet) {
                Ok(message) => (message, fds),
                Err(_) => panic!("{} instead: {}", std::any::type_name::<T>(), words(&packet)),
            },
            other => panic!("{other:?} instead of {}", std::any::type_name::<T>()),
        }
    }

    /// The kind and words of the Refused or Bye that must come, then the hang-up.
    #[track_caller]
    pub fn goodbye(&self) -> (u32, String) {
        let Heard::Packet(packet, fds) = self.hear() else { panic!("no last word") };
        assert!(fds.is_empty(), "a refusal carries no descriptors");
        let head = MessageHeader::read_from_prefix(&packet).unwrap().0;
        let last = match head.message_type {
            kind if kind == MessageType::Refused.number() => {
                let refused = Refused::read_from_bytes(&packet).unwrap();
                (refused.kind, text(&refused.text))
            }
            kind if kind == MessageType::Bye.number() => {
                let bye = Bye::read_from_bytes(&packet).unwrap();
                (bye.kind, text(&bye.text))
            }
            kind => panic!("message type {kind} instead of a last word"),
        };
        loop {
            match self.hear() {
                Heard::HungUp => return last,
                Heard::Packet(..) => {}
                Heard::Silence => panic!("no hang-up after {last:?}"),
            }
        }
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// What a packet says, for a failing test.
fn words(packet: &[u8]) -> String {
    match Refused::read_from_bytes(packet) {
        Ok(refused) => text(&refused.text),
        Err(_) => format!("{} bytes", packet.len()),
    }
}

/// The bytes of a message.
pub fn bytes<T: IntoBytes + zerocopy::Immutable>(message: &T) -> &[u8] {
    message.as_bytes()
}
