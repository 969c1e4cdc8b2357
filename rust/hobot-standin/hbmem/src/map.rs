//! One buffer of memory as this process has it: a descriptor, a mapping, and its cache.

use crate::entry::{Answer, ion};
use framelane_hobot_sys::hb_mem::{INSUFFICIENT_MEM, INVALID_PARAMS, TOO_MANY_FD, UNKNOWN};
use framelane_hobot_sys::usage;
use framelane_standin_ion::Record;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::MemfdFlags;
use rustix::mm::{MapFlags, ProtFlags};
use std::fs::File;
use std::os::unix::fs::FileExt;

/// A buffer held once by this process.
pub struct Part {
    pub id: i32,
    pub record: Record,
    /// The RAM. Its number is the descriptor the caller gets.
    ram: File,
    /// What a cached mapping shows instead.
    cache: Option<File>,
    base: u64,
    rights: ProtFlags,
}

impl Part {
    /// Maps a buffer that the table says this process holds, with the rights of `flags`.
    pub fn map(id: i32, record: Record, ram: File, flags: i64) -> Answer<Self> {
        let cached = record.flags & usage::CACHED != 0;
        let cache = if cached { Some(new_cache(&ram, record.bytes)?) } else { None };
        let mut rights = ProtFlags::empty();
        rights.set(ProtFlags::READ, flags & usage::CPU_READ_OFTEN != 0);
        rights.set(ProtFlags::WRITE, flags & usage::CPU_WRITE_OFTEN != 0);
        let shown = cache.as_ref().unwrap_or(&ram);
        let length = record.bytes as usize;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, rights, MapFlags::SHARED, shown, 0)
        };
        let base = base.map_err(|_| INSUFFICIENT_MEM)? as u64;
        Ok(Part { id, record, ram, cache, base, rights })
    }

    pub fn fd(&self) -> i32 {
        self.ram.as_raw_fd()
    }

    /// Address of its first byte.
    pub fn base(&self) -> u64 {
        self.base
    }

    pub fn contains(&self, address: u64) -> bool {
        (self.base..self.base + self.record.bytes).contains(&address)
    }

    /// What hardware wrote becomes what the processor sees.
    pub fn invalidate(&self, offset: u64, size: u64) -> Answer {
        match &self.cache {
            Some(cache) => copy(&self.ram, cache, offset, size),
            None => Ok(()),
        }
    }

    /// What the processor wrote becomes what hardware sees.
    pub fn flush(&self, offset: u64, size: u64) -> Answer {
        match &self.cache {
            Some(cache) if self.rights.contains(ProtFlags::WRITE) => {
                copy(cache, &self.ram, offset, size)
            }
            _ => Ok(()),
        }
    }

    /// Lets go of it in the table too.
    pub fn release(self) -> Answer {
        ion()?.release(self.id).map_err(|_| UNKNOWN)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // SAFETY: this mapping was made by `map`, and is unmapped here, once. That nobody uses an
        // address of a freed buffer is the caller's business, as with the vendor's library.
        let _ = unsafe { rustix::mm::munmap(self.base as *mut _, self.record.bytes as usize) };
    }
}

fn new_cache(ram: &File, bytes: u64) -> Answer<File> {
    let cache: OwnedFd =
        rustix::fs::memfd_create("stand-in cache", MemfdFlags::CLOEXEC).map_err(fd_error)?;
    let cache = File::from(cache);
    cache.set_len(bytes).map_err(|_| INSUFFICIENT_MEM)?;
    copy(ram, &cache, 0, bytes)?;
    Ok(cache)
}

fn copy(from: &File, to: &File, offset: u64, size: u64) -> Answer {
    let mut block = vec![0; size as usize];
    let copied =
        from.read_exact_at(&mut block, offset).and_then(|()| to.write_all_at(&block, offset));
    copied.map_err(|_| INVALID_PARAMS)
}

/// The number for a descriptor that could not be had.
pub fn fd_error(error: impl Into<std::io::Error>) -> i32 {
    match error.into().raw_os_error() {
        Some(libc::EMFILE) => TOO_MANY_FD,
        _ => INSUFFICIENT_MEM,
    }
}
