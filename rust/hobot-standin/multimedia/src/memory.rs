//! Buffers of the codec's own, from libhbmem.

use crate::entry::{Answer, board};
use framelane_hobot_sys::media::{INSUFFICIENT_RES, UNKNOWN};
use framelane_hobot_sys::{CommonBuf, Format, GraphicBuf, usage};

/// Read and written by the processor, and the codec's in the debug files.
const FLAGS: i64 = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN | 0x1_0000;

/// Freed when dropped.
pub struct Block {
    pub raw: CommonBuf,
}

impl Block {
    pub fn new(bytes: u64) -> Answer<Self> {
        let alloc = board()?.hbmem.hb_mem_alloc_com_buf().map_err(|_| UNKNOWN)?;
        let mut raw = CommonBuf::ZERO;
        // SAFETY: a place for the answer that lives during the call.
        let code = unsafe { alloc(bytes, FLAGS, &mut raw) };
        if code == 0 { Ok(Block { raw }) } else { Err(INSUFFICIENT_RES) }
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        free(self.raw.fd);
    }
}

/// A picture of all planes in one buffer, freed when dropped.
pub struct Picture {
    pub raw: GraphicBuf,
}

impl Picture {
    pub fn new(width: i32, height: i32, stride: i32, planar: bool) -> Answer<Self> {
        let alloc = board()?.hbmem.hb_mem_alloc_graph_buf().map_err(|_| UNKNOWN)?;
        let format = if planar { Format::YUV420P } else { Format::NV12 };
        let flags = FLAGS | usage::GRAPHIC_CONTIGUOUS;
        let mut raw = GraphicBuf::ZERO;
        // SAFETY: a place for the answer that lives during the call.
        let code = unsafe { alloc(width, height, format, flags, stride, 0, &mut raw) };
        if code == 0 { Ok(Picture { raw }) } else { Err(INSUFFICIENT_RES) }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        free(self.raw.fd[0]);
    }
}

fn free(fd: i32) {
    if let Ok(free) = board().and_then(|board| board.hbmem.hb_mem_free_buf().map_err(|_| UNKNOWN)) {
        // SAFETY: the owner's descriptor, freed once.
        unsafe { free(fd) };
    }
}
