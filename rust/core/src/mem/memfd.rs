//! Sealed memfds, and the checks on descriptors that somebody else made.

use crate::error::{Error, Result, protocol};
use crate::layout::ErrorKind;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::Errno;

/// Superblock magic of dma-bufs (linux/magic.h).
const DMA_BUF_MAGIC: u64 = 0x444d_4142;

/// Superblock magic of huge pages (linux/magic.h).
const HUGETLBFS_MAGIC: u64 = 0x9584_58f6;

/// Size of huge pages asked for; the kernel's default on x86-64 and aarch64 with 4 KiB pages.
pub(crate) const HUGE_PAGE_BYTES: u64 = 2 << 20;

/// A memfd of `bytes`. Reserve its memory before it is touched.
pub(crate) fn create(name: &str, bytes: u64, huge: bool) -> Result<OwnedFd> {
    let mut flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::NOEXEC_SEAL;
    if huge {
        flags |= MemfdFlags::HUGETLB | MemfdFlags::HUGE_2MB;
    }
    let fd = match rustix::fs::memfd_create(name, flags) {
        // Kernels before 6.3 do not know NOEXEC_SEAL.
        Err(Errno::INVAL) => rustix::fs::memfd_create(name, flags - MemfdFlags::NOEXEC_SEAL),
        other => other,
    }
    .map_err(|errno| Error::system(format_args!("memfd_create({name})"), errno))?;
    rustix::fs::ftruncate(&fd, bytes)
        .map_err(|errno| Error::system(format_args!("sizing {name} to {bytes} bytes"), errno))?;
    Ok(fd)
}

/// Reserves the memory, so that "too small" is an error here and never a SIGBUS later. The kernel
/// would rather kill a process than refuse: ask `budget` first.
pub(crate) fn reserve(fd: &OwnedFd, bytes: u64, name: &str) -> Result<()> {
    rustix::fs::fallocate(fd, FallocateFlags::empty(), 0, bytes).map_err(|errno| match errno {
        Errno::NOSPC | Errno::NOMEM => Error::new(
            ErrorKind::OutOfMemory,
            format!("reserving {bytes} bytes of shared memory for {name}: {errno}"),
        ),
        _ => Error::system(format_args!("reserving {bytes} bytes for {name}"), errno),
    })
}

/// Seals lane memory: its size is fixed and, beyond the mappings that exist, it is read-only.
pub(crate) fn seal_read_only(fd: &OwnedFd) -> Result<()> {
    let size = SealFlags::SHRINK | SealFlags::GROW;
    add_seals(fd, size | SealFlags::FUTURE_WRITE | SealFlags::SEAL)
}

/// Seals a consumer page: its size is fixed, its one consumer may write.
pub(crate) fn seal_size(fd: &OwnedFd) -> Result<()> {
    add_seals(fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
}

fn add_seals(fd: &OwnedFd, seals: SealFlags) -> Result<()> {
    rustix::fs::fcntl_add_seals(fd, seals)
        .map_err(|errno| Error::system(format_args!("sealing a memfd with {seals:?}"), errno))
}

/// Size of a descriptor that claims to be a memfd and cannot be shrunk under a reader.
pub(crate) fn sealed_size(fd: impl AsFd, what: &str) -> Result<u64> {
    let fd = fd.as_fd();
    let seals = rustix::fs::fcntl_get_seals(fd)
        .map_err(|_| protocol(format!("{what} is not a memfd, so it cannot be sealed")))?;
    if !seals.contains(SealFlags::SHRINK) {
        return Err(protocol(format!(
            "{what} is not sealed against shrinking: reading it could end in SIGBUS"
        )));
    }
    // A hole in ordinary memory reads as zeros; in huge pages it is SIGBUS once the pool is empty.
    if superblock(fd, what)? == HUGETLBFS_MAGIC {
        return settled_size(fd, what);
    }
    file_size(fd, what)
}

/// As [`sealed_size`], of memory that is all there and stays there: reading it neither allocates
/// a page nor faults for want of one, whatever its maker does.
pub(crate) fn settled_size(fd: impl AsFd, what: &str) -> Result<u64> {
    let fd = fd.as_fd();
    let seals = rustix::fs::fcntl_get_seals(fd)
        .map_err(|_| protocol(format!("{what} is not a memfd, so it cannot be sealed")))?;
    let bytes = file_size(fd, what)?;
    // Whoever may no longer write a memfd may punch no holes in it either.
    if !seals.contains(SealFlags::SHRINK)
        || !seals.intersects(SealFlags::WRITE | SealFlags::FUTURE_WRITE)
    {
        return Err(protocol(format!(
            "{what} can still be cut or punched by its maker: {seals:?}"
        )));
    }
    let stat = rustix::fs::fstat(fd)
        .map_err(|errno| Error::system(format_args!("fstat of {what}"), errno))?;
    let there = u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512);
    if there < bytes {
        return Err(protocol(format!("{what} has {bytes} bytes of which {there} are reserved")));
    }
    Ok(bytes)
}

/// Size of a descriptor that claims to be a dma-buf.
pub(crate) fn dma_buf_size(fd: impl AsFd, what: &str) -> Result<u64> {
    let fd = fd.as_fd();
    if superblock(fd, what)? != DMA_BUF_MAGIC {
        return Err(protocol(format!("{what} is not a dma-buf")));
    }
    rustix::fs::seek(fd, rustix::fs::SeekFrom::End(0))
        .map_err(|errno| Error::system(format_args!("size of {what}"), errno))
}

/// Whether whoever is given this descriptor could write through it.
pub(crate) fn is_writable(fd: impl AsFd, what: &str) -> Result<bool> {
    let fd = fd.as_fd();
    let flags = rustix::fs::fcntl_getfl(fd)
        .map_err(|errno| Error::system(format_args!("flags of {what}"), errno))?;
    if !flags.intersects(rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::RDWR) {
        return Ok(false);
    }
    // A memfd can forbid new writable mappings whatever the descriptor allows.
    let seals = rustix::fs::fcntl_get_seals(fd).unwrap_or(SealFlags::empty());
    Ok(!seals.intersects(SealFlags::WRITE | SealFlags::FUTURE_WRITE))
}

/// What kind of file system a descriptor belongs to.
fn superblock(fd: BorrowedFd<'_>, what: &str) -> Result<u64> {
    let stat = rustix::fs::fstatfs(fd)
        .map_err(|errno| Error::system(format_args!("fstatfs of {what}"), errno))?;
    Ok(stat.f_type as u64)
}

fn file_size(fd: BorrowedFd<'_>, what: &str) -> Result<u64> {
    let stat = rustix::fs::fstat(fd)
        .map_err(|errno| Error::system(format_args!("fstat of {what}"), errno))?;
    u64::try_from(stat.st_size).map_err(|_| protocol(format!("{what} has a negative size")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_lane_memory_cannot_change_size_or_be_written_again() {
        let fd = create("test", 8192, false).unwrap();
        seal_read_only(&fd).unwrap();
        assert_eq!(sealed_size(&fd, "it").unwrap(), 8192);
        assert_eq!(rustix::fs::ftruncate(&fd, 0), Err(Errno::PERM));
        assert_eq!(rustix::fs::ftruncate(&fd, 16384), Err(Errno::PERM));
        assert_eq!(rustix::io::pwrite(&fd, b"x", 0), Err(Errno::PERM));
        assert!(!is_writable(&fd, "it").unwrap());
        assert!(memmap2::MmapOptions::new().map_raw(&fd).is_err(), "no later writable mapping");
        assert!(memmap2::MmapOptions::new().map_raw_read_only(&fd).is_ok());
    }

    #[test]
    fn memory_that_is_not_there_or_could_go_is_not_settled() {
        let sparse = create("sparse", 8192, false).unwrap();
        seal_read_only(&sparse).unwrap();
        assert_eq!(sealed_size(&sparse, "it").unwrap(), 8192);
        let text = settled_size(&sparse, "it").unwrap_err().to_string();
        assert!(text.contains("8192 bytes of which 0 are reserved"), "{text}");
        let punchable = create("punchable", 8192, false).unwrap();
        reserve(&punchable, 8192, "it").unwrap();
        seal_size(&punchable).unwrap();
        let text = settled_size(&punchable, "it").unwrap_err().to_string();
        assert!(text.contains("can still be cut or punched"), "{text}");
        let good = create("good", 8192, false).unwrap();
        reserve(&good, 8192, "it").unwrap();
        seal_read_only(&good).unwrap();
        assert_eq!(settled_size(&good, "it").unwrap(), 8192);
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        assert_eq!(rustix::fs::fallocate(&good, hole, 0, 4096), Err(Errno::PERM));
    }

    #[test]
    fn ordinary_files_and_unsealed_memfds_are_refused() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(sealed_size(&file, "a file").unwrap_err().kind(), ErrorKind::Protocol);
        let open = create("open", 4096, false).unwrap();
        let text = sealed_size(&open, "an open memfd").unwrap_err().to_string();
        assert!(text.contains("not sealed against shrinking"), "{text}");
        assert_eq!(dma_buf_size(&open, "a memfd").unwrap_err().kind(), ErrorKind::Protocol);
    }
}
