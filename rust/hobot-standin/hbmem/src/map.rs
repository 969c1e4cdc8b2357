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
use std::sync::Arc;

pub const PAGE: u64 = 4096;

/// The id of a part that is only looked at by its bus address, and not held.
const UNHELD: i32 = 0;

/// A buffer held once by this process, or a range of one that is not.
pub struct Part {
    pub id: i32,
    pub record: Record,
    /// The RAM. Its number is the descriptor the caller gets.
    ram: Arc<File>,
    /// Where in the RAM it begins.
    start: u64,
    /// What a cached mapping shows instead.
    cache: Option<Arc<File>>,
    /// Where in that it begins.
    cache_start: u64,
    base: u64,
    /// Whether the mapping is its own.
    mapped: bool,
    rights: ProtFlags,
}

impl Part {
    /// Maps a buffer that the table says this process holds, with the rights of `flags`.
    pub fn map(id: i32, record: Record, ram: File, flags: i64) -> Answer<Self> {
        Self::map_from(id, record, ram, 0, flags)
    }

    /// Maps the pages in which `size` bytes from `offset` of a buffer lie, and holds nothing. The
    /// address of the first of these bytes comes with it.
    pub fn map_unheld(
        mut record: Record,
        ram: File,
        (offset, size): (u64, u64),
        flags: i64,
    ) -> Answer<(Self, u64)> {
        let inside = offset % PAGE;
        record.phys += offset - inside;
        record.bytes = (inside + size).next_multiple_of(PAGE);
        record.flags = flags;
        let part = Self::map_from(UNHELD, record, ram, offset - inside, flags)?;
        let address = part.base + inside;
        Ok((part, address))
    }

    fn map_from(id: i32, record: Record, ram: File, start: u64, flags: i64) -> Answer<Self> {
        let cached = record.flags & usage::CACHED != 0;
        let cache =
            if cached { Some(Arc::new(new_cache(&ram, start, record.bytes)?)) } else { None };
        let mut rights = ProtFlags::empty();
        rights.set(ProtFlags::READ, flags & usage::CPU_READ_OFTEN != 0);
        rights.set(ProtFlags::WRITE, flags & usage::CPU_WRITE_OFTEN != 0);
        let (shown, from) = cache.as_deref().map_or((&ram, start), |cache| (cache, 0));
        let length = record.bytes as usize;
        // SAFETY: a new mapping at an address of the kernel's choice replaces nothing.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, rights, MapFlags::SHARED, shown, from)
        };
        let base = base.map_err(|_| INSUFFICIENT_MEM)? as u64;
        let ram = Arc::new(ram);
        let (cache_start, mapped) = (0, true);
        Ok(Part { id, record, ram, start, cache, cache_start, base, mapped, rights })
    }

    /// A range of this part that looks like a part, and must not outlive it.
    pub fn range(&self, offset: u64, bytes: u64) -> Self {
        let mut record = self.record.clone();
        (record.phys, record.bytes) = (record.phys + offset, bytes);
        Part {
            id: UNHELD,
            record,
            ram: self.ram.clone(),
            start: self.start + offset,
            cache: self.cache.clone(),
            cache_start: self.cache_start + offset,
            base: self.base + offset,
            mapped: false,
            rights: self.rights,
        }
    }

    /// Its descriptor, by which only a part is known that is held.
    pub fn fd(&self) -> i32 {
        if self.id == UNHELD { -1 } else { self.ram.as_raw_fd() }
    }

    /// Its share id, where it is held.
    pub fn held_id(&self) -> Option<i32> {
        Some(self.id).filter(|id| *id != UNHELD)
    }

    /// The RAM as the hardware sees it, and where in it an address of this mapping is.
    pub fn ram_at(&self, address: u64) -> (&File, u64) {
        (&self.ram, self.start + (address - self.base))
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
            Some(cache) => {
                copy((&self.ram, self.start + offset), (cache, self.cache_start + offset), size)
            }
            None => Ok(()),
        }
    }

    /// What the processor wrote becomes what hardware sees.
    pub fn flush(&self, offset: u64, size: u64) -> Answer {
        match &self.cache {
            Some(cache) if self.rights.contains(ProtFlags::WRITE) => {
                copy((cache, self.cache_start + offset), (&self.ram, self.start + offset), size)
            }
            _ => Ok(()),
        }
    }

    /// Lets go of it in the table too.
    pub fn release(self) -> Answer {
        if self.id == UNHELD {
            return Ok(());
        }
        ion()?.release(self.id).map_err(|_| UNKNOWN)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.mapped {
            return;
        }
        // SAFETY: this mapping was made by `map`, and is unmapped here, once. That nobody uses an
        // address of a freed buffer is the caller's business, as with the vendor's library.
        let _ = unsafe { rustix::mm::munmap(self.base as *mut _, self.record.bytes as usize) };
    }
}

fn new_cache(ram: &File, start: u64, bytes: u64) -> Answer<File> {
    let cache: OwnedFd =
        rustix::fs::memfd_create("stand-in cache", MemfdFlags::CLOEXEC).map_err(fd_error)?;
    let cache = File::from(cache);
    cache.set_len(bytes).map_err(|_| INSUFFICIENT_MEM)?;
    copy((ram, start), (&cache, 0), bytes)?;
    Ok(cache)
}

/// Copies between files as hardware would between addresses.
pub fn copy(from: (&File, u64), to: (&File, u64), size: u64) -> Answer {
    let mut block = vec![0; size as usize];
    let copied =
        from.0.read_exact_at(&mut block, from.1).and_then(|()| to.0.write_all_at(&block, to.1));
    copied.map_err(|_| INVALID_PARAMS)
}

/// The number for a descriptor that could not be had.
pub fn fd_error(error: impl Into<std::io::Error>) -> i32 {
    match error.into().raw_os_error() {
        Some(libc::EMFILE) => TOO_MANY_FD,
        _ => INSUFFICIENT_MEM,
    }
}
