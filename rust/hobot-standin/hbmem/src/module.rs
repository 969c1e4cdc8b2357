//! The module of this process: how often it is open, and the buffers it holds.

use crate::entry::{Answer, enter, give, ion, place};
use crate::map::Part;
use crate::pool::Pool;
use crate::queue;
use crate::share_pool::SharePool;
use framelane_hobot_sys::hb_mem::{
    INVALID_FD, INVALID_PARAMS, INVALID_VADDR, MODULE_NOT_FOUND, MODULE_OPEN_FAIL, NOT_ALLOW,
};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, GraphicBufGroup, hb_mem_name};
use std::ffi::c_char;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A buffer as the caller sees it.
#[derive(Clone)]
pub enum Shape {
    Common(CommonBuf),
    Graphic(GraphicBuf),
    Group(Box<GraphicBufGroup>),
}

/// What one allocation or import has given to the caller.
pub struct Buffer {
    pub shape: Shape,
    pub parts: Vec<Part>,
    /// Frees that are needed to free it.
    pub users: i32,
    /// The pool it is from, by which alone it is freed.
    pub pool: Option<i32>,
}

impl Buffer {
    pub fn new(shape: Shape, parts: Vec<Part>) -> Self {
        Buffer { shape, parts, users: 1, pool: None }
    }

    pub fn has_fd(&self, fd: i32) -> bool {
        self.parts.iter().any(|part| part.fd() == fd)
    }

    pub fn contains(&self, address: u64) -> bool {
        self.parts.iter().any(|part| part.contains(address))
    }

    /// Refuses what has no count of users of its own: groups, and what is a pool's.
    pub fn counts_users(&self) -> Answer {
        let none = self.pool.is_some() || matches!(self.shape, Shape::Group(_));
        if none { Err(INVALID_PARAMS) } else { Ok(()) }
    }

    pub fn part_of(&self, address: u64) -> Answer<&Part> {
        self.parts.iter().find(|part| part.contains(address)).ok_or(INVALID_VADDR)
    }
}

pub struct Module {
    opens: u32,
    pub buffers: Vec<Buffer>,
    pub pools: Vec<Pool>,
    pub share_pools: Vec<SharePool>,
}

static MODULE: Mutex<Module> = Mutex::new(Module {
    opens: 0,
    buffers: Vec::new(),
    pools: Vec::new(),
    share_pools: Vec::new(),
});

fn lock() -> MutexGuard<'static, Module> {
    MODULE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The module, which must be open.
pub fn module() -> Answer<MutexGuard<'static, Module>> {
    let module = lock();
    if module.opens == 0 { Err(MODULE_NOT_FOUND) } else { Ok(module) }
}

impl Module {
    /// The buffer of a descriptor, which the caller has found not to be negative.
    pub fn of_fd(&mut self, fd: i32) -> Answer<&mut Buffer> {
        self.buffers.iter_mut().find(|buffer| buffer.has_fd(fd)).ok_or(INVALID_FD)
    }

    pub fn of_address(&mut self, address: u64) -> Answer<&mut Buffer> {
        self.buffers.iter_mut().find(|buffer| buffer.contains(address)).ok_or(INVALID_VADDR)
    }

    /// One user less; frees the buffer after the last.
    pub fn free(&mut self, which: impl Fn(&Buffer) -> bool, none: i32) -> Answer {
        let index = self.buffers.iter().position(which).ok_or(none)?;
        if self.buffers[index].pool.is_some() {
            return Err(NOT_ALLOW);
        }
        self.buffers[index].users -= 1;
        if self.buffers[index].users > 0 {
            return Ok(());
        }
        self.buffers.swap_remove(index).parts.into_iter().try_for_each(Part::release)
    }
}

/// Refuses a negative descriptor.
pub fn valid_fd(fd: i32) -> Answer<i32> {
    if fd < 0 { Err(INVALID_PARAMS) } else { Ok(fd) }
}

/// Refuses address 0.
pub fn valid_address(address: u64) -> Answer<u64> {
    if address == 0 { Err(INVALID_PARAMS) } else { Ok(address) }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_version(major: *mut u32, minor: *mut u32, patch: *mut u32) -> i32 {
    enter("hb_mem_get_version", || {
        place(minor).and(place(patch))?;
        give(major, 1)?;
        give(minor, 0)?;
        give(patch, 0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_module_open() -> i32 {
    enter("hb_mem_module_open", || {
        ion().map_err(|_| MODULE_OPEN_FAIL)?;
        lock().opens += 1;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_module_close() -> i32 {
    enter("hb_mem_module_close", || {
        let mut module = module()?;
        module.opens -= 1;
        if module.opens > 0 {
            return Ok(());
        }
        queue::destroy_all();
        let all = std::mem::take(&mut module.buffers);
        let pools = std::mem::take(&mut module.pools).into_iter().map(Pool::into_part);
        let shared = std::mem::take(&mut module.share_pools).into_iter().flat_map(|pool| pool.idle);
        let parts = all.into_iter().flat_map(|buffer| buffer.parts);
        parts.chain(pools).chain(shared).try_for_each(Part::release)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_free_buf(fd: i32) -> i32 {
    enter("hb_mem_free_buf", || {
        let fd = valid_fd(fd)?;
        let mut module = module()?;
        if module.pools.iter().any(|pool| pool.fd() == fd) {
            return module.destroy_pool(fd);
        }
        if module.share_pools.iter().any(|pool| pool.has_idle(fd)) {
            return Err(NOT_ALLOW);
        }
        module.free(|buffer| buffer.has_fd(fd), INVALID_FD)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_free_buf_with_vaddr(address: u64) -> i32 {
    enter("hb_mem_free_buf_with_vaddr", || {
        let address = valid_address(address)?;
        module()?.free(|buffer| buffer.contains(address), INVALID_VADDR)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_inc_user_consume_cnt(fd: i32) -> i32 {
    enter("hb_mem_inc_user_consume_cnt", || {
        let mut module = module()?;
        let buffer = module.of_fd(valid_fd(fd)?)?;
        buffer.counts_users()?;
        buffer.users += 1;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dec_user_consume_cnt(fd: i32) -> i32 {
    enter("hb_mem_dec_user_consume_cnt", || {
        let fd = valid_fd(fd)?;
        let mut module = module()?;
        module.of_fd(fd)?.counts_users()?;
        module.free(|buffer| buffer.has_fd(fd), INVALID_FD)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_strerror(code: i32, text: *mut c_char, size: usize) -> i32 {
    if text.is_null() || size == 0 {
        return -1;
    }
    let name = hb_mem_name(code);
    let words = name.map_or_else(|| format!("number {code} occurred"), str::to_owned);
    let kept = words.len().min(size - 1);
    // SAFETY: not NULL, and by the C interface room for `size` bytes.
    unsafe {
        text.cast::<u8>().copy_from_nonoverlapping(words.as_ptr(), kept);
        text.add(kept).write(0);
    }
    if name.is_some() { 0 } else { -1 }
}
