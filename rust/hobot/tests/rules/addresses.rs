//! What is asked by an address, of the bus or of this process, and copies between them.

use super::*;
use framelane_hobot_sys::GraphicBufGroup;

fn at_phys(phys: u64, size: u64, flags: i64) -> Result<CommonBuf, i32> {
    let mut made = CommonBuf { fd: -7, share_id: -7, offset: 7, ..CommonBuf::ZERO };
    match call!(hb_mem_import_com_buf_with_paddr(phys, size, flags, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

fn free_at(address: u64) -> i32 {
    call!(hb_mem_free_buf_with_vaddr(address))
}

#[test]
fn a_bus_address_alone_takes_no_reference() {
    let module = Module::open();
    let made = alloc(8192, READ | WRITE);
    put(made.virt_addr + 4100, 5);
    let seen = at_phys(made.phys_addr + 4100, 50, READ).unwrap();
    assert_eq!((seen.fd, seen.share_id, seen.offset), (0, 0, 0), "and not -1");
    assert_eq!((seen.phys_addr, seen.size, seen.flags), (made.phys_addr + 4100, 50, READ));
    assert_eq!(byte(seen.virt_addr), 5);
    assert_eq!(rights(seen.virt_addr & !4095), "r--s", "those asked for");
    assert_eq!(clients(made.fd), 1);
    let mut phys = 0;
    assert_eq!(call!(hb_mem_get_phys_addr(seen.virt_addr + 1, &mut phys)), 0);
    assert_eq!(phys, made.phys_addr + 4101);
    assert_eq!(free(0), INVALID_FD, "its descriptor is none");
    let mut count = 0;
    let code = call!(hb_mem_get_share_info_with_vaddr(seen.virt_addr, &mut count));
    assert_eq!(code, INVALID_VADDR, "nothing is held");
    assert_eq!(free(made.fd), 0);
    assert!(module.0.ids().is_empty(), "it did not keep the buffer");
    assert_eq!([free_at(seen.virt_addr), free_at(seen.virt_addr)], [0, INVALID_VADDR]);
}

#[test]
fn a_bus_address_must_be_some_and_its_size_is_cut_to_32_bits() {
    let _module = Module::open();
    let made = alloc(4096, READ | WRITE);
    for (phys, size) in [(0, 1), (made.phys_addr, 0), (made.phys_addr, 4097), (4096, 1)] {
        assert_eq!(at_phys(phys, size, READ), Err(INVALID_PARAMS), "{phys:#x} {size}");
    }
    let null = std::ptr::null_mut();
    let code = call!(hb_mem_import_com_buf_with_paddr(made.phys_addr, 1, READ, null));
    assert_eq!(code, INVALID_PARAMS);
    let seen = at_phys(made.phys_addr, (1 << 32) + 10, READ).unwrap();
    assert_eq!(seen.size, 10);
    assert_eq!([free_at(seen.virt_addr), free(made.fd)], [0, 0]);
}

#[test]
fn a_bus_address_can_be_seen_through_the_cache() {
    let module = Module::open();
    let made = alloc(8192, READ | WRITE);
    let seen = at_phys(made.phys_addr + 4096, 4096, READ | WRITE | CACHED).unwrap();
    module.0.place.ion().hardware_writes(made.share_id, 4096, &[9]).unwrap();
    assert_eq!(byte(seen.virt_addr), 0, "stale");
    assert_eq!(call!(hb_mem_invalidate_buf_with_vaddr(seen.virt_addr, 4096)), 0);
    assert_eq!(byte(seen.virt_addr), 9);
    put(seen.virt_addr + 1, 3);
    assert_eq!(byte(made.virt_addr + 4097), 0, "not written back yet");
    assert_eq!(call!(hb_mem_flush_buf_with_vaddr(seen.virt_addr, 4096)), 0);
    assert_eq!(byte(made.virt_addr + 4097), 3);
    assert_eq!([free_at(seen.virt_addr), free(made.fd)], [0, 0]);
}

#[test]
fn an_address_tells_the_kind_of_its_buffer() {
    let _module = Module::open();
    let (block, picture) = (alloc(4096, READ), alloc_nv12(READ));
    let ask = |address| {
        let (mut common, mut graphic) = (CommonBuf::ZERO, GraphicBuf::ZERO);
        let (mut kind, mut alone, mut group) = (-1, -1, GraphicBufGroup::zeroed());
        let code = call!(hb_mem_get_buf_and_type_with_vaddr(
            address,
            &mut kind,
            &mut common,
            &mut graphic,
            &mut group
        ));
        assert_eq!(call!(hb_mem_get_buf_type_with_vaddr(address, &mut alone)), code);
        assert_eq!(alone, kind);
        (code, kind, common, graphic)
    };
    assert_eq!(ask(block.virt_addr + 9), (0, 0, block, GraphicBuf::ZERO));
    assert_eq!(ask(picture.virt_addr[1]), (0, 1, CommonBuf::ZERO, picture));
    assert_eq!(ask(0).0, INVALID_PARAMS);
    assert_eq!(ask(4096).0, INVALID_VADDR);
    assert_eq!([free(block.fd), free(picture.fd[0])], [0, 0]);
}

#[test]
fn a_buffer_comes_as_a_block_and_as_a_picture() {
    let _module = Module::open();
    let block = alloc(4096, READ);
    let (whole, apart) = (alloc_nv12(READ | CONTIGUOUS), alloc_nv12(READ));
    let (mut kind, mut common, mut graphic) = (-1, CommonBuf::ZERO, GraphicBuf::ZERO);
    let mut ask = |address, common: *mut CommonBuf, graphic: *mut GraphicBuf| {
        let code =
            call!(hb_mem_get_buf_type_and_buf_with_vaddr(address, &mut kind, common, graphic));
        (code, kind)
    };
    let (no_block, no_picture) = (std::ptr::null_mut(), std::ptr::null_mut());
    assert_eq!(ask(block.virt_addr + 9, &mut common, &mut graphic), (0, 0));
    assert_eq!((common, graphic.plane_cnt, graphic.size), (block, 1, [4096, 0, 0]));
    assert_eq!((graphic.phys_addr[0], graphic.fd[0]), (block.phys_addr, block.fd));
    assert_eq!(ask(whole.virt_addr[1], &mut common, &mut graphic), (0, 1));
    assert_eq!((graphic, common.size, common.fd), (whole, 3072, whole.fd[0]));
    assert_eq!(common.virt_addr, whole.virt_addr[0]);
    assert_eq!(ask(apart.virt_addr[1], no_block, &mut graphic), (0, 1));
    assert_eq!(graphic, apart);
    assert_eq!(ask(apart.virt_addr[0], &mut common, no_picture).0, INVALID_PARAMS, "two pieces");
    assert_eq!(ask(block.virt_addr, no_block, no_picture).0, INVALID_PARAMS, "no place");
    for fd in [block.fd, whole.fd[0], apart.fd[0]] {
        assert_eq!(free(fd), 0);
    }
}

#[test]
fn counts_are_told_and_changed_by_address_as_by_descriptor() {
    let module = Module::open();
    let mut made = alloc(4096, READ);
    let (address, mut count) = (made.virt_addr + 9, -1);
    let mine = import(&made).unwrap();
    assert_eq!(call!(hb_mem_get_share_info_with_vaddr(address, &mut count)), 0);
    assert_eq!(count, 2);
    let wait = |target, ms| call!(hb_mem_wait_share_status_with_vaddr(address, target, ms));
    assert_eq!([wait(2, 0), wait(1, 0), wait(1, 5)], [0, WAIT_SHARE_FAILURE, TIMEOUT]);
    assert_eq!(wait(-1, 0), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_inc_com_buf_consume_cnt(&mut made)), 0);
    assert_eq!(call!(hb_mem_get_consume_info_with_vaddr(address, &mut count)), 0);
    assert_eq!(count, 1);
    let wait = |target| call!(hb_mem_wait_consume_status_with_vaddr(address, target, 0));
    assert_eq!([wait(1), wait(0)], [0, WAIT_SHARE_FAILURE]);
    assert_eq!(call!(hb_mem_dec_consume_cnt_with_vaddr(address)), 0);
    assert_eq!(module.0.counts(made.share_id), (2, 0));
    let (mut pids, mut found) = ([0; 16], 0);
    let code = call!(hb_mem_get_buffer_process_info(address, pids.as_mut_ptr(), 16, &mut found));
    assert_eq!((code, found, pids[0]), (0, 1, std::process::id() as i32), "one process, twice");
    assert_eq!(call!(hb_mem_inc_user_consume_cnt_with_vaddr(address)), 0);
    assert_eq!(call!(hb_mem_dec_user_consume_cnt_with_vaddr(address)), 0);
    assert_eq!(clients(made.fd), 2, "one free is left");
    assert_eq!([free(mine.fd), free(made.fd)], [0, 0]);
    assert_eq!(call!(hb_mem_inc_user_consume_cnt_with_vaddr(address)), INVALID_VADDR);
}

#[test]
fn hardware_copies_past_the_caches_and_within_buffers() {
    let _module = Module::open();
    let [from, to] = [alloc(8192, READ | WRITE | CACHED), alloc(8192, READ | WRITE | CACHED)];
    let copy = |to, from, size| call!(hb_mem_dma_copy(to, from, size));
    put(from.virt_addr + 5, 7);
    assert_eq!(call!(hb_mem_flush_buf(from.fd, 0, 8192)), 0);
    assert_eq!(copy(to.virt_addr + 4099, from.virt_addr + 5, 4000), 0);
    assert_eq!(byte(to.virt_addr + 4099), 0, "stale");
    assert_eq!(call!(hb_mem_invalidate_buf(to.fd, 0, 8192)), 0);
    assert_eq!([4098, 4099, 4100].map(|at| byte(to.virt_addr + at)), [0, 7, 0]);
    let mut own = [0u8; 3];
    let place = own.as_mut_ptr() as u64;
    assert_eq!(copy(place, to.virt_addr + 4098, 3), 0, "the processor copies");
    assert_eq!([0, 1, 2].map(|at| byte(place + at)), [0, 7, 0]);
    let (a, b) = (to.virt_addr, from.virt_addr);
    for (to, from, size) in [(0, b, 1), (a, 0, 1), (a, b, 0), (a, b, 8193), (a + 1, b, 8192)] {
        assert_eq!(copy(to, from, size), INVALID_PARAMS);
    }
    assert_eq!([free(from.fd), free(to.fd)], [0, 0]);
    drop(_module);
    let _board = board();
    assert_eq!(copy(place, place, 1), MODULE_NOT_FOUND);
}
