//! The same rules through the binding: what goes wrong is an error in words, what goes well is
//! given back once.

mod common;

use common::{board, entry, from_text, hear, say, to_text};
use framelane::ErrorKind;
use framelane_hobot::{CommonBuf, Format, GraphicBuf, Memory, Picture, usage};
use framelane_standin_ion::Fault;
use std::time::Duration;

const READ: i64 = usage::CPU_READ_OFTEN;
const BOTH: i64 = READ | usage::CPU_WRITE_OFTEN;
const INVALID_PARAMS: i32 = -16_777_214;

fn memory() -> Memory {
    Memory::open(Some(&common::folder())).unwrap()
}

fn nv12(flags: i64) -> Picture {
    Picture { width: 64, height: 32, format: Format::NV12, flags, stride: 0, vstride: 0 }
}

fn refused<T>(result: framelane_hobot::Result<T>) -> framelane_hobot::Error {
    result.err().expect("an error")
}

#[test]
fn child_entry() {
    entry(&[("holder", holder)]);
}

/// Holds a picture until it is told to let go.
fn holder() {
    let memory = memory();
    let picture = memory.import_graphic(&from_text(&hear().unwrap())).unwrap();
    say(picture.clients().unwrap());
    hear();
    drop(picture);
    say("let go");
    hear();
}

#[test]
fn a_missing_library_is_named_with_the_reason() {
    let nowhere = tempfile::tempdir().unwrap();
    let error = refused(Memory::open(Some(nowhere.path())));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(text.starts_with("libhbmem.so.1 cannot be loaded: "), "{text}");
    assert!(text.contains("No such file"), "{text}");
}

#[test]
fn the_stand_ins_have_every_function_that_is_bound() {
    let _board = board();
    for library in framelane_hobot::survey(Some(&common::folder())) {
        assert_eq!(library.missing.unwrap(), Vec::<&str>::new(), "{}", library.name);
    }
    let version = framelane_hobot::try_memory(Some(&common::folder())).unwrap();
    assert_eq!(version, (1, 0, 0));
    let nowhere = tempfile::tempdir().unwrap();
    for library in framelane_hobot::survey(Some(nowhere.path())) {
        let text = refused(library.missing).to_string();
        assert!(text.starts_with(&format!("{} cannot be loaded", library.name)), "{text}");
    }
}

#[test]
fn every_buffer_keeps_the_module_open_and_is_freed_once() {
    let board = board();
    let memory = memory();
    assert_eq!(memory.version().unwrap(), (1, 0, 0));
    let block = memory.alloc_common(100, BOTH).unwrap();
    let picture = memory.alloc_graphic(&nv12(BOTH)).unwrap();
    drop(memory);
    assert_eq!((block.clients().unwrap(), picture.clients().unwrap()), (1, 1));
    assert_eq!(board.ids(), [1, 2, 3]);
    drop(picture);
    assert_eq!(board.ids(), [1], "both planes at once");
    drop(block);
    let again = Memory::open(Some(board.place.folder())).unwrap();
    assert_eq!(refused(again.alloc_common(0, BOTH)).code(), Some(INVALID_PARAMS));
}

#[test]
fn an_exported_description_is_all_another_process_needs() {
    let board = board();
    let memory = memory();
    let flags = BOTH | usage::CACHED | usage::GRAPHIC_CONTIGUOUS;
    let picture = memory.alloc_graphic(&nv12(flags)).unwrap();
    let sent = picture.export();
    assert_eq!((sent.fd, sent.virt_addr), ([-1; 3], [0; 3]), "nothing of this process in it");
    let mut role = board.start("holder");
    role.say(&to_text(&sent));
    assert_eq!(role.line(), "2");
    assert_eq!(picture.clients().unwrap(), 2);
    let holders = memory.holders(sent.share_id[0]).unwrap();
    assert!(holders.contains(&(role.pid() as i32)), "{holders:?}");
    let slow = refused(picture.wait_for_clients(1, Duration::from_millis(5)));
    assert_eq!((slow.kind(), slow.is_transient()), (ErrorKind::TimedOut, true));
    role.say("enough");
    assert_eq!(role.line(), "let go");
    picture.wait_for_clients(1, common::DEADLINE).unwrap();
    role.ends_well();
}

#[test]
fn what_a_dead_holder_held_comes_back() {
    let board = board();
    let picture = memory().alloc_graphic(&nv12(BOTH)).unwrap();
    let mut role = board.start("holder");
    role.say(&to_text(&picture.export()));
    role.line();
    role.kill();
    picture.wait_for_clients(1, common::DEADLINE).unwrap();
}

#[test]
fn an_import_that_does_not_know_the_buffer_is_refused_in_the_vendors_words() {
    let _board = board();
    let memory = memory();
    let picture = memory.alloc_graphic(&nv12(BOTH | usage::CACHED)).unwrap();
    let sent = picture.export();
    let by_id = GraphicBuf { share_id: sent.share_id, ..GraphicBuf::ZERO };
    let error = refused(memory.import_graphic(&by_id));
    assert_eq!(error.to_string(), "hb_mem_import_graph_buf: INVALID_PARAMS (-16777214)");
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let block = memory.alloc_common(4096, BOTH).unwrap();
    let uncached = CommonBuf { flags: READ | usage::CACHED, ..block.export() };
    let error = refused(memory.import_common(&uncached));
    assert_eq!(error.to_string(), "hb_mem_import_com_buf: INVALID_PARAMS (-16777214)");
    drop(picture);
    let other = memory.alloc_graphic(&nv12(BOTH | usage::CACHED)).unwrap();
    assert_eq!(other.raw().share_id, sent.share_id, "the ids are given again");
    assert_eq!(refused(memory.import_graphic(&sent)).code(), Some(INVALID_PARAMS));
}

#[test]
fn caches_are_maintained_only_where_there_are_any() {
    let board = board();
    let memory = memory();
    let plain = memory.alloc_common(4096, BOTH).unwrap();
    let cached = memory.alloc_common(4096, BOTH | usage::CACHED).unwrap();
    let fault = |function: &str| Fault::of(function, INVALID_PARAMS);
    board.place.ion().plan(fault("hb_mem_invalidate_buf_with_vaddr")).unwrap();
    board.place.ion().plan(fault("hb_mem_flush_buf_with_vaddr")).unwrap();
    plain.invalidate().unwrap();
    plain.flush().unwrap();
    assert_eq!(refused(cached.invalidate()).code(), Some(INVALID_PARAMS));
    assert_eq!(refused(cached.flush()).code(), Some(INVALID_PARAMS));
    cached.invalidate().unwrap();
}

#[test]
fn faults_of_the_library_arrive_as_what_they_are() {
    let board = board();
    let ion = board.place.ion();
    for (code, kind, words) in [
        (-16_777_210, ErrorKind::TooMany, "TOO_MANY_FD"),
        (-16_777_211, ErrorKind::OutOfMemory, "INSUFFICIENT_MEM"),
        (-16_777_208, ErrorKind::System, "MODULE_NOT_FOUND"),
        (-16_777_197, ErrorKind::PermissionDenied, "NOT_ALLOW"),
    ] {
        let memory = memory();
        ion.plan(Fault::of("hb_mem_alloc_com_buf", code).after(1)).unwrap();
        let block = memory.alloc_common(4096, BOTH).unwrap();
        let error = refused(memory.alloc_common(4096, BOTH));
        assert_eq!((error.kind(), error.code()), (kind, Some(code)));
        assert!(error.to_string().contains(words), "{error}");
        drop(block);
    }
    ion.plan(Fault::of("hb_mem_module_open", -16_777_196)).unwrap();
    let error = refused(Memory::open(Some(board.place.folder())));
    assert_eq!(error.to_string(), "hb_mem_module_open: CHECK_VER_FAIL (-16777196)");
}
