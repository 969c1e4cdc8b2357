//! Where lanes have their sockets.
//!
//! `FRAMELANE_DIR`, where set, is the only place: a directory named on purpose is used or is an
//! error. Otherwise producers take the first writable of `/run/framelane`,
//! `$XDG_RUNTIME_DIR/framelane` and `/tmp/framelane-<uid>`, and consumers search all of them, since
//! the two may run as different users.

use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::SocketAddrUnix;
use std::path::{Path, PathBuf};

/// Longest path a socket address takes, without its terminating zero.
const SUN_PATH_BYTES: usize = 107;

/// Places that are searched for lanes, first choice first.
pub fn search_path() -> Vec<PathBuf> {
    if let Some(chosen) = std::env::var_os("FRAMELANE_DIR").filter(|dir| !dir.is_empty()) {
        return vec![chosen.into()];
    }
    let mut places = vec![PathBuf::from("/run/framelane")];
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()) {
        places.push(Path::new(&runtime).join("framelane"));
    }
    places.push(fallback());
    places
}

fn fallback() -> PathBuf {
    PathBuf::from(format!("/tmp/framelane-{}", rustix::process::geteuid().as_raw()))
}

/// The places for one call: the given directory alone, or the search path.
pub(crate) fn places(directory: Option<&Path>) -> Vec<PathBuf> {
    directory.map_or_else(search_path, |chosen| vec![chosen.to_owned()])
}

/// An open runtime directory.
pub(crate) struct RuntimeDir {
    path: PathBuf,
    fd: OwnedFd,
}

impl RuntimeDir {
    /// Opens a directory to look for lanes in; None when it is not there.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>> {
        let in_tmp = path == fallback();
        let mut flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        if in_tmp {
            flags |= OFlags::NOFOLLOW;
        }
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => {
                let dir = RuntimeDir { path: path.to_owned(), fd };
                if in_tmp {
                    dir.refuse_foreign()?;
                }
                Ok(Some(dir))
            }
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) if in_tmp => {
                Err(not_used(path, "it is a symbolic link or no directory"))
            }
            Err(Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(Error::system(format_args!("opening {}", path.display()), errno)),
        }
    }

    /// Opens those of `places` that are there. One that may not be used is an error only where it
    /// is the only one: anybody can put one into /tmp, and must not keep us from the others.
    pub(crate) fn open_all(places: &[PathBuf]) -> Result<Vec<Self>> {
        let mut dirs = Vec::new();
        for place in places {
            match Self::open(place) {
                Ok(dir) => dirs.extend(dir),
                Err(error) if places.len() == 1 => return Err(error),
                Err(error) => tracing::debug!(%error, "a place is passed over"),
            }
        }
        Ok(dirs)
    }

    /// The first directory of `places` that a producer can use, made where it is missing.
    pub(crate) fn for_producer(places: &[PathBuf]) -> Result<Self> {
        let mut reasons = Vec::new();
        for place in places {
            match Self::prepare(place) {
                Ok(dir) => return Ok(dir),
                Err(error) => reasons.push(error.to_string()),
            }
        }
        let text = format!("no usable runtime directory: {}", reasons.join("; "));
        Err(Error::new(ErrorKind::PermissionDenied, text))
    }

    fn prepare(path: &Path) -> Result<Self> {
        let shared =
            path.starts_with("/run/framelane") || std::env::var_os("FRAMELANE_DIR").is_some();
        let mode = if shared { 0o755 } else { 0o700 };
        match rustix::fs::mkdir(path, Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => {
                return Err(Error::system(format_args!("making {}", path.display()), errno));
            }
        }
        let dir = Self::open(path)?.ok_or_else(|| {
            let text = format!("{} is not a directory", path.display());
            Error::new(ErrorKind::PermissionDenied, text)
        })?;
        rustix::fs::access(path, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
            .map_err(|errno| Error::system(format_args!("using {}", path.display()), errno))?;
        Ok(dir)
    }

    /// /tmp is everybody's: what stands there under our name must be our own and closed to others.
    fn refuse_foreign(&self) -> Result<()> {
        // Of what was opened, not of what the name stands for by now.
        let found = rustix::fs::fstat(&self.fd)
            .map_err(|errno| Error::system(format_args!("fstat {}", self.path.display()), errno))?;
        if found.st_uid != rustix::process::geteuid().as_raw() {
            return Err(not_used(&self.path, format_args!("it belongs to user {}", found.st_uid)));
        }
        match found.st_mode & 0o777 {
            0o700 => Ok(()),
            mode => Err(not_used(&self.path, format_args!("its mode is {mode:o}, not 700"))),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn fd(&self) -> impl AsFd + '_ {
        &self.fd
    }

    /// Socket address of an entry. Long directories are reached through their descriptor.
    pub(crate) fn address(&self, entry: &str) -> Result<SocketAddrUnix> {
        let direct = self.path.join(entry);
        let path = if direct.as_os_str().len() <= SUN_PATH_BYTES {
            direct
        } else {
            PathBuf::from(format!("/proc/self/fd/{}/{entry}", self.fd.as_raw_fd()))
        };
        SocketAddrUnix::new(&path).map_err(|errno| {
            let text = format!(
                "socket path {} has {} bytes, the limit is {SUN_PATH_BYTES}: {errno}",
                path.display(),
                path.as_os_str().len()
            );
            Error::new(ErrorKind::InvalidArgument, text)
        })
    }
}

/// Name of a lane's socket.
pub(crate) fn socket_name(lane: &str) -> String {
    format!("{lane}.sock")
}

/// Name of a lane's lock.
pub(crate) fn lock_name(lane: &str) -> String {
    format!("{lane}.lock")
}

fn not_used(path: &Path, why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::PermissionDenied, format!("{} is not used: {why}", path.display()))
}

/// "a, b, c" for messages that list where was searched, with the reason where it was not.
pub(crate) fn listed(places: &[PathBuf]) -> String {
    let name = |place: &PathBuf| match RuntimeDir::open(place) {
        Ok(_) => place.display().to_string(),
        Err(error) => error.to_string(),
    };
    places.iter().map(name).collect::<Vec<_>>().join(", ")
}
