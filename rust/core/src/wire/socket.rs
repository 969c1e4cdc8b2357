//! SEQPACKET sockets: whole packets in, whole packets out, never blocking.

use crate::error::{Error, Result};
use crate::layout::limit::FDS_PER_MESSAGE;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;

/// What a receive call found.
pub(crate) enum Received {
    /// A packet of this many bytes.
    Packet(usize),
    /// Nothing now.
    Nothing,
    /// The peer has gone.
    HungUp,
}

/// A new non-blocking socket.
pub(crate) fn new() -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
        .map_err(|errno| Error::system("socket", errno))
}

/// Sends one packet. Errno::AGAIN: the peer does not read.
pub(crate) fn send(socket: impl AsFd, packet: &[u8]) -> rustix::io::Result<()> {
    rustix::net::send(socket, packet, SendFlags::DONTWAIT | SendFlags::NOSIGNAL).map(drop)
}

/// Sends one packet with descriptors.
pub(crate) fn send_fds(
    socket: impl AsFd,
    packet: &[u8],
    fds: &[BorrowedFd<'_>],
) -> rustix::io::Result<()> {
    let mut space = vec![MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(fds.len()))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::TOOBIG);
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    rustix::net::sendmsg(socket, &[IoSlice::new(packet)], &mut control, flags).map(drop)
}

/// Ends a connection, before its descriptor is closed: a forked child, also one that is only on
/// its way to exec, has the descriptor too and would keep the connection.
pub(crate) fn hang_up(socket: impl AsFd) {
    let _ = rustix::net::shutdown(socket, rustix::net::Shutdown::Both);
}

/// Receives one packet; descriptors that came with it are closed by the kernel. A packet longer
/// than the buffer is reported with its full length.
pub(crate) fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<Received> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let socket = socket.as_fd();
    received(|| rustix::net::recv(socket, &mut *buffer, flags).map(|(_, length)| length))
}

/// Receives one packet and up to as many descriptors as a message may carry.
pub(crate) fn receive_fds(
    socket: impl AsFd,
    buffer: &mut [u8],
    fds: &mut Vec<OwnedFd>,
) -> Result<Received> {
    let room = rustix::cmsg_space!(ScmRights(FDS_PER_MESSAGE as usize));
    let mut space = vec![MaybeUninit::uninit(); room];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC | RecvFlags::TRUNC;
    let mut into = [IoSliceMut::new(buffer)];
    let socket = socket.as_fd();
    let mut cut = false;
    let got = received(|| {
        let message = rustix::net::recvmsg(socket, &mut into, &mut control, flags)?;
        cut = message.flags.contains(ReturnFlags::CTRUNC);
        Ok(message.bytes)
    });
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if cut {
        // There is room for as many as the kernel lets through: this process may not have them.
        return Err(Error::system("receiving descriptors", Errno::MFILE));
    }
    got
}

fn received(mut receive: impl FnMut() -> rustix::io::Result<usize>) -> Result<Received> {
    let got = match receive() {
        // The peer closed without reading all of ours, and the kernel says so before it hands
        // out what the peer had sent: the reason, for instance.
        Err(Errno::CONNRESET) => receive(),
        got => got,
    };
    match got {
        Ok(0) | Err(Errno::CONNRESET | Errno::NOTCONN | Errno::PIPE) => Ok(Received::HungUp),
        Ok(length) => Ok(Received::Packet(length)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Received::Nothing),
        Err(errno) => Err(Error::system("receiving on the lane's socket", errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
    }

    #[test]
    fn packets_keep_their_borders_and_say_their_full_length() {
        let (a, b) = pair();
        send(&a, b"12345").unwrap();
        send(&a, b"6").unwrap();
        let mut buffer = [0; 3];
        assert!(matches!(receive(&b, &mut buffer).unwrap(), Received::Packet(5)));
        assert!(matches!(receive(&b, &mut buffer).unwrap(), Received::Packet(1)));
        assert!(matches!(receive(&b, &mut buffer).unwrap(), Received::Nothing));
        drop(a);
        assert!(matches!(receive(&b, &mut buffer).unwrap(), Received::HungUp));
    }

    #[test]
    fn what_was_sent_before_a_reset_is_received() {
        let (a, b) = pair();
        send(&a, b"never read").unwrap();
        send(&b, b"reason").unwrap();
        drop(b);
        let mut buffer = [0; 8];
        assert!(matches!(receive(&a, &mut buffer).unwrap(), Received::Packet(6)));
        assert!(matches!(receive(&a, &mut buffer).unwrap(), Received::HungUp));
    }

    #[test]
    fn a_hang_up_does_not_wait_for_other_holders_of_the_descriptor() {
        let (a, b) = pair();
        let _in_a_child = b.try_clone().unwrap();
        hang_up(&b);
        drop(b);
        assert!(matches!(receive(&a, &mut [0; 8]).unwrap(), Received::HungUp));
    }

    #[test]
    fn a_plain_receive_takes_no_descriptors() {
        let (a, b) = pair();
        let (passed, other_end) = pair();
        send_fds(&a, b"x", &[passed.as_fd()]).unwrap();
        drop(passed);
        let mut buffer = [0; 8];
        assert!(matches!(receive(&b, &mut buffer).unwrap(), Received::Packet(1)));
        // The kernel closed the passed descriptor, so its other end sees a hang-up.
        assert!(matches!(receive(&other_end, &mut buffer).unwrap(), Received::HungUp));
    }
}
