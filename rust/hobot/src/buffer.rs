//! One owner per buffer, which frees it once.

use crate::error::{Error, Result, memory};
use crate::memory::Memory;
use framelane::ErrorKind;
use framelane_hobot_sys::{CommonBuf, GraphicBuf, PLANES, usage};
use std::time::Duration;

/// A plain block.
pub type CommonBuffer = Buffer<CommonBuf>;
/// A picture.
pub type GraphicBuffer = Buffer<GraphicBuf>;

/// A buffer that this process has allocated or imported; freed when dropped.
///
/// Its addresses are mapped as long as it lives, and what they show may change at any time: the
/// hardware and other processes write there.
pub struct Buffer<R: Raw> {
    memory: Memory,
    raw: R,
}

/// One of the vendor's descriptions of a buffer.
pub trait Raw: Copy {
    /// A descriptor by which the whole buffer can be named in this process.
    fn fd(&self) -> i32;
    /// Address and size of each plane.
    fn planes(&self) -> Vec<(u64, u64)>;
    /// Its flags.
    fn flags(&self) -> i64;
    /// The same without what only this process understands.
    fn exported(&self) -> Self;
}

impl Raw for CommonBuf {
    fn fd(&self) -> i32 {
        self.fd
    }

    fn planes(&self) -> Vec<(u64, u64)> {
        vec![(self.virt_addr, self.size)]
    }

    fn flags(&self) -> i64 {
        self.flags
    }

    fn exported(&self) -> Self {
        CommonBuf { fd: -1, virt_addr: 0, ..*self }
    }
}

impl Raw for GraphicBuf {
    fn fd(&self) -> i32 {
        self.fd[0]
    }

    fn planes(&self) -> Vec<(u64, u64)> {
        let count = usize::try_from(self.plane_cnt).unwrap_or(0).min(PLANES);
        (0..count).map(|plane| (self.virt_addr[plane], self.size[plane])).collect()
    }

    fn flags(&self) -> i64 {
        self.flags
    }

    fn exported(&self) -> Self {
        GraphicBuf { fd: [-1; PLANES], virt_addr: [0; PLANES], padding: 0, ..*self }
    }
}

impl<R: Raw> Buffer<R> {
    /// Takes over what a call has just given.
    pub(crate) fn own(memory: &Memory, raw: R) -> Result<Self> {
        let buffer = Buffer { memory: memory.clone(), raw };
        if raw.fd() < 0 || raw.planes().iter().any(|&(address, _)| address == 0) {
            let text = "libhbmem gave a buffer without descriptor or address";
            return Err(framelane::Error::new(ErrorKind::System, text).into());
        }
        Ok(buffer)
    }

    /// The description as this process has it.
    pub fn raw(&self) -> &R {
        &self.raw
    }

    /// Address and size of each plane. Mapped as long as this owner lives.
    pub fn planes(&self) -> Vec<(usize, usize)> {
        let planes = self.raw.planes().into_iter();
        planes.map(|(address, size)| (address as usize, size as usize)).collect()
    }

    /// The description to send to another process: without descriptors and addresses of this one.
    pub fn export(&self) -> R {
        self.raw.exported()
    }

    /// Whether the processor has to be told of what hardware wrote.
    pub fn is_cached(&self) -> bool {
        self.raw.flags() & usage::CACHED != 0
    }

    /// Makes the processor see what hardware wrote; nothing on a buffer that is not cached.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn invalidate(&self) -> Result<()> {
        if !self.is_cached() {
            return Ok(());
        }
        let invalidate = self.memory.library().hb_mem_invalidate_buf_with_vaddr()?;
        self.raw.planes().into_iter().try_for_each(|(address, size)| {
            // SAFETY: a range of a mapping that this buffer keeps; no byte is dereferenced here.
            let code = unsafe { invalidate(address, size) };
            memory("hb_mem_invalidate_buf_with_vaddr", code)
        })
    }

    /// Makes hardware see what the processor wrote; nothing on a buffer that is not cached.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn flush(&self) -> Result<()> {
        if !self.is_cached() {
            return Ok(());
        }
        let flush = self.memory.library().hb_mem_flush_buf_with_vaddr()?;
        self.raw.planes().into_iter().try_for_each(|(address, size)| {
            // SAFETY: as for invalidating.
            let code = unsafe { flush(address, size) };
            memory("hb_mem_flush_buf_with_vaddr", code)
        })
    }

    /// How many hold the buffer: its allocation and each import, in all processes.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn clients(&self) -> Result<i32> {
        let ask = self.memory.library().hb_mem_get_share_info()?;
        let mut count = 0;
        // SAFETY: a place for the answer that lives during the call.
        memory("hb_mem_get_share_info", unsafe { ask(self.raw.fd(), &mut count) })?;
        Ok(count)
    }

    /// Waits until at most `target` hold it.
    ///
    /// # Errors
    /// `TimedOut` when they do not let go in time.
    pub fn wait_for_clients(&self, target: i32, timeout: Duration) -> Result<()> {
        let wait = self.memory.library().hb_mem_wait_share_status()?;
        let milliseconds = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        // SAFETY: plain numbers.
        let code = unsafe { wait(self.raw.fd(), target, milliseconds) };
        memory("hb_mem_wait_share_status", code)
    }
}

impl<R: Raw> Drop for Buffer<R> {
    fn drop(&mut self) {
        if self.memory.is_foreign() {
            return; // the buffer is the parent's
        }
        // By address: an import by bus address has 0 for a descriptor that is none of its own.
        let address = self.raw.planes().first().map_or(0, |&(address, _)| address);
        let free = self.memory.library().hb_mem_free_buf_with_vaddr();
        // SAFETY: this owner is the only one of the buffer, and it is dropped once. Whoever uses
        // its addresses borrows the owner.
        let freed = free
            .map_err(Error::from)
            .and_then(|free| memory("hb_mem_free_buf_with_vaddr", unsafe { free(address) }));
        if let Err(error) = freed {
            tracing::warn!(%error, "a buffer could not be freed");
        }
    }
}
