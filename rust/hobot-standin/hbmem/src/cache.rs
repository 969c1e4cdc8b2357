//! Cache maintenance.

use crate::entry::{Answer, enter};
use crate::map::Part;
use crate::module::{Buffer, module, valid_address, valid_fd};
use framelane_hobot_sys::hb_mem::INVALID_PARAMS;

type Work = fn(&Part, u64, u64) -> Answer;

/// Works on a range counted from the first byte of the part that `fd` names.
fn by_fd(fd: i32, offset: u64, size: u64, work: Work) -> Answer {
    let fd = valid_fd(fd)?;
    if size == 0 {
        return Err(INVALID_PARAMS);
    }
    let mut module = module()?;
    let buffer: &Buffer = module.of_fd(fd)?;
    let part = buffer.parts.iter().find(|part| part.fd() == fd).ok_or(INVALID_PARAMS)?;
    within(part, offset, size, work)
}

fn by_address(address: u64, size: u64, work: Work) -> Answer {
    let address = valid_address(address)?;
    if size == 0 {
        return Err(INVALID_PARAMS);
    }
    let mut module = module()?;
    let part = module.of_address(address)?.part_of(address)?;
    within(part, address - part.base(), size, work)
}

fn within(part: &Part, offset: u64, size: u64, work: Work) -> Answer {
    let inside = offset.checked_add(size).is_some_and(|end| end <= part.record.bytes);
    if inside { work(part, offset, size) } else { Err(INVALID_PARAMS) }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_invalidate_buf(fd: i32, offset: u64, size: u64) -> i32 {
    enter("hb_mem_invalidate_buf", || by_fd(fd, offset, size, Part::invalidate))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_flush_buf(fd: i32, offset: u64, size: u64) -> i32 {
    enter("hb_mem_flush_buf", || by_fd(fd, offset, size, Part::flush))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_invalidate_buf_with_vaddr(address: u64, size: u64) -> i32 {
    enter("hb_mem_invalidate_buf_with_vaddr", || by_address(address, size, Part::invalidate))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_flush_buf_with_vaddr(address: u64, size: u64) -> i32 {
    enter("hb_mem_flush_buf_with_vaddr", || by_address(address, size, Part::flush))
}
