//! libhbmem: buffers that camera, codec, processors and programs share.

use crate::collections::{BufQueue, GraphicBufGroup, Pool, SharePool};
use crate::load::library;
use std::ffi::{c_char, c_void};
use std::mem::{align_of, offset_of, size_of};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Planes a graphic buffer can have.
pub const PLANES: usize = 3;

/// One plain block: `hb_mem_common_buf_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs, reason = "the vendor's fields, described in its manual")]
pub struct CommonBuf {
    pub fd: i32,
    pub share_id: i32,
    pub flags: i64,
    pub size: u64,
    pub virt_addr: u64,
    pub phys_addr: u64,
    pub offset: u64,
}

/// One picture of up to three planes: `hb_mem_graphic_buf_t`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
#[allow(missing_docs, reason = "the vendor's fields, described in its manual")]
pub struct GraphicBuf {
    pub fd: [i32; PLANES],
    pub plane_cnt: i32,
    pub format: i32,
    pub width: i32,
    pub height: i32,
    /// 0 means the format's own.
    pub stride: i32,
    /// 0 means the height.
    pub vstride: i32,
    pub is_contig: i32,
    pub share_id: [i32; PLANES],
    /// Not the vendor's: the hole before `flags`.
    pub padding: u32,
    pub flags: i64,
    pub size: [u64; PLANES],
    pub virt_addr: [u64; PLANES],
    pub phys_addr: [u64; PLANES],
    pub offset: [u64; PLANES],
}

impl CommonBuf {
    /// All bytes zero.
    pub const ZERO: Self =
        CommonBuf { fd: 0, share_id: 0, flags: 0, size: 0, virt_addr: 0, phys_addr: 0, offset: 0 };
}

impl GraphicBuf {
    /// All bytes zero.
    pub const ZERO: Self = GraphicBuf {
        fd: [0; PLANES],
        plane_cnt: 0,
        format: 0,
        width: 0,
        height: 0,
        stride: 0,
        vstride: 0,
        is_contig: 0,
        share_id: [0; PLANES],
        padding: 0,
        flags: 0,
        size: [0; PLANES],
        virt_addr: [0; PLANES],
        phys_addr: [0; PLANES],
        offset: [0; PLANES],
    };
}

const _: () = {
    assert!(size_of::<CommonBuf>() == 48 && align_of::<CommonBuf>() == 8);
    assert!(offset_of!(CommonBuf, fd) == 0);
    assert!(offset_of!(CommonBuf, share_id) == 4);
    assert!(offset_of!(CommonBuf, flags) == 8);
    assert!(offset_of!(CommonBuf, size) == 16);
    assert!(offset_of!(CommonBuf, virt_addr) == 24);
    assert!(offset_of!(CommonBuf, phys_addr) == 32);
    assert!(offset_of!(CommonBuf, offset) == 40);
    assert!(size_of::<GraphicBuf>() == 160 && align_of::<GraphicBuf>() == 8);
    assert!(offset_of!(GraphicBuf, fd) == 0);
    assert!(offset_of!(GraphicBuf, plane_cnt) == 12);
    assert!(offset_of!(GraphicBuf, format) == 16);
    assert!(offset_of!(GraphicBuf, width) == 20);
    assert!(offset_of!(GraphicBuf, height) == 24);
    assert!(offset_of!(GraphicBuf, stride) == 28);
    assert!(offset_of!(GraphicBuf, vstride) == 32);
    assert!(offset_of!(GraphicBuf, is_contig) == 36);
    assert!(offset_of!(GraphicBuf, share_id) == 40);
    assert!(offset_of!(GraphicBuf, flags) == 56);
    assert!(offset_of!(GraphicBuf, size) == 64);
    assert!(offset_of!(GraphicBuf, virt_addr) == 88);
    assert!(offset_of!(GraphicBuf, phys_addr) == 112);
    assert!(offset_of!(GraphicBuf, offset) == 136);
};

/// Bits of a buffer's flags.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod usage {
    /// The mapping can be read.
    pub const CPU_READ_OFTEN: i64 = 0x1;
    pub const CPU_READ_MASK: i64 = 0xF;
    /// The mapping can be written.
    pub const CPU_WRITE_OFTEN: i64 = 0x10;
    pub const CPU_WRITE_MASK: i64 = 0xF0;
    pub const MAP_INITIALIZED: i64 = 0x100_0000;
    pub const MAP_UNINITIALIZED: i64 = 0x200_0000;
    /// Mapped through the processor's cache: invalidate before reading, flush after writing.
    pub const CACHED: i64 = 0x400_0000;
    /// All planes in one buffer.
    pub const GRAPHIC_CONTIGUOUS: i64 = 0x800_0000;
    pub const MEM_POOL: i64 = 0x1000_0000;
    pub const MEM_SHARE_POOL: i64 = 0x2000_0000;
}

/// Pixel formats of libhbmem. The codec and VIO number theirs differently.
#[allow(missing_docs, reason = "the vendor's names")]
pub struct Format;

#[allow(missing_docs, reason = "the vendor's names")]
impl Format {
    pub const RGB24: i32 = 1;
    pub const BGR24: i32 = 2;
    pub const YUV420P: i32 = 7;
    pub const NV12: i32 = 8;
    pub const YUYV422: i32 = 13;
    pub const YUV400: i32 = 22;
    /// One more than the last.
    pub const TOTAL: i32 = 30;
}

library! {
    /// The functions of libhbmem.
    Hbmem, &["libhbmem.so.1", "libhbmem.so"];

    /// Major, minor, patch.
    fn hb_mem_get_version(major: *mut u32, minor: *mut u32, patch: *mut u32) -> i32;
    /// Opens the module; counted per process.
    fn hb_mem_module_open() -> i32;
    /// Closes the module once; the last time frees every buffer of the process.
    fn hb_mem_module_close() -> i32;
    /// A text for a number.
    fn hb_mem_strerror(code: i32, text: *mut c_char, size: usize) -> i32;
    /// Allocates a plain block.
    fn hb_mem_alloc_com_buf(size: u64, flags: i64, buffer: *mut CommonBuf) -> i32;
    /// Allocates a picture.
    fn hb_mem_alloc_graph_buf(width: i32, height: i32, format: i32, flags: i64, stride: i32,
        vstride: i32, buffer: *mut GraphicBuf) -> i32;
    /// Frees the buffer that a descriptor of this process belongs to.
    fn hb_mem_free_buf(fd: i32) -> i32;
    /// Frees the buffer that an address of this process lies in.
    fn hb_mem_free_buf_with_vaddr(address: u64) -> i32;
    /// Maps another process's block.
    fn hb_mem_import_com_buf(from: *mut CommonBuf, to: *mut CommonBuf) -> i32;
    /// Maps another process's picture.
    fn hb_mem_import_graph_buf(from: *mut GraphicBuf, to: *mut GraphicBuf) -> i32;
    /// The block of a descriptor; takes no reference.
    fn hb_mem_get_com_buf(fd: i32, buffer: *mut CommonBuf) -> i32;
    /// The picture of a descriptor; takes no reference.
    fn hb_mem_get_graph_buf(fd: i32, buffer: *mut GraphicBuf) -> i32;
    /// The block an address lies in; takes no reference.
    fn hb_mem_get_com_buf_with_vaddr(address: u64, buffer: *mut CommonBuf) -> i32;
    /// The picture an address lies in; takes no reference.
    fn hb_mem_get_graph_buf_with_vaddr(address: u64, buffer: *mut GraphicBuf) -> i32;
    /// Whether a range belongs to a buffer.
    fn hb_mem_is_valid_buf(address: u64, size: u64, valid: *mut i32) -> i32;
    /// The bus address of a mapped one.
    fn hb_mem_get_phys_addr(address: u64, phys: *mut u64) -> i32;
    /// Where the buffer of an address begins, its size and its flags.
    fn hb_mem_get_buf_info(address: u64, start: *mut u64, size: *mut u64, flags: *mut i64) -> i32;
    /// Makes the processor see what hardware wrote.
    fn hb_mem_invalidate_buf(fd: i32, offset: u64, size: u64) -> i32;
    /// Makes hardware see what the processor wrote.
    fn hb_mem_flush_buf(fd: i32, offset: u64, size: u64) -> i32;
    /// The same by address.
    fn hb_mem_invalidate_buf_with_vaddr(address: u64, size: u64) -> i32;
    /// The same by address.
    fn hb_mem_flush_buf_with_vaddr(address: u64, size: u64) -> i32;
    /// How many hold the buffer, in all processes.
    fn hb_mem_get_share_info(fd: i32, clients: *mut i32) -> i32;
    /// Waits until at most so many hold it.
    fn hb_mem_wait_share_status(fd: i32, target: i32, timeout_ms: i64) -> i32;
    /// Says that this process is using the block.
    fn hb_mem_inc_com_buf_consume_cnt(buffer: *mut CommonBuf) -> i32;
    /// Says that this process is using the picture.
    fn hb_mem_inc_graph_buf_consume_cnt(buffer: *mut GraphicBuf) -> i32;
    /// Says that this process is done with it.
    fn hb_mem_dec_consume_cnt(fd: i32) -> i32;
    /// How many are using it.
    fn hb_mem_get_consume_info(fd: i32, count: *mut i32) -> i32;
    /// Waits until at most so many are using it.
    fn hb_mem_wait_consume_status(fd: i32, target: i32, timeout_ms: i64) -> i32;
    /// One free more is needed, in this process.
    fn hb_mem_inc_user_consume_cnt(fd: i32) -> i32;
    /// One free less is needed, in this process.
    fn hb_mem_dec_user_consume_cnt(fd: i32) -> i32;
    /// Processes that hold a buffer.
    fn hb_mem_get_buffer_process_info_with_share_id(share_id: i32, pids: *mut i32, room: i32,
        count: *mut i32) -> i32;
    /// The same by address.
    fn hb_mem_get_buffer_process_info(address: u64, pids: *mut i32, room: i32,
        count: *mut i32) -> i32;
    /// Maps a range of bus addresses; takes no reference, and its `fd` is 0 and means nothing.
    fn hb_mem_import_com_buf_with_paddr(phys: u64, size: u64, flags: i64,
        to: *mut CommonBuf) -> i32;
    /// Copies between buffers, or wherever.
    fn hb_mem_dma_copy(to: u64, from: u64, size: u64) -> i32;
    /// How many hold the buffer of an address, in all processes.
    fn hb_mem_get_share_info_with_vaddr(address: u64, clients: *mut i32) -> i32;
    /// Waits until at most so many hold it.
    fn hb_mem_wait_share_status_with_vaddr(address: u64, target: i32, timeout_ms: i64) -> i32;
    /// Says that this process is done with it.
    fn hb_mem_dec_consume_cnt_with_vaddr(address: u64) -> i32;
    /// How many are using it.
    fn hb_mem_get_consume_info_with_vaddr(address: u64, count: *mut i32) -> i32;
    /// Waits until at most so many are using it.
    fn hb_mem_wait_consume_status_with_vaddr(address: u64, target: i32, timeout_ms: i64) -> i32;
    /// One free more is needed, in this process.
    fn hb_mem_inc_user_consume_cnt_with_vaddr(address: u64) -> i32;
    /// One free less is needed, in this process.
    fn hb_mem_dec_user_consume_cnt_with_vaddr(address: u64) -> i32;
    /// What kind of buffer an address lies in, one of [`crate::buffer_type`].
    fn hb_mem_get_buf_type_with_vaddr(address: u64, kind: *mut i32) -> i32;
    /// The same with the buffer as a block and as a picture, where there are places for them.
    fn hb_mem_get_buf_type_and_buf_with_vaddr(address: u64, kind: *mut i32,
        common: *mut CommonBuf, graphic: *mut GraphicBuf) -> i32;
    /// The same with the buffer in the place of its kind.
    fn hb_mem_get_buf_and_type_with_vaddr(address: u64, kind: *mut i32, common: *mut CommonBuf,
        graphic: *mut GraphicBuf, group: *mut GraphicBufGroup) -> i32;
    /// Makes a queue of so many slots, in this process, and gives it its id.
    fn hb_mem_create_buf_queue(queue: *mut BufQueue) -> i32;
    /// Ends it; whoever waits is told.
    fn hb_mem_destroy_buf_queue(queue: *mut BufQueue) -> i32;
    /// A free slot to fill, and what it carried last.
    fn hb_mem_dequeue_buf(queue: *mut BufQueue, slot: *mut i32, item: *mut c_void,
        timeout_ms: i64) -> i32;
    /// Hands a filled slot on.
    fn hb_mem_queue_buf(queue: *mut BufQueue, slot: i32, item: *const c_void) -> i32;
    /// The oldest filled slot, and what it carries.
    fn hb_mem_request_buf(queue: *mut BufQueue, slot: *mut i32, item: *mut c_void,
        timeout_ms: i64) -> i32;
    /// Makes a slot free that was requested.
    fn hb_mem_release_buf(queue: *mut BufQueue, slot: i32) -> i32;
    /// As if a slot had not been taken, by either side.
    fn hb_mem_cancel_buf(queue: *mut BufQueue, slot: i32) -> i32;
    /// Allocates the pictures of a group that `pictures` has bits for, each as its own numbers say.
    fn hb_mem_alloc_graph_buf_group(width: *mut i32, height: *mut i32, format: *mut i32,
        flags: *mut i64, stride: *mut i32, vstride: *mut i32, group: *mut GraphicBufGroup,
        pictures: u32) -> i32;
    /// Maps another process's group.
    fn hb_mem_import_graph_buf_group(from: *mut GraphicBufGroup, to: *mut GraphicBufGroup) -> i32;
    /// The group of a descriptor; takes no reference.
    fn hb_mem_get_graph_buf_group(fd: i32, group: *mut GraphicBufGroup) -> i32;
    /// The group an address lies in; takes no reference.
    fn hb_mem_get_graph_buf_group_with_vaddr(address: u64, group: *mut GraphicBufGroup) -> i32;
    /// Says that this process is using the group.
    fn hb_mem_inc_graph_buf_group_consume_cnt(group: *mut GraphicBufGroup) -> i32;
    /// One buffer to cut smaller ones from, for this process.
    fn hb_mem_pool_create(size: u64, flags: i64, pool: *mut Pool) -> i32;
    /// Ends it.
    fn hb_mem_pool_destroy(fd: i32) -> i32;
    /// Cuts a block from it.
    fn hb_mem_pool_alloc_buf(fd: i32, size: u64, buffer: *mut CommonBuf) -> i32;
    /// Puts the block of an address back.
    fn hb_mem_pool_free_buf(address: u64) -> i32;
    /// How much of it is left.
    fn hb_mem_pool_get_info(fd: i32, pool: *mut Pool) -> i32;
    /// Buffers of one size that other processes may import.
    fn hb_mem_share_pool_create(count: u32, size: u64, flags: i64, pool: *mut SharePool) -> i32;
    /// Ends it.
    fn hb_mem_share_pool_destroy(fd: i32) -> i32;
    /// Takes a buffer that nobody has.
    fn hb_mem_share_pool_alloc_buf(fd: i32, buffer: *mut CommonBuf) -> i32;
    /// Gives it back; it is taken again once nobody else holds it.
    fn hb_mem_share_pool_free_buf(address: u64) -> i32;
    /// How many are left.
    fn hb_mem_share_pool_get_info(fd: i32, pool: *mut SharePool) -> i32;
}
