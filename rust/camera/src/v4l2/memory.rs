//! Where pictures lie: buffers of the driver's, or memory of ours that the driver writes to.

use super::abi::{self, HeapAllocation, Sync, UdmabufCreate};
use super::sys::{self, Mapped, call};
use crate::error::Result;
use framelane::{Error, ErrorKind, MemoryKind};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

const UDMABUF: &str = "/dev/udmabuf";
const HEAP: &str = "/dev/dma_heap/system";

/// Memory of ours that a driver can be told to write to.
pub struct Import {
    /// What readers get it as.
    pub kind: MemoryKind,
    /// What the driver is given.
    pub queue: OwnedFd,
    /// What readers are given; the same as `queue` where that is None.
    share: Option<OwnedFd>,
}

impl Import {
    /// Memory from a dma-heap, else from a memfd, both of which readers can only read.
    pub fn new(bytes: u64) -> Result<Self> {
        let heap = match from_heap(bytes) {
            Ok(import) => return Ok(import),
            Err(error) => error,
        };
        from_memfd(bytes)
            .map_err(|error| Error::new(ErrorKind::Unsupported, format!("{heap}; {error}")))
    }

    /// A descriptor for readers.
    pub fn shared(&self) -> Result<OwnedFd> {
        let fd = self.share.as_ref().unwrap_or(&self.queue);
        fd.try_clone().map_err(|error| Error::new(ErrorKind::TooMany, error.to_string()))
    }
}

fn from_heap(bytes: u64) -> Result<Import> {
    let heap = open(HEAP, OFlags::RDONLY)?;
    // Read-only: readers can then not map it for writing, and the driver does not ask.
    let fd_flags = (OFlags::RDONLY | OFlags::CLOEXEC).bits();
    let mut wish = HeapAllocation { bytes, fd_flags, ..HeapAllocation::ZERO };
    call(&heap, &sys::DMA_HEAP_ALLOC, &mut wish).map_err(|errno| no(HEAP, errno))?;
    let queue = sys::made(wish.fd as i32).map_err(|errno| no(HEAP, errno))?;
    Ok(Import { kind: MemoryKind::Dmabuf, queue, share: None })
}

fn from_memfd(bytes: u64) -> Result<Import> {
    let maker = open(UDMABUF, OFlags::RDWR)?;
    let failed = |errno| no("a memfd for udmabuf", errno);
    let page = rustix::param::page_size() as u64;
    let size = bytes.next_multiple_of(page);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let memfd = rustix::fs::memfd_create("framelane-v4l2", flags).map_err(failed)?;
    rustix::fs::ftruncate(&memfd, size).map_err(failed)?;
    // In this order: the kernel takes no memfd that cannot be written, and none that can shrink.
    let fixed = SealFlags::SHRINK | SealFlags::GROW;
    rustix::fs::fcntl_add_seals(&memfd, fixed).map_err(failed)?;
    let number = rustix::fd::AsRawFd::as_raw_fd(&memfd) as u32;
    let flags = abi::UDMABUF_CLOEXEC;
    let mut create = UdmabufCreate { memfd: number, flags, offset: 0, size };
    let made = call(&maker, &sys::UDMABUF_CREATE, &mut create).map_err(|e| no(UDMABUF, e))?;
    let queue = sys::made(made).map_err(failed)?;
    let reading = SealFlags::FUTURE_WRITE | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&memfd, reading).map_err(failed)?;
    Ok(Import { kind: MemoryKind::Memfd, queue, share: Some(memfd) })
}

fn open(path: &str, flags: OFlags) -> Result<OwnedFd> {
    rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).map_err(|e| no(path, e))
}

fn no(what: &str, errno: Errno) -> Error {
    Error::new(ErrorKind::Unsupported, format!("{what}: {errno}"))
}

/// Makes the processor see what the device wrote. A kernel or buffer that needs none refuses.
pub fn refresh(dma_buf: impl AsFd) {
    for flags in [abi::SYNC_READ, abi::SYNC_READ | abi::SYNC_END] {
        if let Err(errno) = call(&dma_buf, &sys::DMA_BUF_SYNC, &mut Sync { flags }) {
            tracing::debug!(%errno, "DMA_BUF_IOCTL_SYNC");
        }
    }
}

/// Buffers of a stream, by how pictures get from them to readers.
pub enum Memory {
    /// The driver's, given to readers as dma-bufs.
    Export(Vec<OwnedFd>),
    /// Ours, which the driver writes to.
    Import(Vec<Import>),
    /// The driver's, mapped here and copied.
    Copy(Vec<Mapped>),
}

impl Memory {
    /// As V4L2 calls it.
    pub fn number(&self) -> u32 {
        match self {
            Memory::Export(_) | Memory::Copy(_) => abi::MEMORY_MMAP,
            Memory::Import(_) => abi::MEMORY_DMABUF,
        }
    }
}
