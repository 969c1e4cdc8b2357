//! The rules of libhbmem, asked of the library itself: on this machine of the stand-in.
//!
//! Numbers are those of the vendor's interface as it is documented, not our constants.
#![allow(unsafe_code, reason = "the library without our owners in between")]

mod common;

use common::{Board, board, entry, from_text, hear, say, to_text};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, Hbmem};
use std::sync::OnceLock;

const INVALID_PARAMS: i32 = -16_777_214;
const INVALID_FD: i32 = -16_777_213;
const INVALID_VADDR: i32 = -16_777_212;
const TOO_MANY_FD: i32 = -16_777_210;
const TIMEOUT: i32 = -16_777_209;
const MODULE_NOT_FOUND: i32 = -16_777_208;
const WAIT_SHARE_FAILURE: i32 = -16_777_198;

const READ: i64 = 0x1;
const WRITE: i64 = 0x10;
const CACHED: i64 = 0x400_0000;
const CONTIGUOUS: i64 = 0x800_0000;
const NV12: i32 = 8;

/// Calls a function of the library.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {{
        let function = library().$function().unwrap();
        // SAFETY: each pointer is a reference to a place that lives during the call.
        unsafe { function($($argument),*) }
    }};
}

#[path = "rules/addresses.rs"]
mod addresses;
#[path = "rules/groups.rs"]
mod groups;
#[path = "rules/pools.rs"]
mod pools;
#[path = "rules/queues.rs"]
mod queues;

fn library() -> &'static Hbmem {
    static LIBRARY: OnceLock<Hbmem> = OnceLock::new();
    LIBRARY.get_or_init(|| Hbmem::open(Some(&common::folder())).unwrap())
}

/// The board with the module open; closed at the end.
struct Module(Board);

impl Module {
    fn open() -> Self {
        let board = board();
        assert_eq!(call!(hb_mem_module_open()), 0);
        Module(board)
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        assert_eq!(call!(hb_mem_module_close()), 0);
    }
}

fn alloc(bytes: u64, flags: i64) -> CommonBuf {
    let mut made = CommonBuf::ZERO;
    assert_eq!(call!(hb_mem_alloc_com_buf(bytes, flags, &mut made)), 0);
    made
}

fn alloc_nv12(flags: i64) -> GraphicBuf {
    let mut made = GraphicBuf::ZERO;
    assert_eq!(call!(hb_mem_alloc_graph_buf(64, 32, NV12, flags, 0, 0, &mut made)), 0);
    made
}

fn import(from: &CommonBuf) -> Result<CommonBuf, i32> {
    let (mut asked, mut made) = (*from, CommonBuf::ZERO);
    match call!(hb_mem_import_com_buf(&mut asked, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

fn import_picture(from: &GraphicBuf) -> Result<GraphicBuf, i32> {
    let (mut asked, mut made) = (*from, GraphicBuf::ZERO);
    match call!(hb_mem_import_graph_buf(&mut asked, &mut made)) {
        0 => Ok(made),
        code => Err(code),
    }
}

fn free(fd: i32) -> i32 {
    call!(hb_mem_free_buf(fd))
}

fn clients(fd: i32) -> i32 {
    let mut count = -1;
    assert_eq!(call!(hb_mem_get_share_info(fd, &mut count)), 0);
    count
}

fn byte(address: u64) -> u8 {
    // SAFETY: callers pass an address of a buffer they have not freed.
    unsafe { (address as *const u8).read_volatile() }
}

fn put(address: u64, value: u8) {
    // SAFETY: as for reading, of a mapping that can be written.
    unsafe { (address as *mut u8).write_volatile(value) }
}

#[test]
fn child_entry() {
    entry(&[("holder", holder), ("owner", owner), ("starved", starved), ("group", groups::owner)]);
}

/// Imports what it is told of, uses it, and waits to be killed.
fn holder() {
    assert_eq!(call!(hb_mem_module_open()), 0);
    let mut made = import(&from_text(&hear().unwrap())).unwrap();
    assert_eq!(call!(hb_mem_inc_com_buf_consume_cnt(&mut made)), 0);
    say(made.share_id);
    hear();
}

/// Allocates, and waits to be killed.
fn owner() {
    assert_eq!(call!(hb_mem_module_open()), 0);
    let made = alloc(4096, READ | WRITE);
    put(made.virt_addr, 77);
    say(to_text(&made));
    hear();
}

/// Has no descriptor left.
fn starved() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    assert_eq!(call!(hb_mem_module_open()), 0);
    let made = alloc(4096, READ | WRITE);
    let now = getrlimit(Resource::Nofile);
    let none = Rlimit { current: Some(made.fd as u64 + 1), maximum: now.maximum };
    setrlimit(Resource::Nofile, none).unwrap();
    let mut more = CommonBuf::ZERO;
    assert_eq!(call!(hb_mem_alloc_com_buf(4096, READ, &mut more)), TOO_MANY_FD);
    assert_eq!(import(&made), Err(TOO_MANY_FD));
    let one = Rlimit { current: Some(made.fd as u64 + 2), maximum: now.maximum };
    setrlimit(Resource::Nofile, one).unwrap();
    let mut picture = GraphicBuf::ZERO;
    let code = call!(hb_mem_alloc_graph_buf(64, 32, NV12, READ, 0, 0, &mut picture));
    assert_eq!(code, TOO_MANY_FD, "a descriptor for one of two planes");
    setrlimit(Resource::Nofile, now).unwrap();
    say(clients(made.fd));
    hear();
    assert_eq!(free(import(&made).unwrap().fd), 0);
    say("done");
}

#[test]
fn nothing_works_before_the_module_is_open_and_arguments_are_checked_first() {
    let _board = board();
    let mut made = CommonBuf::ZERO;
    assert_eq!(call!(hb_mem_alloc_com_buf(4096, READ, &mut made)), MODULE_NOT_FOUND);
    assert_eq!(call!(hb_mem_alloc_com_buf(0, READ, &mut made)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_alloc_com_buf(1, READ, std::ptr::null_mut())), INVALID_PARAMS);
    assert_eq!(import(&made), Err(INVALID_PARAMS), "before the module is looked at");
    let plausible = CommonBuf { share_id: 1, size: 1, phys_addr: 4096, flags: READ, ..made };
    assert_eq!(import(&plausible), Err(MODULE_NOT_FOUND));
    assert_eq!(free(-1), INVALID_PARAMS);
    assert_eq!(free(3), MODULE_NOT_FOUND);
    assert_eq!(call!(hb_mem_module_close()), MODULE_NOT_FOUND);
}

#[test]
fn opens_are_counted_and_the_last_close_frees_everything() {
    let board = board();
    assert_eq!([call!(hb_mem_module_open()), call!(hb_mem_module_open())], [0, 0]);
    let made = alloc(4096, READ);
    assert_eq!(call!(hb_mem_module_close()), 0);
    assert_eq!(clients(made.fd), 1, "still open");
    assert_eq!(call!(hb_mem_module_close()), 0);
    assert!(board.ids().is_empty());
}

#[test]
fn ids_start_at_one_and_the_lowest_free_is_given_again_at_once() {
    let module = Module::open();
    let [a, b, c] = [alloc(5000, READ), alloc(4096, READ), alloc(4096, READ)];
    assert_eq!([a.share_id, b.share_id, c.share_id], [1, 2, 3]);
    assert_eq!((a.size, a.offset), (5000, 0), "the size asked for stays");
    assert_eq!(a.phys_addr % 4096, 0);
    assert_eq!(free(b.fd), 0);
    let again = alloc(4096, READ);
    assert_eq!(again.share_id, 2);
    assert_ne!(again.phys_addr, b.phys_addr);
    assert_eq!(import(&b), Err(INVALID_PARAMS), "the id names another buffer now");
    for fd in [a.fd, again.fd, c.fd] {
        assert_eq!(free(fd), 0);
    }
    assert!(module.0.ids().is_empty());
}

#[test]
fn an_import_must_know_address_size_and_flags() {
    let _module = Module::open();
    let made = alloc(8192, READ | WRITE | CACHED);
    for (what, wrong) in [
        ("by id alone", CommonBuf { phys_addr: 0, flags: 0, ..made }),
        ("without flags", CommonBuf { flags: 0, ..made }),
        ("uncached", CommonBuf { flags: READ | WRITE, ..made }),
        ("zeroed", CommonBuf { flags: made.flags | 0x100_0000, ..made }),
        ("id 0", CommonBuf { share_id: 0, ..made }),
        ("an id that is not", CommonBuf { share_id: 9, ..made }),
        ("no size", CommonBuf { size: 0, ..made }),
        ("too large", CommonBuf { size: 8193, ..made }),
        ("another address", CommonBuf { phys_addr: made.phys_addr - 4096, ..made }),
        ("the offset outside", CommonBuf { offset: 8192, ..made }),
    ] {
        assert_eq!(import(&wrong), Err(INVALID_PARAMS), "{what}");
    }
    assert_eq!(clients(made.fd), 1, "what failed holds nothing");
    let part = CommonBuf { phys_addr: made.phys_addr + 4096, size: 4096, ..made };
    let part = import(&CommonBuf { fd: 12345, virt_addr: 1, ..part }).unwrap();
    assert_eq!((part.share_id, part.size), (made.share_id, 4096), "part of it is allowed");
    assert_eq!(clients(made.fd), 2, "also in the same process");
    let pools = import(&CommonBuf { flags: made.flags | 0x3000_0000, ..made }).unwrap();
    assert_ne!(pools.fd, made.fd);
    assert_ne!(pools.virt_addr, made.virt_addr, "a mapping of its own");
    for fd in [part.fd, pools.fd, made.fd] {
        assert_eq!(free(fd), 0);
    }
}

#[test]
fn a_picture_must_be_described_exactly() {
    let _module = Module::open();
    let made = alloc_nv12(READ | WRITE | CONTIGUOUS);
    assert_eq!((made.is_contig, made.plane_cnt), (1, 2));
    assert_eq!((made.share_id, made.fd[1..].to_vec()), ([1, 0, 0], vec![-1, -1]));
    assert_eq!(made.size, [2048, 1024, 0]);
    assert_eq!(made.virt_addr[1], made.virt_addr[0] + 2048);
    assert_eq!(made.phys_addr[1], made.phys_addr[0] + 2048);
    for (what, wrong) in [
        ("no width", GraphicBuf { width: 0, ..made }),
        ("another width", GraphicBuf { width: 62, ..made }),
        ("the stride below the width", GraphicBuf { stride: 63, ..made }),
        ("another stride", GraphicBuf { stride: 128, ..made }),
        ("one plane", GraphicBuf { plane_cnt: 1, ..made }),
        ("three planes", GraphicBuf { plane_cnt: 3, ..made }),
        ("not contiguous", GraphicBuf { is_contig: 0, ..made }),
        ("contiguous twice", GraphicBuf { is_contig: 2, ..made }),
        ("no id", GraphicBuf { share_id: [0; 3], ..made }),
        ("a size of a page", GraphicBuf { size: [4096, 1024, 0], ..made }),
        ("no second size", GraphicBuf { size: [2048, 0, 0], ..made }),
        ("no second address", GraphicBuf { phys_addr: [made.phys_addr[0], 0, 0], ..made }),
        ("the planes apart", GraphicBuf { phys_addr: [made.phys_addr[0]; 3], ..made }),
        ("an offset outside", GraphicBuf { offset: [0, 1024, 0], ..made }),
        ("an unknown format", GraphicBuf { format: 30, ..made }),
        ("cached", GraphicBuf { flags: made.flags | CACHED, ..made }),
    ] {
        assert_eq!(import_picture(&wrong), Err(INVALID_PARAMS), "{what}");
    }
    let mine = import_picture(&GraphicBuf { fd: [7; 3], virt_addr: [1; 3], ..made }).unwrap();
    assert_eq!((mine.share_id, mine.size), (made.share_id, made.size));
    assert_eq!(
        (mine.fd[1..].to_vec(), mine.virt_addr[1]),
        (vec![-1, -1], mine.virt_addr[0] + 2048)
    );
    assert_eq!([free(mine.fd[0]), free(made.fd[0])], [0, 0]);
}

#[test]
fn any_plane_frees_the_whole_picture_once() {
    let module = Module::open();
    let made = alloc_nv12(READ | WRITE);
    assert_eq!((made.is_contig, made.share_id), (0, [1, 2, 0]), "a buffer for each plane");
    let mine = import_picture(&made).unwrap();
    assert_eq!(free(mine.fd[1]), 0);
    assert_eq!(free(mine.fd[0]), INVALID_FD, "freed already");
    assert_eq!(module.0.ids(), [1, 2], "the owner's are still there");
    assert_eq!(call!(hb_mem_free_buf_with_vaddr(0)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_free_buf_with_vaddr(4096)), INVALID_VADDR);
    assert_eq!(call!(hb_mem_free_buf_with_vaddr(made.virt_addr[1] + 5)), 0, "any address inside");
}

#[test]
fn a_second_user_of_the_process_needs_a_second_free() {
    let _module = Module::open();
    let made = alloc(4096, READ);
    assert_eq!(call!(hb_mem_inc_user_consume_cnt(made.fd)), 0);
    assert_eq!([free(made.fd), clients(made.fd), free(made.fd)], [0, 1, 0]);
    assert_eq!(free(made.fd), INVALID_FD);
}

#[test]
fn look_ups_find_what_an_address_or_a_descriptor_belongs_to() {
    let _module = Module::open();
    let made = alloc(4096, READ | WRITE);
    let mut found = CommonBuf::ZERO;
    assert_eq!(call!(hb_mem_get_com_buf_with_vaddr(made.virt_addr + 9, &mut found)), 0);
    assert_eq!(found, made);
    assert_eq!(call!(hb_mem_get_com_buf(made.fd, &mut found)), 0);
    let mut picture = GraphicBuf::ZERO;
    assert_eq!(call!(hb_mem_get_graph_buf(made.fd, &mut picture)), INVALID_FD);
    let mut phys = 0;
    assert_eq!(call!(hb_mem_get_phys_addr(made.virt_addr + 9, &mut phys)), 0);
    assert_eq!(phys, made.phys_addr + 9);
    let mut valid = -1;
    assert_eq!(call!(hb_mem_is_valid_buf(made.virt_addr, 4097, &mut valid)), 0);
    assert_eq!(valid, 0);
    assert_eq!(free(made.fd), 0);
}

/// The text of the mapping an address lies in: its rights.
fn rights(address: u64) -> String {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.starts_with(&format!("{address:x}-")));
    line.unwrap().split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn the_rights_of_a_mapping_are_those_asked_for_at_import() {
    let _module = Module::open();
    for cache in [0, CACHED] {
        let made = alloc(4096, READ | WRITE | cache);
        assert_eq!(rights(made.virt_addr), "rw-s");
        for (flags, wanted) in [(READ, "r--s"), (0, "---s"), (READ | WRITE, "rw-s")] {
            let mine = import(&CommonBuf { flags: flags | cache, ..made }).unwrap();
            assert_eq!(rights(mine.virt_addr), wanted);
            assert_eq!(free(mine.fd), 0);
        }
        assert_eq!(free(made.fd), 0);
    }
}

#[test]
fn without_invalidate_the_processor_sees_stale_bytes() {
    let module = Module::open();
    let made = alloc(8192, READ | WRITE | CACHED);
    let mine = import(&CommonBuf { flags: READ | CACHED, ..made }).unwrap();
    module.0.place.ion().hardware_writes(made.share_id, 4096, &[9]).unwrap();
    assert_eq!(byte(mine.virt_addr + 4096), 0, "stale");
    assert_eq!(call!(hb_mem_invalidate_buf(mine.fd, 0, 4096)), 0);
    assert_eq!(byte(mine.virt_addr + 4096), 0, "another range");
    assert_eq!(call!(hb_mem_invalidate_buf_with_vaddr(mine.virt_addr + 4096, 1)), 0);
    assert_eq!(byte(mine.virt_addr + 4096), 9);
    put(made.virt_addr, 5);
    assert_eq!(call!(hb_mem_invalidate_buf(mine.fd, 0, 8192)), 0);
    assert_eq!(byte(mine.virt_addr), 0, "not written back yet");
    assert_eq!(call!(hb_mem_flush_buf(made.fd, 0, 1)), 0);
    assert_eq!(call!(hb_mem_invalidate_buf(mine.fd, 0, 8192)), 0);
    assert_eq!(byte(mine.virt_addr), 5);
    assert_eq!(call!(hb_mem_invalidate_buf(mine.fd, 4096, 4097)), INVALID_PARAMS, "too far");
    assert_eq!(call!(hb_mem_invalidate_buf(-1, 0, 1)), INVALID_PARAMS);
    assert_eq!(call!(hb_mem_invalidate_buf(12345, 0, 1)), INVALID_FD);
    let plain = alloc(4096, READ | WRITE);
    module.0.place.ion().hardware_writes(plain.share_id, 0, &[7]).unwrap();
    assert_eq!(byte(plain.virt_addr), 7, "an uncached mapping sees it at once");
    assert_eq!(call!(hb_mem_invalidate_buf(plain.fd, 0, 4096)), 0, "does nothing");
    for fd in [mine.fd, plain.fd, made.fd] {
        assert_eq!(free(fd), 0);
    }
}

#[test]
fn waiting_for_holders_ends_at_the_count_or_the_time() {
    let _module = Module::open();
    let made = alloc(4096, READ);
    let mine = import(&made).unwrap();
    assert_eq!(call!(hb_mem_wait_share_status(made.fd, 2, 0)), 0);
    assert_eq!(call!(hb_mem_wait_share_status(made.fd, 1, 0)), WAIT_SHARE_FAILURE);
    assert_eq!(call!(hb_mem_wait_share_status(made.fd, 1, 5)), TIMEOUT);
    assert_eq!(call!(hb_mem_wait_share_status(made.fd, -1, 5)), INVALID_PARAMS);
    let (fd, waited) = (made.fd, std::sync::mpsc::channel());
    std::thread::spawn(move || waited.0.send(call!(hb_mem_wait_share_status(fd, 1, -1))));
    assert_eq!(free(mine.fd), 0);
    assert_eq!(waited.1.recv_timeout(common::DEADLINE), Ok(0));
    assert_eq!(free(made.fd), 0);
}

#[test]
fn what_a_dead_process_held_and_used_is_dropped() {
    let module = Module::open();
    let made = alloc(4096, READ | WRITE);
    let mut role = module.0.start("holder");
    role.say(&to_text(&made));
    role.line();
    assert_eq!(module.0.counts(made.share_id), (2, 1));
    let (mut pids, mut count) = ([0; 16], 0);
    let id = made.share_id;
    let code =
        call!(hb_mem_get_buffer_process_info_with_share_id(id, pids.as_mut_ptr(), 16, &mut count));
    let mut told = pids[..count as usize].to_vec();
    told.sort_unstable();
    let mut known = [std::process::id() as i32, role.pid() as i32];
    known.sort_unstable();
    assert_eq!((code, told), (0, known.to_vec()));
    assert_eq!(call!(hb_mem_wait_consume_status(made.fd, 0, 0)), WAIT_SHARE_FAILURE);
    role.kill();
    assert_eq!(call!(hb_mem_wait_consume_status(made.fd, 0, 0)), 0);
    assert_eq!(clients(made.fd), 1);
    assert_eq!(free(made.fd), 0);
}

#[test]
fn memory_outlives_its_owner_for_whoever_has_it() {
    let module = Module::open();
    let mut role = module.0.start("owner");
    let theirs: CommonBuf = from_text(&role.line());
    let mine = import(&theirs).unwrap();
    role.kill();
    assert_eq!(byte(mine.virt_addr), 77, "the last content");
    let more = import(&theirs).unwrap();
    assert_eq!([free(mine.fd), free(more.fd)], [0, 0]);
    assert_eq!(import(&theirs), Err(INVALID_PARAMS), "the last holder is gone");
    let next = alloc(4096, READ | WRITE);
    assert_eq!(next.share_id, theirs.share_id, "and its id is given to the next");
    assert_eq!(free(next.fd), 0);
}

#[test]
fn a_process_without_descriptors_is_told_so() {
    let board = board();
    let mut role = board.start("starved");
    assert_eq!(role.line(), "1", "what failed holds nothing");
    assert_eq!(board.ids(), [1], "and no plane is left of a picture");
    role.say("go on");
    assert_eq!(role.line(), "done");
    role.ends_well();
}
