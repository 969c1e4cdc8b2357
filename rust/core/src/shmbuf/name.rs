//! Names of segments, and the folder they are in.

use crate::error::{Error, Result, protocol};
use crate::layout::ErrorKind;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;

/// Where Linux has the files of POSIX shared memory.
const SHARED_MEMORY: &str = "/dev/shm";
/// The C++ side cuts longer ones, and so opens another segment.
const NAME_BYTES: usize = 62;

/// One name in one folder.
pub(super) struct Place {
    folder: OwnedFd,
    name: String,
}

/// Tells a file from all others that exist at the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Place {
    pub(super) fn new(name: &str, folder: Option<&Path>) -> Result<Self> {
        let name = file_name(name)?.to_owned();
        let path = folder.unwrap_or(Path::new(SHARED_MEMORY));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::openat(CWD, path, flags, Mode::empty())
            .map_err(|errno| Error::system(format_args!("opening {}", path.display()), errno))?;
        Ok(Place { folder, name })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The file that has the name now.
    pub(super) fn open(&self) -> Result<Option<OwnedFd>> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        match rustix::fs::openat(&self.folder, &self.name, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(fd)),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO) => {
                Err(protocol(format!("{} is no file of shared memory", self.name)))
            }
            Err(errno) => Err(Error::system(format_args!("opening shmbuf {}", self.name), errno)),
        }
    }

    /// Which file has the name now.
    pub(super) fn identity(&self) -> Option<Identity> {
        let stat = rustix::fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW);
        stat.ok().map(|stat| Identity { device: stat.st_dev, inode: stat.st_ino })
    }

    /// A file without a name yet, which vanishes if it gets none.
    pub(super) fn nameless(&self) -> Result<OwnedFd> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        rustix::fs::openat(&self.folder, ".", flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| Error::system(format_args!("making shmbuf {}", self.name), errno))
    }

    /// Gives a nameless file the name; false if another file has it.
    pub(super) fn give_to(&self, fd: &OwnedFd) -> Result<bool> {
        use rustix::fd::AsRawFd;
        let own = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let flags = AtFlags::SYMLINK_FOLLOW;
        match rustix::fs::linkat(CWD, &own, &self.folder, &self.name, flags) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(Error::system(format_args!("naming shmbuf {}", self.name), errno)),
        }
    }

    /// Takes the name away, if this file has it.
    pub(super) fn take_from(&self, fd: &OwnedFd) -> Result<bool> {
        if self.identity() != Some(identity(fd)?) {
            return Ok(false);
        }
        match rustix::fs::unlinkat(&self.folder, &self.name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(Error::system(format_args!("removing shmbuf {}", self.name), errno)),
        }
    }
}

/// Which file a descriptor is.
pub(super) fn identity(fd: &OwnedFd) -> Result<Identity> {
    let stat = rustix::fs::fstat(fd).map_err(|errno| Error::system("fstat", errno))?;
    Ok(Identity { device: stat.st_dev, inode: stat.st_ino })
}

/// Size of a file of shared memory.
pub(super) fn size(fd: &OwnedFd, name: &str) -> Result<u64> {
    let stat = rustix::fs::fstat(fd).map_err(|errno| Error::system("fstat", errno))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(protocol(format!("{name} is no file of shared memory")));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

/// The name without the slashes that some peers put in front.
fn file_name(name: &str) -> Result<&str> {
    let bare = name.trim_start_matches('/');
    let refuse = |why: String| {
        Err(Error::new(ErrorKind::InvalidName, format!("shmbuf name {name:?} {why}")))
    };
    if bare.len() > NAME_BYTES {
        return refuse(format!("has {} bytes, C++ peers cut it at {NAME_BYTES}", bare.len()));
    }
    if bare.is_empty() || bare.contains(['/', '\0']) || bare == "." || bare == ".." {
        return refuse("is no file name".into());
    }
    Ok(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_with_and_without_a_slash() {
        for name in ["video", "/video", "//video"] {
            assert_eq!(file_name(name).unwrap(), "video");
        }
        assert!(file_name(&"n".repeat(62)).is_ok() && file_name("/Ümlaut 1").is_ok());
    }

    #[test]
    fn names_that_a_peer_would_cut_or_that_are_none_are_refused() {
        for name in [&"n".repeat(63), "", "/", "a/b", ".", "/..", "a\0b"] {
            assert_eq!(file_name(name).unwrap_err().kind(), ErrorKind::InvalidName, "{name:?}");
        }
    }
}
