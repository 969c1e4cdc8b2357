//! libhbmem, loaded and its module open.

use crate::buffer::{Buffer, CommonBuffer, GraphicBuffer};
use crate::error::{Error, Result, memory};
use framelane::ErrorKind;
use framelane_hobot_sys::{CommonBuf, GraphicBuf, Hbmem};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// An open module of libhbmem. Clones share it; the last one closes it.
///
/// The vendor's library counts how often a process opened the module and frees all its buffers,
/// whoever has them, when it closes the last time. Each buffer of this crate therefore keeps the
/// module open.
#[derive(Clone)]
pub struct Memory(Arc<Open>);

pub(crate) struct Open {
    pub(crate) library: Hbmem,
    process: u32,
}

/// A picture to allocate memory for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
    /// A number of [`Format`](crate::Format).
    pub format: i32,
    /// Bits of [`usage`](crate::usage).
    pub flags: i64,
    /// 0 leaves it to the format. For the RGB family the library counts it in pixels.
    pub stride: i32,
    /// 0 is the height.
    pub vstride: i32,
}

impl Memory {
    /// Loads the library, from `folder` where one is given, and opens the module.
    ///
    /// # Errors
    /// `Unsupported` when the library is not there or is another version's; what opening fails
    /// with.
    pub fn open(folder: Option<&Path>) -> Result<Memory> {
        let library = Hbmem::open(folder)?;
        let open = library.hb_mem_module_open()?;
        // SAFETY: takes nothing; the vendor's function of this type.
        memory("hb_mem_module_open", unsafe { open() })?;
        Ok(Memory(Arc::new(Open { library, process: std::process::id() })))
    }

    /// The module that this process keeps open until it ends, opened at the first call. A failure
    /// is not kept: the next call tries again.
    ///
    /// # Errors
    /// As [`open`](Self::open); `Forked` in a child of the process that opened it.
    pub fn shared() -> Result<Memory> {
        static SHARED: Mutex<Option<Memory>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = &*shared {
            if memory.is_foreign() {
                let text = "libhbmem was opened before the fork, and belongs to the parent";
                return Err(framelane::Error::new(ErrorKind::Forked, text).into());
            }
            return Ok(memory.clone());
        }
        Ok(shared.insert(Memory::open(None)?).clone())
    }

    /// The library's version: major, minor, patch.
    ///
    /// # Errors
    /// When the library has no such function or it fails.
    pub fn version(&self) -> Result<(u32, u32, u32)> {
        let version = self.library().hb_mem_get_version()?;
        let (mut major, mut minor, mut patch) = (0, 0, 0);
        // SAFETY: three places that live during the call.
        memory("hb_mem_get_version", unsafe { version(&mut major, &mut minor, &mut patch) })?;
        Ok((major, minor, patch))
    }

    /// Allocates a plain block.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn alloc_common(&self, bytes: u64, flags: i64) -> Result<CommonBuffer> {
        let alloc = self.library().hb_mem_alloc_com_buf()?;
        let mut raw = CommonBuf::ZERO;
        // SAFETY: a place for the answer that lives during the call.
        memory("hb_mem_alloc_com_buf", unsafe { alloc(bytes, flags, &mut raw) })?;
        Buffer::own(self, raw)
    }

    /// Allocates a picture.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn alloc_graphic(&self, picture: &Picture) -> Result<GraphicBuffer> {
        let alloc = self.library().hb_mem_alloc_graph_buf()?;
        let mut raw = GraphicBuf::ZERO;
        let &Picture { width, height, format, flags, stride, vstride } = picture;
        // SAFETY: a place for the answer that lives during the call.
        let code = unsafe { alloc(width, height, format, flags, stride, vstride, &mut raw) };
        memory("hb_mem_alloc_graph_buf", code)?;
        Buffer::own(self, raw)
    }

    /// Maps another process's block as its exported description says, with the rights of its
    /// flags.
    ///
    /// # Errors
    /// `InvalidArgument` when the library does not know exactly this buffer; `TooMany` without a
    /// free descriptor.
    pub fn import_common(&self, from: &CommonBuf) -> Result<CommonBuffer> {
        let import = self.library().hb_mem_import_com_buf()?;
        let (mut asked, mut raw) = (*from, CommonBuf::ZERO);
        // SAFETY: a description and a place for the answer that live during the call.
        memory("hb_mem_import_com_buf", unsafe { import(&mut asked, &mut raw) })?;
        Buffer::own(self, raw)
    }

    /// Maps another process's picture; as [`import_common`](Self::import_common).
    ///
    /// # Errors
    /// As [`import_common`](Self::import_common).
    pub fn import_graphic(&self, from: &GraphicBuf) -> Result<GraphicBuffer> {
        let import = self.library().hb_mem_import_graph_buf()?;
        let (mut asked, mut raw) = (*from, GraphicBuf::ZERO);
        // SAFETY: a description and a place for the answer that live during the call.
        memory("hb_mem_import_graph_buf", unsafe { import(&mut asked, &mut raw) })?;
        Buffer::own(self, raw)
    }

    /// Processes that hold the buffer of a share id, at most 16.
    ///
    /// # Errors
    /// What the library fails with.
    pub fn holders(&self, share_id: i32) -> Result<Vec<i32>> {
        let ask = self.library().hb_mem_get_buffer_process_info_with_share_id()?;
        let (mut pids, mut count) = ([0; 16], 0);
        // SAFETY: room for 16 numbers and a place for their count that live during the call.
        let code = unsafe { ask(share_id, pids.as_mut_ptr(), 16, &mut count) };
        memory("hb_mem_get_buffer_process_info_with_share_id", code)?;
        Ok(pids[..usize::try_from(count).unwrap_or(0).min(16)].to_vec())
    }

    /// Whether this is a child of the process that opened the module, to which nothing of it
    /// belongs.
    pub(crate) fn is_foreign(&self) -> bool {
        self.0.process != std::process::id()
    }

    /// Refuses work for such a child.
    pub(crate) fn refuse_fork(&self) -> Result<()> {
        if self.is_foreign() {
            let text = "the vendor's libraries were opened before the fork, for the parent alone";
            return Err(framelane::Error::new(ErrorKind::Forked, text).into());
        }
        Ok(())
    }

    pub(crate) fn library(&self) -> &Hbmem {
        &self.0.library
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        let close = self.library.hb_mem_module_close();
        // SAFETY: takes nothing; every open that succeeded is closed once.
        let closed = close
            .map_err(Error::from)
            .and_then(|close| memory("hb_mem_module_close", unsafe { close() }));
        if let Err(error) = closed {
            tracing::warn!(%error, "closing the module");
        }
    }
}
