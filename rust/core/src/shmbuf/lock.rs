//! Which of our own processes has a segment: locks on single bytes of its file, which upstream
//! peers neither take nor notice. The kernel drops them with the last copy of the descriptor; a
//! child that was just forked has one, too, so that a side that ends in order gives its lock back.
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
    let mut lock = byte_of(side, libc::F_WRLCK);
    match control(fd, libc::F_OFD_SETLK, &mut lock) {
        Ok(()) => Ok(true),
        Err(errno) if matches!(errno.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(Error::io("locking a shmbuf segment", error)),
    }
}

/// Gives a side back, for all copies of the descriptor.
pub(super) fn give_back(fd: impl AsFd, side: Side) {
    // It cannot fail for a descriptor that has taken a lock, and closing it would do the same.
    let _ = control(fd, libc::F_OFD_SETLK, &mut byte_of(side, libc::F_UNLCK));
}

/// Whether another descriptor has taken a side.
pub(super) fn is_taken(fd: impl AsFd, side: Side) -> Result<bool> {
    let mut lock = byte_of(side, libc::F_WRLCK);
    control(fd, libc::F_OFD_GETLK, &mut lock)
        .map_err(|error| Error::io("asking for the locks of a shmbuf segment", error))?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

fn byte_of(side: Side, kind: libc::c_int) -> libc::flock {
    libc::flock {
        l_type: kind as libc::c_short,
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
        let copy = first.try_clone().unwrap();
        give_back(&first, Side::Sender);
        assert!(take(&second, Side::Sender).unwrap(), "whatever copies there are");
        drop((second, copy));
        assert!(take(&first, Side::Sender).unwrap() && take(&first, Side::Receiver).unwrap());
    }
}
