//! Pools: one buffer that smaller ones are cut from, in whole pages, for one process.
//!
//! Its memory cannot be imported, has no counts of uses, and freeing its descriptor destroys it,
//! unless something is taken. Assumed are the size of a page, that a block has descriptor and share
//! id of its pool, and that freeing a block as if it were a buffer is refused.

use crate::alloc::{allocate, without_pools};
use crate::entry::{Answer, enter, give, place};
use crate::map::{PAGE, Part};
use crate::module::{Buffer, Module, Shape, module, valid_address, valid_fd};
use framelane_hobot_sys::hb_mem::{
    INSUFFICIENT_MEM, INVALID_FD, INVALID_PARAMS, INVALID_VADDR, POOL_BUSY, POOL_NOT_FOUND,
};
use framelane_hobot_sys::{CommonBuf, Pool as Told, usage};

pub struct Pool {
    part: Part,
    size: u64,
    /// Which pages are taken.
    pages: Vec<bool>,
}

impl Pool {
    pub fn fd(&self) -> i32 {
        self.part.fd()
    }

    /// The whole of it as a buffer.
    pub fn whole(&self) -> CommonBuf {
        CommonBuf {
            fd: self.fd(),
            share_id: self.part.id,
            flags: self.part.record.flags,
            size: self.size,
            virt_addr: self.part.base(),
            phys_addr: self.part.record.phys,
            offset: 0,
        }
    }

    pub fn into_part(self) -> Part {
        self.part
    }

    /// The first of so many free pages in a row, taken.
    fn take(&mut self, count: usize) -> Option<usize> {
        let free = |window: &[bool]| window.iter().all(|taken| !taken);
        let first = self.pages.windows(count).position(free)?;
        self.pages[first..first + count].fill(true);
        Some(first)
    }

    fn told(&self, clients: usize) -> Told {
        let free = self.pages.iter().filter(|taken| !**taken).count();
        Told {
            flags: self.part.record.flags,
            size: self.size,
            fd: self.fd(),
            page_size: PAGE as u32,
            total_page_cnt: self.pages.len() as u32,
            avail_page_cnt: free as u32,
            cur_client_cnt: clients as u32,
            reserved: 0,
        }
    }
}

impl Module {
    fn pool(&mut self, fd: i32) -> Answer<&mut Pool> {
        self.pools.iter_mut().find(|pool| pool.fd() == fd).ok_or(POOL_NOT_FOUND)
    }

    /// Buffers that are taken from a pool.
    pub fn taken(&self, fd: i32) -> usize {
        self.buffers.iter().filter(|buffer| buffer.pool == Some(fd)).count()
    }

    pub fn destroy_pool(&mut self, fd: i32) -> Answer {
        let index = self.pools.iter().position(|pool| pool.fd() == fd).ok_or(INVALID_FD)?;
        if self.taken(fd) > 0 {
            return Err(POOL_BUSY);
        }
        self.pools.swap_remove(index).part.release()
    }

    fn put_back(&mut self, address: u64) -> Answer {
        let is = |buffer: &Buffer| buffer.contains(address);
        let index = self.buffers.iter().position(is).ok_or(INVALID_VADDR)?;
        let fd = self.buffers[index].pool.ok_or(POOL_NOT_FOUND)?;
        let pool = self.pools.iter_mut().find(|pool| pool.fd() == fd).ok_or(POOL_NOT_FOUND)?;
        let range = &self.buffers[index].parts[0];
        let first = ((range.base() - pool.part.base()) / PAGE) as usize;
        pool.pages[first..first + (range.record.bytes / PAGE) as usize].fill(false);
        self.buffers.swap_remove(index);
        Ok(())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_pool_create(size: u64, flags: i64, pool: *mut Told) -> i32 {
    enter("hb_mem_pool_create", || {
        place(pool)?;
        if size == 0 {
            return Err(INVALID_PARAMS);
        }
        let mut module = module()?;
        let part = allocate(size, without_pools(flags) | usage::MEM_POOL)?;
        let pages = vec![false; (part.record.bytes / PAGE) as usize];
        let made = Pool { part, size, pages };
        let told = made.told(0);
        module.pools.push(made);
        give(pool, told)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_pool_destroy(fd: i32) -> i32 {
    enter("hb_mem_pool_destroy", || {
        let fd = valid_fd(fd)?;
        module()?.destroy_pool(fd)
    })
}

/// The block is looked up by its addresses.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_pool_alloc_buf(fd: i32, size: u64, buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_pool_alloc_buf", || {
        place(buffer)?;
        let fd = valid_fd(fd)?;
        if size == 0 {
            return Err(INVALID_PARAMS);
        }
        let mut module = module()?;
        let pool = module.pool(fd)?;
        let bytes = size.checked_next_multiple_of(PAGE).ok_or(INSUFFICIENT_MEM)?;
        let first = pool.take((bytes / PAGE) as usize).ok_or(INSUFFICIENT_MEM)?;
        let part = pool.part.range(first as u64 * PAGE, bytes);
        let (virt_addr, phys_addr) = (part.base(), part.record.phys);
        let made = CommonBuf { size, virt_addr, phys_addr, ..pool.whole() };
        let taken = Buffer { pool: Some(fd), ..Buffer::new(Shape::Common(made), vec![part]) };
        module.buffers.push(taken);
        give(buffer, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_pool_free_buf(address: u64) -> i32 {
    enter("hb_mem_pool_free_buf", || {
        let address = valid_address(address)?;
        module()?.put_back(address)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_pool_get_info(fd: i32, pool: *mut Told) -> i32 {
    enter("hb_mem_pool_get_info", || {
        place(pool)?;
        let fd = valid_fd(fd)?;
        let mut module = module()?;
        let clients = module.taken(fd);
        give(pool, module.pool(fd)?.told(clients))
    })
}
