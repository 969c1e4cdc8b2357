//! Which of our own processes has a segment: locks on single bytes of its file, which upstream
//! peers neither take nor notice. The kernel drops them with the last copy of the descriptor.
#![allow(unsafe_code, reason = "fcntl with a struct")]

use crate::error::{Error, Result};
use rustix::fd::{AsFd, AsRawFd};

/// A side of the ring; each locks the byte its own counter begins at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Sender = 0,
    Receiver = 4,
}

/// Takes a side; false if another descriptor has it.
pub(super) fn take(fd: impl AsFd, side: Side) -> Result<bool> {
    let mut lock = whole(side);
    match control(fd, libc::F_OFD_SETLK, &mut lock) {
        Ok(()) => Ok(true),
        Err(errno) if matches!(errno.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(Error::io("locking a shmbuf segment", error)),
    }
}

/// Whether another descriptor has taken a side.
pub(super) fn is_taken(fd: impl AsFd, side: Side) -> Result<bool> {
    let mut lock = whole(side);
    control(fd, libc::F_OFD_GETLK, &mut lock)
        .map_err(|error| Error::io("asking for the locks of a shmbuf segment", error))?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

fn whole(side: Side) -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: side as libc::off_t,
        l_len: 1,
        l_pid: 0,
    }
}

fn control(fd: impl AsFd, command: libc::c_int, lock: &mut libc::flock) -> std::io::Result<()> {
    // SAFETY: the descriptor is open, and these commands read and write one flock.
    match unsafe { libc::fcntl(fd.as_fd().as_raw_fd(), command, std::ptr::from_mut(lock)) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_is_taken_once_until_its_descriptor_is_closed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let first = file.reopen().unwrap();
        let second = file.reopen().unwrap();
        assert!(take(&first, Side::Sender).unwrap());
        assert!(!is_taken(&first, Side::Sender).unwrap(), "its own lock is no other's");
        assert!(is_taken(&second, Side::Sender).unwrap());
        assert!(!take(&second, Side::Sender).unwrap());
        assert!(take(&second, Side::Receiver).unwrap());
        drop(first);
        assert!(take(&second, Side::Sender).unwrap());
    }
}
