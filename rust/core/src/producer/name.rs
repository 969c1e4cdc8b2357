//! Owning a lane's name: its lock and its listening socket.

use super::options::Access;
use crate::error::{Error, Result};
use crate::failpoint::step;
use crate::layout::ErrorKind;
use crate::runtime_dir::{RuntimeDir, lock_name, socket_name};
use crate::{fork, random, wire};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use std::path::Path;

/// The name is ours while this lives.
pub(crate) struct NameHold {
    dir: RuntimeDir,
    lane: String,
    listener: OwnedFd,
    /// Held for life; never unlinked, so that two producers can never lock different files.
    lock: OwnedFd,
    generation: u64,
}

impl NameHold {
    /// Takes the name, over whatever a killed predecessor left behind.
    pub(crate) fn take(dir: RuntimeDir, lane: &str, access: Access) -> Result<Self> {
        let lock = lock(&dir, lane)?;
        step("create.locked");
        sweep(&dir, lane);
        let listener = listen(&dir, lane, access)?;
        step("create.listening");
        let generation = fork::generation();
        Ok(NameHold { dir, lane: lane.to_owned(), listener, lock, generation })
    }

    pub(crate) fn listener(&self) -> &OwnedFd {
        &self.listener
    }

    pub(crate) fn directory(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for NameHold {
    fn drop(&mut self) {
        if fork::is_foreign(self.generation) {
            return; // the name is the parent's
        }
        // Under the lock still, so this is our own socket.
        let _ = rustix::fs::unlinkat(self.dir.fd(), socket_name(&self.lane), AtFlags::empty());
        step("close.unlinked");
        // A forked child, also one that is only on its way to exec, has the descriptor too: closing
        // ours would not give the name back.
        let _ = rustix::fs::flock(&self.lock, FlockOperation::Unlock);
    }
}

fn lock(dir: &RuntimeDir, lane: &str) -> Result<OwnedFd> {
    let name = lock_name(lane);
    let path = dir.path().join(&name);
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir.fd(), &name, flags, Mode::from_raw_mode(0o600))
        .map_err(|errno| Error::system(format_args!("opening {}", path.display()), errno))?;
    refuse_planted(&fd, &path)?;
    match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => {
            let text = format!(
                "lane {lane:?} already has a producer in {}{}",
                dir.path().display(),
                owner(&fd)
            );
            return Err(Error::new(ErrorKind::AlreadyExists, text));
        }
        Err(errno) => {
            return Err(Error::system(format_args!("locking {}", path.display()), errno));
        }
    }
    // The pid is for the message above only; failing to write it (a full disk) does no harm.
    let _ = rustix::fs::ftruncate(&fd, 0);
    let _ = rustix::io::pwrite(&fd, std::process::id().to_string().as_bytes(), 0);
    Ok(fd)
}

/// Refuses a lock that is another file's second name: in a directory of many users anybody can put
/// one there, and what it names would be overwritten.
fn refuse_planted(lock: &OwnedFd, path: &Path) -> Result<()> {
    let found = rustix::fs::fstat(lock)
        .map_err(|errno| Error::system(format_args!("fstat {}", path.display()), errno))?;
    let regular = rustix::fs::FileType::from_raw_mode(found.st_mode).is_file();
    if regular && found.st_nlink == 1 {
        return Ok(());
    }
    let text = format!("{} is no lock of a lane: it is no file of its own", path.display());
    Err(Error::new(ErrorKind::PermissionDenied, text))
}

fn owner(lock: &OwnedFd) -> String {
    let mut text = [0; 16];
    let read = rustix::io::pread(lock, &mut text, 0).unwrap_or(0);
    match std::str::from_utf8(&text[..read]).ok().and_then(|t| t.trim().parse::<u32>().ok()) {
        Some(pid) => format!(", process {pid} or a child that inherited its lock"),
        None => String::new(),
    }
}

/// Removes half-made sockets of killed predecessors of this lane.
fn sweep(dir: &RuntimeDir, lane: &str) {
    let prefix = format!(".{lane}.");
    let Ok(entries) = std::fs::read_dir(dir.path()) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&prefix)) else {
            continue;
        };
        // Exactly what `listen` makes: another lane's name may continue ours after a dot.
        if rest.strip_suffix(".sock").is_some_and(|hex| hex.len() == 8 && !hex.contains('.')) {
            let _ = rustix::fs::unlinkat(dir.fd(), &name, AtFlags::empty());
        }
    }
}

/// Binds under a temporary name, narrow, widens to the lane's rule, then renames into place:
/// nobody can ever connect with more rights, and a stale socket is replaced in one step.
fn listen(dir: &RuntimeDir, lane: &str, access: Access) -> Result<OwnedFd> {
    let temporary = format!(".{lane}.{:08x}.sock", random::nonzero_u64() as u32);
    let socket = wire::socket::new()?;
    // The mode a socket has when it is bound is the mode of its file (less the umask).
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(0o600))
        .map_err(|errno| Error::system("fchmod of a socket", errno))?;
    rustix::net::bind(&socket, &dir.address(&temporary)?).map_err(|errno| {
        Error::system(format_args!("binding a socket in {}", dir.path().display()), errno)
    })?;
    step("create.bound");
    let placed = place(dir, lane, &temporary, access, &socket).map_err(|errno| {
        let place = dir.path().join(socket_name(lane));
        Error::system(format_args!("placing {}", place.display()), errno)
    });
    if placed.is_err() {
        let _ = rustix::fs::unlinkat(dir.fd(), &temporary, AtFlags::empty());
    }
    placed.map(|()| socket)
}

fn place(
    dir: &RuntimeDir,
    lane: &str,
    temporary: &str,
    access: Access,
    socket: impl AsFd,
) -> rustix::io::Result<()> {
    let mode = match access {
        Access::Owner => 0o600,
        Access::Group(gid) => {
            let group = rustix::fs::Gid::from_raw(gid);
            let flags = AtFlags::SYMLINK_NOFOLLOW;
            rustix::fs::chownat(dir.fd(), temporary, None, Some(group), flags)?;
            0o660
        }
        Access::Everyone => 0o666,
    };
    rustix::fs::chmodat(dir.fd(), temporary, Mode::from_raw_mode(mode), AtFlags::empty())?;
    rustix::net::listen(socket, 64)?;
    rustix::fs::renameat(dir.fd(), temporary, dir.fd(), socket_name(lane))
}
