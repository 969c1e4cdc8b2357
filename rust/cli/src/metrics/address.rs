//! Where metrics are served: a TCP address, or a Unix socket.

use anyhow::{Context, Result, bail};
use rustix::fs::{Mode, fchmod, stat};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use std::fmt;
use std::fs::symlink_metadata;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Scrapers that may wait to be let in.
const BACKLOG: i32 = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Tcp(String),
    Unix(PathBuf),
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Address::Unix(path.into()));
        }
        if text.contains('/') {
            return Ok(Address::Unix(text.into()));
        }
        let port = text
            .rsplit_once(':')
            .and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok())?);
        match port {
            Some(_) => Ok(Address::Tcp(text.to_owned())),
            None => {
                Err("neither ADDRESS:PORT, as 127.0.0.1:9464, nor a path with a / in it".into())
            }
        }
    }
}

/// Somebody who wants to be served.
pub trait Visitor: Read + Write + Send {
    fn set_timeout(&self, left: Duration) -> io::Result<()>;
}

impl Visitor for TcpStream {
    fn set_timeout(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left)).and_then(|()| self.set_write_timeout(Some(left)))
    }
}

impl Visitor for UnixStream {
    fn set_timeout(&self, left: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(left)).and_then(|()| self.set_write_timeout(Some(left)))
    }
}

/// An open address; a socket file goes with it.
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, OwnFile),
}

/// A socket file of ours, which is removed only while it still is.
pub struct OwnFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl Listener {
    /// # Errors
    /// An address that is in use, or cannot be had.
    pub fn open(address: &Address) -> Result<Self> {
        match address {
            Address::Tcp(text) => tcp(text),
            Address::Unix(path) => unix(path),
        }
    }

    /// The next visitor, if there is one now.
    pub fn accept(&self) -> io::Result<Box<dyn Visitor>> {
        // What is accepted does not inherit that the listener never blocks.
        Ok(match self {
            Listener::Tcp(listener) => Box::new(listener.accept()?.0),
            Listener::Unix(listener, _) => Box::new(listener.accept()?.0),
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Listener::Tcp(listener) => listener.as_fd(),
            Listener::Unix(listener, _) => listener.as_fd(),
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listener::Tcp(listener) => match listener.local_addr() {
                Ok(address) => write!(f, "http://{address}/metrics"),
                Err(error) => write!(f, "an address that cannot be told: {error}"),
            },
            Listener::Unix(_, file) => write!(f, "{}", file.path.display()),
        }
    }
}

fn tcp(text: &str) -> Result<Listener> {
    let addresses: Vec<SocketAddr> =
        text.to_socket_addrs().with_context(|| format!("metrics at {text}"))?.collect();
    let listener = TcpListener::bind(&addresses[..]).map_err(|error| refused(text, error))?;
    listener.set_nonblocking(true)?;
    Ok(Listener::Tcp(listener))
}

fn refused(place: &str, error: io::Error) -> anyhow::Error {
    let text = match error.kind() {
        ErrorKind::AddrInUse => format!("metrics: {place} is in use by another program"),
        _ => format!("metrics: cannot listen at {place}: {error}"),
    };
    anyhow::anyhow!(text)
}

/// Only for this user: what readers are called is nobody else's business. The mode is set before
/// there is a name.
fn unix(path: &Path) -> Result<Listener> {
    clear_way(path)?;
    let place = path.display().to_string();
    let open = || -> rustix::io::Result<UnixListener> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        let socket = rustix::net::socket_with(family, kind, flags, None)?;
        fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
        rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
        rustix::net::listen(&socket, BACKLOG)?;
        Ok(UnixListener::from(socket))
    };
    let listener = open().map_err(|errno| refused(&place, errno.into()))?;
    let identity = identity(path).with_context(|| format!("metrics at {place}"))?;
    Ok(Listener::Unix(listener, OwnFile { path: path.to_owned(), identity }))
}

/// Removes a socket that nobody listens on any more.
fn clear_way(path: &Path) -> Result<()> {
    let place = path.display();
    match symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => bail!("metrics: {place}: {error}"),
        Ok(found) if !found.file_type().is_socket() => {
            bail!("metrics: {place} is there already, and no socket");
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).with_context(|| format!("metrics: removing {place}"))
        }
        Err(error) => bail!("metrics: {place} is in use: {error}"),
        Ok(_) => bail!("metrics: {place} is in use by another program"),
    }
}

fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    stat(path).map(|found| (found.st_dev, found.st_ino))
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if identity(&self.path) == Ok(self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_paths() {
        let tcp = |text: &str| Ok(Address::Tcp(text.into()));
        for text in ["127.0.0.1:9464", "[::1]:0", "localhost:80"] {
            assert_eq!(text.parse(), tcp(text));
        }
        for text in ["./x", "/run/x.sock", "unix:x"] {
            assert!(matches!(text.parse(), Ok(Address::Unix(_))), "{text}");
        }
        for text in ["", "9464", ":9464", "host", "host:", "host:99999"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_dead_socket_is_taken_over_and_a_live_one_is_not() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("metrics");
        drop(UnixListener::bind(&path).unwrap());
        let address = Address::Unix(path.clone());
        let first = Listener::open(&address).unwrap();
        let refused = Listener::open(&address).err().unwrap().to_string();
        assert!(refused.contains("in use by another program"), "{refused}");
        std::fs::remove_file(&path).unwrap();
        let second = Listener::open(&address).unwrap();
        drop(first);
        assert!(path.exists(), "the second one's");
        drop(second);
        assert!(!path.exists());
        std::fs::write(&path, "kept").unwrap();
        let refused = Listener::open(&address).err().unwrap().to_string();
        assert!(refused.contains("no socket") && path.exists(), "{refused}");
    }
}
