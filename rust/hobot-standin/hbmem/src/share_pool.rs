//! Share pools: buffers of one size that go out again and again, and that others may import.
//!
//! The vendor's library has a thread that takes a buffer back when nobody else holds it any more;
//! here that is looked at when somebody asks. Assumed is that its descriptor is that of its first
//! buffer; any buffer's will do to name it.

use crate::alloc::{allocate, give_up, without_pools};
use crate::counts::count;
use crate::entry::{Answer, enter, give, place};
use crate::map::Part;
use crate::module::{Buffer, Module, Shape, module, valid_address, valid_fd};
use framelane_hobot_sys::hb_mem::{
    INSUFFICIENT_MEM, INVALID_FD, INVALID_PARAMS, INVALID_VADDR, POOL_BUSY, POOL_NOT_FOUND,
};
use framelane_hobot_sys::{CommonBuf, SharePool as Told, usage};
use framelane_standin_ion::Record;

pub struct SharePool {
    /// The descriptor of its first buffer.
    fd: i32,
    flags: i64,
    size: u32,
    total: u32,
    /// What the owner has not taken. Others may still hold some of it.
    pub idle: Vec<Part>,
}

impl SharePool {
    pub fn has_idle(&self, fd: i32) -> bool {
        self.idle.iter().any(|part| part.fd() == fd)
    }

    /// Where the buffers are that nobody but the pool holds.
    fn available(&self) -> Answer<Vec<usize>> {
        let mut found = Vec::new();
        for (index, part) in self.idle.iter().enumerate() {
            if count(part.id, Record::clients)? == 1 {
                found.push(index);
            }
        }
        Ok(found)
    }

    fn told(&self) -> Answer<Told> {
        Ok(Told {
            flags: self.flags,
            size: self.size,
            fd: self.fd,
            total_buf_cnt: self.total,
            avail_buf_cnt: self.available()?.len() as u32,
            reserved: 0,
            padding: 0,
        })
    }
}

impl Module {
    /// The descriptor of the pool that one of its buffers' names.
    fn share_pool_fd(&self, fd: i32) -> Option<i32> {
        let out = self.buffers.iter().find(|buffer| buffer.has_fd(fd));
        let name = out.and_then(|buffer| buffer.pool).unwrap_or(fd);
        let mut pools = self.share_pools.iter();
        pools.find(|pool| pool.fd == name || pool.has_idle(fd)).map(|pool| pool.fd)
    }

    fn share_pool(&mut self, fd: i32) -> Answer<&mut SharePool> {
        let fd = self.share_pool_fd(fd).ok_or(POOL_NOT_FOUND)?;
        self.share_pools.iter_mut().find(|pool| pool.fd == fd).ok_or(POOL_NOT_FOUND)
    }

    fn take_back(&mut self, address: u64) -> Answer {
        let is = |buffer: &Buffer| buffer.contains(address);
        let index = self.buffers.iter().position(is).ok_or(INVALID_VADDR)?;
        let fd = self.buffers[index].pool.ok_or(POOL_NOT_FOUND)?;
        let pool = self.share_pools.iter_mut().find(|pool| pool.fd == fd);
        pool.ok_or(POOL_NOT_FOUND)?.idle.append(&mut self.buffers.swap_remove(index).parts);
        Ok(())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_share_pool_create(
    total: u32,
    size: u64,
    flags: i64,
    pool: *mut Told,
) -> i32 {
    enter("hb_mem_share_pool_create", || {
        place(pool)?;
        // The struct has 32 bits for the size.
        let small = u32::try_from(size).ok().filter(|size| *size > 0 && total > 0);
        let small = small.ok_or(INVALID_PARAMS)?;
        let mut module = module()?;
        let flags = without_pools(flags) | usage::MEM_SHARE_POOL;
        let mut idle = Vec::new();
        for _ in 0..total {
            match allocate(size, flags) {
                Ok(part) => idle.push(part),
                Err(code) => {
                    give_up(idle);
                    return Err(code);
                }
            }
        }
        let made = SharePool { fd: idle[0].fd(), flags, size: small, total, idle };
        let told = made.told()?;
        module.share_pools.push(made);
        give(pool, told)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_share_pool_destroy(fd: i32) -> i32 {
    enter("hb_mem_share_pool_destroy", || {
        let fd = valid_fd(fd)?;
        let mut module = module()?;
        let fd = module.share_pool_fd(fd).ok_or(INVALID_FD)?;
        if module.taken(fd) > 0 {
            return Err(POOL_BUSY);
        }
        let index = module.share_pools.iter().position(|pool| pool.fd == fd);
        let pool = module.share_pools.swap_remove(index.ok_or(INVALID_FD)?);
        pool.idle.into_iter().try_for_each(Part::release)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_share_pool_alloc_buf(fd: i32, buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_share_pool_alloc_buf", || {
        place(buffer)?;
        let fd = valid_fd(fd)?;
        let mut module = module()?;
        let pool = module.share_pool(fd)?;
        let first = *pool.available()?.first().ok_or(INSUFFICIENT_MEM)?;
        let part = pool.idle.remove(first);
        let made = CommonBuf {
            fd: part.fd(),
            share_id: part.id,
            flags: pool.flags,
            size: pool.size.into(),
            virt_addr: part.base(),
            phys_addr: part.record.phys,
            offset: 0,
        };
        let taken = Buffer { pool: Some(pool.fd), ..Buffer::new(Shape::Common(made), vec![part]) };
        module.buffers.push(taken);
        give(buffer, made)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_share_pool_free_buf(address: u64) -> i32 {
    enter("hb_mem_share_pool_free_buf", || {
        let address = valid_address(address)?;
        module()?.take_back(address)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_share_pool_get_info(fd: i32, pool: *mut Told) -> i32 {
    enter("hb_mem_share_pool_get_info", || {
        place(pool)?;
        let fd = valid_fd(fd)?;
        give(pool, module()?.share_pool(fd)?.told()?)
    })
}
