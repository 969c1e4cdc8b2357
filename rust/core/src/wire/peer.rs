//! Who is at the other end of a socket, and noticing its death.
#![allow(unsafe_code, reason = "two socket options that rustix does not offer in this form")]

use crate::error::{Error, Result};
use crate::layout::Liveness;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::retry_on_intr;
use rustix::process::{Pid, PidfdFlags};

const SO_PEERPIDFD: libc::c_int = 77; // linux/asm-generic/socket.h, since 6.5

/// Process and user at the other end, as the kernel recorded them at connect or listen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer {
    /// 0 when the peer lives in a process-id namespace that is not visible from here.
    pub(crate) pid: u32,
    pub(crate) uid: u32,
}

/// SO_PEERCRED.
pub(crate) fn credentials(socket: impl AsFd) -> Result<Peer> {
    let mut found = libc::ucred { pid: 0, uid: u32::MAX, gid: u32::MAX };
    get_option(&socket, libc::SO_PEERCRED, &mut found)
        .map_err(|errno| Error::system("getsockopt(SO_PEERCRED)", errno))?;
    Ok(Peer { pid: u32::try_from(found.pid).unwrap_or(0), uid: found.uid })
}

/// A descriptor that becomes readable when the peer's process ends, where one can be had.
pub(crate) fn watch(socket: impl AsFd, peer: Peer) -> (Option<OwnedFd>, Liveness) {
    if let Some(fd) = peer_pidfd(&socket) {
        return (Some(fd), Liveness::PeerPidfd);
    }
    match pid(peer).map(|pid| rustix::process::pidfd_open(pid, PidfdFlags::empty())) {
        // The pid was recorded at connect: if the peer is still connected now, it has not been
        // reused in between.
        Some(Ok(fd)) if still_connected(&socket) => (Some(fd), Liveness::Pidfd),
        _ => (None, Liveness::Socket),
    }
}

fn peer_pidfd(socket: &impl AsFd) -> Option<OwnedFd> {
    let mut fd: RawFd = -1;
    get_option(socket, SO_PEERPIDFD, &mut fd).ok()?;
    // SAFETY: on success the kernel has made a new descriptor that is ours to own.
    (fd >= 0).then(|| unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether the peer has not hung up yet.
pub(crate) fn still_connected(socket: impl AsFd) -> bool {
    !is_gone(socket, None)
}

/// Whether the peer has hung up, or the process that a pidfd names has ended.
pub(crate) fn is_gone(socket: impl AsFd, pidfd: Option<&OwnedFd>) -> bool {
    let hung_up = PollFd::new(&socket, PollFlags::RDHUP);
    match pidfd {
        Some(pidfd) => any_ready(&mut [hung_up, PollFd::new(pidfd, PollFlags::IN)]),
        None => any_ready(&mut [hung_up]),
    }
}

fn any_ready(polled: &mut [PollFd<'_>]) -> bool {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    matches!(retry_on_intr(|| poll(polled, Some(&at_once))), Ok(1..))
}

/// Whether the process at the other end has ended. A child of it may still hold the socket, and
/// accept connections without ever looking at them.
pub(crate) fn has_ended(socket: impl AsFd) -> bool {
    let Ok(peer) = credentials(&socket) else { return false };
    match watch(&socket, peer) {
        // Not the socket: it may have been refused, with a reason that is still to be read.
        (Some(pidfd), _) => any_ready(&mut [PollFd::new(&pidfd, PollFlags::IN)]),
        (None, _) => pid(peer).is_some_and(|pid| {
            rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
        }),
    }
}

fn pid(peer: Peer) -> Option<Pid> {
    i32::try_from(peer.pid).ok().and_then(Pid::from_raw)
}

fn get_option<T>(socket: &impl AsFd, option: libc::c_int, value: &mut T) -> rustix::io::Result<()> {
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: value points to `length` writable bytes, and both options used here fill a plain
    // C struct or int of exactly that size.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_mut(value).cast(),
            &raw mut length,
        )
    };
    if result == 0 && length as usize == size_of::<T>() {
        return Ok(());
    }
    Err(rustix::io::Errno::from_io_error(&std::io::Error::last_os_error())
        .unwrap_or(rustix::io::Errno::INVAL))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_of_a_pair_is_this_process() {
        let flags = rustix::net::SocketFlags::CLOEXEC;
        let (a, b) = rustix::net::socketpair(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::SEQPACKET,
            flags,
            None,
        )
        .unwrap();
        let peer = credentials(&a).unwrap();
        assert_eq!(peer.pid, std::process::id());
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        let (fd, liveness) = watch(&a, peer);
        assert!(fd.is_some(), "{liveness:?}");
        assert!(!is_gone(&a, fd.as_ref()));
        drop(b);
        assert!(is_gone(&a, fd.as_ref()));
    }
}
