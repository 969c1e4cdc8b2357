//! Structs of libhbmem that stand for more than one buffer.

use crate::hbmem::GraphicBuf;
use crate::plain::plain;

/// Pictures a group can have.
pub const GROUP: usize = 8;

/// Kinds of buffers: `hb_mem_buffer_type_t`.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod buffer_type {
    pub const COMMON: i32 = 0;
    pub const GRAPHIC: i32 = 1;
    pub const GRAPHIC_GROUP: i32 = 2;
}

plain! {
    /// `hb_mem_graphic_buf_group_t`.
    GraphicBufGroup, 1288 {
        graph_group: [GraphicBuf; GROUP] = 0,
        group_id: i32 = 1280,
        /// Which of the pictures are there.
        bit_map: u32 = 1284,
    }
}

plain! {
    /// `hb_mem_buf_queue_t`.
    BufQueue, 16 {
        unique_id: u64 = 0,
        /// Slots.
        count: u32 = 8,
        /// Bytes that a slot carries.
        item_size: u32 = 12,
    }
}
