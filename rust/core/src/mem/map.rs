//! Mappings of shared memory: raw pages, never a slice of them.
#![allow(unsafe_code, reason = "advice and locking of own mappings")]

use crate::error::{Error, Result};
use crate::fork;
use crate::layout::ErrorKind;
use memmap2::{MmapOptions, MmapRaw};
use rustix::fd::{AsFd, AsRawFd};
use rustix::mm::Advice;
use std::ffi::c_void;
use std::mem::ManuallyDrop;

/// One mapping of a sealed descriptor, unmapped when dropped.
pub(crate) struct Mapping {
    raw: ManuallyDrop<MmapRaw>,
    writable: bool,
    /// Set where children of a fork do not get this mapping: the process that has it.
    kept_in: Option<u64>,
}

impl Mapping {
    /// Maps `bytes` for reading and writing.
    pub(crate) fn writable(fd: impl AsFd, bytes: u64) -> Result<Self> {
        let raw = options(bytes)?.map_raw(fd.as_fd().as_raw_fd());
        Self::made(raw, bytes, true)
    }

    /// Maps `bytes` for reading; the kernel enforces it.
    pub(crate) fn read_only(fd: impl AsFd, bytes: u64) -> Result<Self> {
        let raw = options(bytes)?.map_raw_read_only(fd.as_fd().as_raw_fd());
        Self::made(raw, bytes, false)
    }

    fn made(raw: std::io::Result<MmapRaw>, bytes: u64, writable: bool) -> Result<Self> {
        let raw = raw.map_err(|e| Error::io(format_args!("mapping {bytes} bytes"), e))?;
        Ok(Mapping { raw: ManuallyDrop::new(raw), writable, kept_in: None })
    }

    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }

    /// First byte. Whoever dereferences it upholds the rules of racing memory.
    pub(crate) fn base(&self) -> *mut u8 {
        self.raw.as_mut_ptr()
    }

    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// Brings every page in now, so that no fault happens on the frame path.
    pub(crate) fn populate(&self) -> Result<()> {
        let advice =
            if self.writable { Advice::LinuxPopulateWrite } else { Advice::LinuxPopulateRead };
        match self.advise(advice) {
            // Kernels before 5.14: touch the pages instead.
            Err(rustix::io::Errno::INVAL) => {
                self.touch();
                Ok(())
            }
            other => other.map_err(|errno| {
                Error::system(format_args!("bringing in {} bytes", self.len()), errno)
            }),
        }
    }

    /// A child after fork does not get this mapping.
    pub(crate) fn keep_from_children(mut self) -> Result<Self> {
        self.advise(Advice::LinuxDontFork)
            .map_err(|errno| Error::system("madvise(MADV_DONTFORK)", errno))?;
        self.kept_in = Some(fork::generation());
        Ok(self)
    }

    /// Locks the pages into RAM.
    pub(crate) fn lock(&self) -> Result<()> {
        // SAFETY: locking pages of a live mapping changes no byte and no protection.
        unsafe { rustix::mm::mlock(self.base().cast::<c_void>(), self.len()) }.map_err(|errno| {
            let text = format!(
                "locking {} bytes into memory: {errno} (see `ulimit -l`, LimitMEMLOCK)",
                self.len()
            );
            Error::new(ErrorKind::OutOfMemory, text)
        })
    }

    /// Binds the pages to one NUMA node; before they are brought in.
    pub(crate) fn bind_to_node(&self, node: u32) -> Result<()> {
        const MPOL_BIND: libc::c_int = 2; // linux/mempolicy.h
        if node >= 64 {
            let text = format!("NUMA node {node}: nodes 0 to 63 can be asked for");
            return Err(Error::new(ErrorKind::InvalidArgument, text));
        }
        let mask: libc::c_ulong = 1 << node;
        // SAFETY: the range is a live mapping, the mask outlives the call and has the 64 bits that
        // maxnode (one more than the bits, as the kernel counts) announces.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mbind,
                self.base(),
                self.len(),
                MPOL_BIND,
                &raw const mask,
                65 as libc::c_ulong,
                0 as libc::c_uint,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let why = std::io::Error::last_os_error();
        let text = format!("binding the lane to NUMA node {node}: {why}");
        Err(Error::new(ErrorKind::Unsupported, text))
    }

    fn advise(&self, advice: Advice) -> rustix::io::Result<()> {
        // SAFETY: the range is exactly this live mapping, and none of the advice used here drops
        // or changes its contents in this process.
        unsafe { rustix::mm::madvise(self.base().cast::<c_void>(), self.len(), advice) }
    }

    fn touch(&self) {
        let step = rustix::param::page_size();
        for offset in (0..self.len()).step_by(step) {
            // SAFETY: offset is inside the live mapping. A volatile read of one byte faults the
            // page in; the value is not used, so a concurrent writer cannot matter.
            unsafe { self.base().wrapping_add(offset).read_volatile() };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        if self.kept_in.is_some_and(fork::is_foreign) {
            return; // not mapped here: something else may stand at this address by now
        }
        // SAFETY: dropped only here, once.
        unsafe { ManuallyDrop::drop(&mut self.raw) };
    }
}

fn options(bytes: u64) -> Result<MmapOptions> {
    let bytes = usize::try_from(bytes).map_err(|_| {
        Error::new(ErrorKind::TooLarge, format!("{bytes} bytes exceed the address space"))
    })?;
    let mut options = MmapOptions::new();
    options.len(bytes);
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::memfd;
    use rustix::io::Errno;
    use rustix::mm::MprotectFlags;

    /// Sealed memory, mapped by its maker and read-only.
    fn sealed() -> (Mapping, Mapping) {
        let bytes = 2 * rustix::param::page_size() as u64;
        let fd = memfd::create("test", bytes, false).unwrap();
        memfd::reserve(&fd, bytes, "test").unwrap();
        let own = Mapping::writable(&fd, bytes).unwrap();
        memfd::seal_read_only(&fd).unwrap();
        (own, Mapping::read_only(&fd, bytes).unwrap())
    }

    #[test]
    fn a_read_only_mapping_of_a_sealed_memfd_stays_read_only() {
        let (_own, map) = sealed();
        let at = map.base().cast::<c_void>();
        let flags = MprotectFlags::READ | MprotectFlags::WRITE;
        // SAFETY: nothing is accessed through the mapping, whatever protection it ends up with.
        let opened = unsafe { rustix::mm::mprotect(at, map.len(), flags) };
        assert_eq!(opened, Err(Errno::ACCESS), "mprotect");
    }

    #[test]
    fn nobody_punches_a_hole_into_a_sealed_memfd() {
        let (own, map) = sealed();
        assert_eq!(map.advise(Advice::LinuxRemove), Err(Errno::ACCESS), "MADV_REMOVE");
        // Also the mapping made before sealing can write, but punch no hole.
        assert_eq!(own.advise(Advice::LinuxRemove), Err(Errno::PERM), "MADV_REMOVE by the maker");
    }
}
