//! Copies that hardware makes.

use crate::entry::{Answer, enter};
use crate::map::{Part, copy};
use crate::module::{Module, module, valid_address};
use framelane_hobot_sys::hb_mem::INVALID_PARAMS;

/// The part of a buffer that a range lies in; None where its address is no buffer's.
fn part_at(module: &Module, address: u64, size: u64) -> Answer<Option<&Part>> {
    let Some(buffer) = module.buffers.iter().find(|buffer| buffer.contains(address)) else {
        return Ok(None);
    };
    let part = buffer.part_of(address)?;
    let last = address.checked_add(size - 1);
    if last.is_some_and(|last| part.contains(last)) { Ok(Some(part)) } else { Err(INVALID_PARAMS) }
}

/// Between buffers the hardware copies, past every processor's cache; where one end is no buffer's
/// the processor does. A range that leaves its buffer is refused, which a board may not do.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dma_copy(to: u64, from: u64, size: u64) -> i32 {
    enter("hb_mem_dma_copy", || {
        let (to, from) = (valid_address(to)?, valid_address(from)?);
        if size == 0 {
            return Err(INVALID_PARAMS);
        }
        let module = module()?;
        let ends = (part_at(&module, from, size)?, part_at(&module, to, size)?);
        if let (Some(source), Some(target)) = ends {
            return copy(source.ram_at(from), target.ram_at(to), size);
        }
        // SAFETY: by the C interface both are mapped for so many bytes.
        unsafe { (to as *mut u8).copy_from(from as *const u8, size as usize) };
        Ok(())
    })
}
