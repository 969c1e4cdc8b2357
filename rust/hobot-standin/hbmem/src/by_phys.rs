//! Memory by its bus address alone.

use crate::entry::{enter, give, ion, place};
use crate::map::{Part, fd_error};
use crate::module::{Buffer, Shape, module};
use framelane_hobot_sys::CommonBuf;
use framelane_hobot_sys::hb_mem::{INVALID_PARAMS, UNKNOWN};

/// Takes no reference and knows no flags but its caller's. A board maps whatever is there; here
/// only buffers are, and the memory stays what it was when its holders are gone.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_import_com_buf_with_paddr(
    phys: u64,
    size: u64,
    flags: i64,
    to: *mut CommonBuf,
) -> i32 {
    enter("hb_mem_import_com_buf_with_paddr", || {
        place(to)?;
        if phys == 0 || size == 0 {
            return Err(INVALID_PARAMS);
        }
        let mut module = module()?;
        let ion = ion()?;
        // The library cuts it.
        let size = size & u64::from(u32::MAX);
        let found = ion.look(|state| state.at_phys(phys, size)).map_err(|_| UNKNOWN)?;
        let (record, offset) = found.filter(|_| size > 0).ok_or(INVALID_PARAMS)?;
        let ram = ion.open_buffer(&record).map_err(fd_error)?;
        let (part, virt_addr) = Part::map_unheld(record, ram, (offset, size), flags)?;
        let made = CommonBuf { size, flags, virt_addr, phys_addr: phys, ..CommonBuf::ZERO };
        module.buffers.push(Buffer::new(Shape::Common(made), vec![part]));
        give(to, made)
    })
}
