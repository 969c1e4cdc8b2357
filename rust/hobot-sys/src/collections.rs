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

plain! {
    /// `hb_mem_pool_t`.
    Pool, 40 {
        flags: i64 = 0,
        size: u64 = 8,
        fd: i32 = 16,
        page_size: u32 = 20,
        total_page_cnt: u32 = 24,
        avail_page_cnt: u32 = 28,
        cur_client_cnt: u32 = 32,
        reserved: u32 = 36,
    }
}

plain! {
    /// `hb_mem_share_pool_t`.
    SharePool, 32 {
        flags: i64 = 0,
        size: u32 = 8,
        fd: i32 = 12,
        total_buf_cnt: u32 = 16,
        avail_buf_cnt: u32 = 20,
        reserved: u32 = 24,
        /// Not the vendor's: the hole at the end.
        padding: u32 = 28,
    }
}
