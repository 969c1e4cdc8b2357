//! What is known of a buffer, by an address in it.

use crate::counts::{consume, count, tell_holders, wait};
use crate::entry::{Answer, enter, give, place};
use crate::module::{Shape, module, valid_address};
use framelane_hobot_sys::hb_mem::{INVALID_VADDR, NOT_ALLOW};
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

/// Gives a buffer in the place of its kind; a group without a place is not found.
fn give_shape(
    address: u64,
    kind: *mut i32,
    common: *mut CommonBuf,
    graphic: *mut GraphicBuf,
    group: Option<*mut GraphicBufGroup>,
) -> Answer {
    place(common)?;
    place(graphic)?;
    place(kind)?;
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
            give(group.ok_or(INVALID_VADDR)?, *found)?;
            give(kind, buffer_type::GRAPHIC_GROUP)
        }
    }
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

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buf_type_and_buf_with_vaddr(
    address: u64,
    kind: *mut i32,
    common: *mut CommonBuf,
    graphic: *mut GraphicBuf,
) -> i32 {
    enter("hb_mem_get_buf_type_and_buf_with_vaddr", || {
        give_shape(address, kind, common, graphic, None)
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
        place(group)?;
        give_shape(address, kind, common, graphic, Some(group))
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
        module()?.of_address(address)?.users += 1;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dec_user_consume_cnt_with_vaddr(address: u64) -> i32 {
    enter("hb_mem_dec_user_consume_cnt_with_vaddr", || {
        let address = valid_address(address)?;
        module()?.free(|buffer| buffer.contains(address), INVALID_VADDR)
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
