//! Pools, of one process and to share.

use super::*;
use framelane_hobot_sys::{Pool, SharePool};

const INSUFFICIENT_MEM: i32 = -16_777_211;
const NOT_FOUND: i32 = -16_777_201;
const BUSY: i32 = -16_777_199;
const NOT_ALLOW: i32 = -16_777_197;
const POOL: i64 = 0x1000_0000;
const SHARE_POOL: i64 = 0x2000_0000;

fn pool(size: u64, flags: i64) -> Pool {
    let mut made = Pool::zeroed();
    assert_eq!(call!(hb_mem_pool_create(size, flags, &mut made)), 0);
    made
}

fn cut(pool: &Pool, size: u64) -> Result<CommonBuf, i32> {
    let mut made = CommonBuf::ZERO;
    match call!(hb_mem_pool_alloc_buf(pool.fd, size, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

fn put_back(address: u64) -> i32 {
    call!(hb_mem_pool_free_buf(address))
}

/// Free pages and blocks that are out.
fn left(pool: &Pool) -> (u32, u32) {
    let mut told = Pool::zeroed();
    assert_eq!(call!(hb_mem_pool_get_info(pool.fd, &mut told)), 0);
    (told.avail_page_cnt, told.cur_client_cnt)
}

#[test]
fn a_pool_is_one_buffer_that_blocks_are_cut_from() {
    let module = Module::open();
    let pool = pool(20_000, READ | WRITE | SHARE_POOL);
    assert_eq!((pool.size, pool.flags), (20_000, READ | WRITE | POOL), "its own pool bit only");
    assert_eq!((pool.page_size, pool.total_page_cnt), (4096, 5));
    let [a, b] = [cut(&pool, 5000).unwrap(), cut(&pool, 4096).unwrap()];
    assert_eq!((a.size, a.offset, b.phys_addr), (5000, 0, a.phys_addr + 8192));
    assert_eq!(module.0.ids(), [a.share_id], "one buffer");
    assert_eq!(left(&pool), (2, 2));
    assert_eq!(cut(&pool, 3 * 4096), Err(INSUFFICIENT_MEM));
    put(b.virt_addr, 6);
    let mut found = CommonBuf::ZERO;
    assert_eq!(call!(hb_mem_get_com_buf_with_vaddr(b.virt_addr + 9, &mut found)), 0);
    assert_eq!(found, b, "the block, not the pool");
    assert_eq!(call!(hb_mem_get_com_buf(pool.fd, &mut found)), 0);
    assert_eq!((found.virt_addr, found.size), (a.virt_addr, 20_000), "the pool");
    assert_eq!([put_back(a.virt_addr + 7), put_back(a.virt_addr)], [0, INVALID_VADDR]);
    let again = cut(&pool, 1).unwrap();
    assert_eq!((again.virt_addr, left(&pool)), (a.virt_addr, (3, 2)));
    assert_eq!(byte(b.virt_addr), 6);
    assert_eq!([put_back(again.virt_addr), put_back(b.virt_addr)], [0, 0]);
    assert_eq!(call!(hb_mem_pool_destroy(pool.fd)), 0);
    assert_eq!(call!(hb_mem_pool_destroy(pool.fd)), INVALID_FD);
    assert!(module.0.ids().is_empty());
}

#[test]
fn a_block_of_a_pool_is_its_processs_own_and_freed_to_the_pool() {
    let _module = Module::open();
    let pool = pool(8192, READ | WRITE);
    let mut block = cut(&pool, 100).unwrap();
    assert_eq!(import(&block), Err(INVALID_PARAMS));
    assert_eq!(import(&CommonBuf { flags: READ | WRITE, ..block }), Err(INVALID_PARAMS));
    assert_ne!(call!(hb_mem_inc_com_buf_consume_cnt(&mut block)), 0, "no counts of uses");
    assert_eq!(call!(hb_mem_dec_consume_cnt_with_vaddr(block.virt_addr)), NOT_ALLOW);
    assert_eq!(call!(hb_mem_free_buf_with_vaddr(block.virt_addr)), NOT_ALLOW);
    assert_eq!(free(pool.fd), BUSY, "as destroying it");
    assert_eq!(put_back(block.virt_addr), 0);
    assert_eq!([free(pool.fd), free(pool.fd)], [0, INVALID_FD]);
}

#[test]
fn blocks_of_a_cached_pool_are_each_as_stale_as_any_buffer() {
    let module = Module::open();
    let pool = pool(8192, READ | WRITE | CACHED);
    let [a, b] = [cut(&pool, 4096).unwrap(), cut(&pool, 4096).unwrap()];
    module.0.place.ion().hardware_writes(b.share_id, 4096, &[9]).unwrap();
    assert_eq!(call!(hb_mem_invalidate_buf_with_vaddr(a.virt_addr, 4096)), 0);
    assert_eq!(byte(b.virt_addr), 0, "another block");
    assert_eq!(call!(hb_mem_invalidate_buf_with_vaddr(a.virt_addr, 4097)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_invalidate_buf_with_vaddr(b.virt_addr, 1)), 0);
    assert_eq!(byte(b.virt_addr), 9);
    put(b.virt_addr + 1, 4);
    assert_eq!(call!(hb_mem_flush_buf_with_vaddr(b.virt_addr, 4096)), 0);
    let mut seen = [0];
    module.0.place.ion().hardware_reads(b.phys_addr + 1, &mut seen).unwrap().unwrap();
    assert_eq!(seen, [4]);
}

#[test]
fn what_makes_no_pool_is_refused_and_the_last_close_ends_them_all() {
    let module = Module::open();
    let (mut one, mut many) = (Pool::zeroed(), SharePool::zeroed());
    assert_eq!(call!(hb_mem_pool_create(0, READ, &mut one)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_pool_create(1, READ, std::ptr::null_mut())), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_share_pool_create(0, 1, READ, &mut many)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_share_pool_create(1, 0, READ, &mut many)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_pool_get_info(-1, &mut one)), INVALID_PARAMS);
    let plain = alloc(4096, READ);
    assert_eq!(call!(hb_mem_pool_get_info(plain.fd, &mut one)), NOT_FOUND);
    assert_eq!(call!(hb_mem_share_pool_get_info(plain.fd, &mut many)), NOT_FOUND);
    assert_eq!(put_back(plain.virt_addr), NOT_FOUND, "no pool's");
    assert_eq!(call!(hb_mem_share_pool_free_buf(plain.virt_addr)), NOT_FOUND);
    assert_eq!(cut(&pool(4096, READ), 0), Err(INVALID_PARAMS));
    cut(&pool(4096, READ), 1).unwrap();
    take(&shared(2)).unwrap();
    assert_eq!(module.0.ids(), [1, 2, 3, 4, 5]);
}

fn shared(count: u32) -> SharePool {
    let mut made = SharePool::zeroed();
    assert_eq!(call!(hb_mem_share_pool_create(count, 5000, READ | WRITE, &mut made)), 0);
    made
}

fn take(pool: &SharePool) -> Result<CommonBuf, i32> {
    let mut made = CommonBuf::ZERO;
    match call!(hb_mem_share_pool_alloc_buf(pool.fd, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

fn available(pool: &SharePool) -> u32 {
    let mut told = SharePool::zeroed();
    assert_eq!(call!(hb_mem_share_pool_get_info(pool.fd, &mut told)), 0);
    assert_eq!((told.total_buf_cnt, told.size), (pool.total_buf_cnt, 5000));
    told.avail_buf_cnt
}

#[test]
fn a_shared_buffer_goes_out_again_only_when_nobody_else_holds_it() {
    let module = Module::open();
    let pool = shared(1);
    assert_eq!((pool.flags, pool.avail_buf_cnt), (READ | WRITE | SHARE_POOL, 1));
    let mut buffer = take(&pool).unwrap();
    assert_eq!((take(&pool), available(&pool)), (Err(INSUFFICIENT_MEM), 0));
    let mut reader = module.0.start("holder");
    reader.say(&to_text(&buffer));
    assert_eq!(reader.line(), buffer.share_id.to_string(), "others import it");
    assert_eq!([free(buffer.fd), free(buffer.fd)], [NOT_ALLOW; 2]);
    assert_eq!(call!(hb_mem_inc_com_buf_consume_cnt(&mut buffer)), NOT_ALLOW);
    assert_eq!(call!(hb_mem_inc_user_consume_cnt(buffer.fd)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_share_pool_destroy(pool.fd)), BUSY);
    let give_back = || call!(hb_mem_share_pool_free_buf(buffer.virt_addr + 1));
    assert_eq!([give_back(), give_back()], [0, INVALID_VADDR]);
    assert_eq!(free(buffer.fd), NOT_ALLOW, "also while it is the pool's");
    assert_eq!((take(&pool), available(&pool)), (Err(INSUFFICIENT_MEM), 0), "it is being read");
    reader.kill();
    assert_eq!(available(&pool), 1);
    assert_eq!(take(&pool).unwrap(), buffer);
    assert_eq!(give_back(), 0);
    assert_eq!(call!(hb_mem_share_pool_destroy(buffer.fd)), 0, "any buffer's descriptor");
    assert_eq!(call!(hb_mem_share_pool_destroy(pool.fd)), INVALID_FD);
    assert!(module.0.ids().is_empty());
}
