//! What is known of a buffer, by an address in it.

use crate::counts::{consume, count, tell_holders, wait};
use crate::entry::{Answer, enter, give, place};
use crate::module::{Shape, module, valid_address};
use framelane_hobot_sys::hb_mem::{INVALID_PARAMS, INVALID_VADDR, NOT_ALLOW};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, GraphicBufGroup, buffer_type};
use framelane_standin_ion::Record;

/// Share id of the part an address lies in, which must be held.
fn id_at(address: u64) -> Answer<i32> {
    let address = valid_address(address)?;
    let mut module = module()?;
    module.of_address(address)?.part_of(address)?.held_id().ok_or(INVALID_VADDR)
}

/// The same, for announcing a use: pools have no such counts.
fn used_id_at(address: u64) -> Answer<i32> {
    let id = id_at(address);
    let pool = module()?.of_address(address).is_ok_and(|buffer| buffer.pool.is_some());
    if pool { Err(NOT_ALLOW) } else { id }
}

fn shape_at(address: u64) -> Answer<Shape> {
    let address = valid_address(address)?;
    Ok(module()?.of_address(address)?.shape.clone())
}

/// A block as a picture of one plane without a format: what the vendor's library makes of it is
/// not known in more detail.
fn as_picture(block: &CommonBuf) -> GraphicBuf {
    let mut made = GraphicBuf { fd: [-1; 3], plane_cnt: 1, format: -1, ..GraphicBuf::ZERO };
    (made.is_contig, made.flags) = (1, block.flags);
    (made.fd[0], made.share_id[0]) = (block.fd, block.share_id);
    (made.size[0], made.offset[0]) = (block.size, block.offset);
    (made.virt_addr[0], made.phys_addr[0]) = (block.virt_addr, block.phys_addr);
    made
}

/// A picture as a block, if it is in one piece.
fn as_block(picture: &GraphicBuf) -> Answer<CommonBuf> {
    if picture.is_contig != 1 {
        return Err(INVALID_PARAMS);
    }
    Ok(CommonBuf {
        fd: picture.fd[0],
        share_id: picture.share_id[0],
        flags: picture.flags,
        size: picture.size.iter().sum(),
        virt_addr: picture.virt_addr[0],
        phys_addr: picture.phys_addr[0],
        offset: picture.offset[0],
    })
}

/// Writes where there is a place.
fn offer<T>(to: *mut T, value: T) -> Answer {
    if to.is_null() { Ok(()) } else { give(to, value) }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buf_type_with_vaddr(address: u64, kind: *mut i32) -> i32 {
    enter("hb_mem_get_buf_type_with_vaddr", || {
        place(kind)?;
        let found = match shape_at(address)? {
            Shape::Common(_) => buffer_type::COMMON,
            Shape::Graphic(_) => buffer_type::GRAPHIC,
            Shape::Group(_) => buffer_type::GRAPHIC_GROUP,
        };
        give(kind, found)
    })
}

/// Either place may be missing; a buffer comes in both forms where both are there.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buf_type_and_buf_with_vaddr(
    address: u64,
    kind: *mut i32,
    common: *mut CommonBuf,
    graphic: *mut GraphicBuf,
) -> i32 {
    enter("hb_mem_get_buf_type_and_buf_with_vaddr", || {
        place(kind)?;
        if common.is_null() && graphic.is_null() {
            return Err(INVALID_PARAMS);
        }
        match shape_at(address)? {
            Shape::Common(found) => {
                offer(common, found)?;
                offer(graphic, as_picture(&found))?;
                give(kind, buffer_type::COMMON)
            }
            Shape::Graphic(found) => {
                if !common.is_null() {
                    give(common, as_block(&found)?)?;
                }
                offer(graphic, found)?;
                give(kind, buffer_type::GRAPHIC)
            }
            Shape::Group(_) => Err(INVALID_VADDR),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buf_and_type_with_vaddr(
    address: u64,
    kind: *mut i32,
    common: *mut CommonBuf,
    graphic: *mut GraphicBuf,
    group: *mut GraphicBufGroup,
) -> i32 {
    enter("hb_mem_get_buf_and_type_with_vaddr", || {
        place(kind)?;
        place(common)?;
        place(graphic)?;
        place(group)?;
        match shape_at(address)? {
            Shape::Common(found) => {
                give(common, found)?;
                give(kind, buffer_type::COMMON)
            }
            Shape::Graphic(found) => {
                give(graphic, found)?;
                give(kind, buffer_type::GRAPHIC)
            }
            Shape::Group(found) => {
                give(group, *found)?;
                give(kind, buffer_type::GRAPHIC_GROUP)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_share_info_with_vaddr(address: u64, clients: *mut i32) -> i32 {
    enter("hb_mem_get_share_info_with_vaddr", || {
        place(clients)?;
        give(clients, count(id_at(address)?, Record::clients)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_wait_share_status_with_vaddr(
    address: u64,
    target: i32,
    timeout_ms: i64,
) -> i32 {
    enter("hb_mem_wait_share_status_with_vaddr", || {
        wait(|| id_at(address), target, timeout_ms, Record::clients)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dec_consume_cnt_with_vaddr(address: u64) -> i32 {
    enter("hb_mem_dec_consume_cnt_with_vaddr", || consume(used_id_at(address)?, -1))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_consume_info_with_vaddr(address: u64, uses: *mut i32) -> i32 {
    enter("hb_mem_get_consume_info_with_vaddr", || {
        place(uses)?;
        give(uses, count(id_at(address)?, Record::consumes)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_wait_consume_status_with_vaddr(
    address: u64,
    target: i32,
    timeout_ms: i64,
) -> i32 {
    enter("hb_mem_wait_consume_status_with_vaddr", || {
        wait(|| id_at(address), target, timeout_ms, Record::consumes)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_inc_user_consume_cnt_with_vaddr(address: u64) -> i32 {
    enter("hb_mem_inc_user_consume_cnt_with_vaddr", || {
        let address = valid_address(address)?;
        let mut module = module()?;
        let buffer = module.of_address(address)?;
        buffer.counts_users()?;
        buffer.users += 1;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dec_user_consume_cnt_with_vaddr(address: u64) -> i32 {
    enter("hb_mem_dec_user_consume_cnt_with_vaddr", || {
        let address = valid_address(address)?;
        let mut module = module()?;
        module.of_address(address)?.counts_users()?;
        module.free(|buffer| buffer.contains(address), INVALID_VADDR)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buffer_process_info(
    address: u64,
    pids: *mut i32,
    room: i32,
    found: *mut i32,
) -> i32 {
    enter("hb_mem_get_buffer_process_info", || tell_holders(|| id_at(address), pids, room, found))
}
