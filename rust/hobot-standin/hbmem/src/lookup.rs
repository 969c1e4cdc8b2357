//! Looking buffers up; takes no reference.

use crate::entry::{enter, give, place};
use crate::module::{Shape, module, valid_address, valid_fd};
use framelane_hobot_sys::hb_mem::{INVALID_FD, INVALID_PARAMS, INVALID_VADDR};
use framelane_hobot_sys::{CommonBuf, GraphicBuf};

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_com_buf(fd: i32, buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_get_com_buf", || {
        place(buffer)?;
        let mut module = module()?;
        if let Some(pool) = module.pools.iter().find(|pool| pool.fd() == fd) {
            return give(buffer, pool.whole());
        }
        match module.of_fd(valid_fd(fd)?)?.shape {
            Shape::Common(found) => give(buffer, found),
            _ => Err(INVALID_FD),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_graph_buf(fd: i32, buffer: *mut GraphicBuf) -> i32 {
    enter("hb_mem_get_graph_buf", || {
        place(buffer)?;
        match module()?.of_fd(valid_fd(fd)?)?.shape {
            Shape::Graphic(found) => give(buffer, found),
            _ => Err(INVALID_FD),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_com_buf_with_vaddr(address: u64, buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_get_com_buf_with_vaddr", || {
        place(buffer)?;
        match module()?.of_address(valid_address(address)?)?.shape {
            Shape::Common(found) => give(buffer, found),
            _ => Err(INVALID_VADDR),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_graph_buf_with_vaddr(address: u64, buffer: *mut GraphicBuf) -> i32 {
    enter("hb_mem_get_graph_buf_with_vaddr", || {
        place(buffer)?;
        match module()?.of_address(valid_address(address)?)?.shape {
            Shape::Graphic(found) => give(buffer, found),
            _ => Err(INVALID_VADDR),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_is_valid_buf(address: u64, size: u64, valid: *mut i32) -> i32 {
    enter("hb_mem_is_valid_buf", || {
        place(valid)?;
        if size == 0 {
            return Err(INVALID_PARAMS);
        }
        let address = valid_address(address)?;
        let mut module = module()?;
        let last = address.checked_add(size - 1);
        let part = module.of_address(address).and_then(|buffer| buffer.part_of(address));
        let inside = part.is_ok_and(|part| last.is_some_and(|last| part.contains(last)));
        give(valid, inside.into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_phys_addr(address: u64, phys: *mut u64) -> i32 {
    enter("hb_mem_get_phys_addr", || {
        place(phys)?;
        let address = valid_address(address)?;
        let mut module = module()?;
        let part = module.of_address(address)?.part_of(address)?;
        give(phys, part.record.phys + (address - part.base()))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buf_info(
    address: u64,
    start: *mut u64,
    size: *mut u64,
    flags: *mut i64,
) -> i32 {
    enter("hb_mem_get_buf_info", || {
        place(start).and(place(size))?;
        place(flags)?;
        let address = valid_address(address)?;
        let mut module = module()?;
        let part = module.of_address(address)?.part_of(address)?;
        give(start, part.base())?;
        give(size, part.record.bytes)?;
        give(flags, part.record.flags)
    })
}
