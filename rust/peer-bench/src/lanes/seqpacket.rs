//! Unix packets. A packet must fit into the socket's buffer, so that large records go in pieces.

use super::stream::Kind;
use super::{Name, Setup};
use anyhow::Result;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept, bind,
    connect, listen, recv, send, socket_with,
};
use std::io::{self, Read, Write};

/// Of the ordinary buffer of 208 KiB a packet may take this much without trouble.
const PIECE: usize = 64 << 10;

pub struct Packets(OwnedFd);

impl AsFd for Packets {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Write for Packets {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        Ok(send(&self.0, piece, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Packets {
    /// The rest of a record is never shorter than the packet that comes.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        Ok(recv(&self.0, into, RecvFlags::empty())?.0)
    }
}

pub struct Seqpacket;

fn open() -> rustix::io::Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
}

fn address(setup: &Setup) -> rustix::io::Result<SocketAddrUnix> {
    SocketAddrUnix::new(setup.place.join("packets"))
}

impl Kind for Seqpacket {
    const NAME: Name = Name::Seqpacket;
    type Listener = OwnedFd;
    type Stream = Packets;

    fn listen(setup: &Setup) -> Result<OwnedFd> {
        let socket = open()?;
        bind(&socket, &address(setup)?)?;
        listen(&socket, 8)?;
        Ok(socket)
    }
    fn accept(_: &Setup, listener: &OwnedFd, _: usize) -> Result<Packets> {
        Ok(Packets(accept(listener)?))
    }
    fn connect(setup: &Setup, _: usize) -> Result<Packets> {
        let socket = open()?;
        connect(&socket, &address(setup)?)?;
        Ok(Packets(socket))
    }
}
