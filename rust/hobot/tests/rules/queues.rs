//! Queues between the threads of one process.

use super::*;
use framelane_hobot_sys::BufQueue;
use std::ffi::c_void;

const NOT_FOUND: i32 = -16_777_206;
const DESTROYED: i32 = -16_777_205;
const WRONG_SLOT: i32 = -16_777_204;
const NO_SLOT: i32 = -16_777_203;
const EXISTS: i32 = -16_777_202;

fn queue(count: u32, item_size: u32) -> Result<BufQueue, i32> {
    let mut asked = BufQueue { unique_id: 0, count, item_size };
    match call!(hb_mem_create_buf_queue(&mut asked)) {
        0 => Ok(asked),
        code => Err(code),
    }
}

fn any(item: &mut u64) -> *mut c_void {
    std::ptr::from_mut(item).cast()
}

/// A slot to fill and what it carried.
fn dequeue(queue: &BufQueue, ms: i64) -> Result<(i32, u64), i32> {
    let (mut slot, mut item) = (-1, u64::MAX);
    match call!(hb_mem_dequeue_buf(&mut { *queue }, &mut slot, any(&mut item), ms)) {
        0 => Ok((slot, item)),
        code => Err(code),
    }
}

/// A slot to read and what it carries.
fn request(queue: &BufQueue, ms: i64) -> Result<(i32, u64), i32> {
    let (mut slot, mut item) = (-1, u64::MAX);
    match call!(hb_mem_request_buf(&mut { *queue }, &mut slot, any(&mut item), ms)) {
        0 => Ok((slot, item)),
        code => Err(code),
    }
}

fn hand_on(queue: &BufQueue, slot: i32, mut item: u64) -> i32 {
    call!(hb_mem_queue_buf(&mut { *queue }, slot, any(&mut item).cast_const()))
}

fn release(queue: &BufQueue, slot: i32) -> i32 {
    call!(hb_mem_release_buf(&mut { *queue }, slot))
}

fn cancel(queue: &BufQueue, slot: i32) -> i32 {
    call!(hb_mem_cancel_buf(&mut { *queue }, slot))
}

fn destroy(queue: &BufQueue) -> i32 {
    call!(hb_mem_destroy_buf_queue(&mut { *queue }))
}

#[test]
fn slots_go_round_in_order_with_what_they_carry() {
    let _module = Module::open();
    let queue = queue(2, 8).unwrap();
    let [(a, _), (b, _)] = [dequeue(&queue, 0).unwrap(), dequeue(&queue, 0).unwrap()];
    assert_ne!(a, b);
    assert_eq!(dequeue(&queue, 0), Err(NO_SLOT));
    assert_eq!(dequeue(&queue, 5), Err(TIMEOUT));
    assert_eq!(request(&queue, 0), Err(NO_SLOT), "nothing is filled");
    assert_eq!([hand_on(&queue, b, 22), hand_on(&queue, a, 11)], [0, 0]);
    assert_eq!(request(&queue, 0), Ok((b, 22)), "the oldest");
    assert_eq!(dequeue(&queue, 0), Err(NO_SLOT), "it is being read");
    assert_eq!(release(&queue, b), 0);
    assert_eq!(dequeue(&queue, 0), Ok((b, 22)), "with what it carried last");
    assert_eq!(cancel(&queue, b), 0);
    assert_eq!(request(&queue, 0), Ok((a, 11)));
    assert_eq!(request(&queue, 0), Err(NO_SLOT), "what was cancelled does not come");
    assert_eq!(destroy(&queue), 0);
}

#[test]
fn a_slot_moves_only_from_where_it_is() {
    let _module = Module::open();
    let queue = queue(1, 8).unwrap();
    let moves = || [hand_on(&queue, 0, 1), release(&queue, 0), cancel(&queue, 0)];
    assert_eq!(moves(), [WRONG_SLOT; 3], "free");
    assert_eq!(dequeue(&queue, 0).unwrap().0, 0);
    assert_eq!(release(&queue, 0), WRONG_SLOT, "being filled");
    assert_eq!(hand_on(&queue, 0, 1), 0);
    assert_eq!(moves(), [WRONG_SLOT; 3], "queued");
    assert_eq!(request(&queue, 0), Ok((0, 1)));
    assert_eq!(hand_on(&queue, 0, 1), WRONG_SLOT, "being read");
    assert_eq!((cancel(&queue, 0), request(&queue, 0)), (0, Ok((0, 1))), "it comes again");
    assert_eq!(release(&queue, 0), 0);
    assert_eq!([release(&queue, 1), release(&queue, -1)], [WRONG_SLOT, INVALID_PARAMS]);
    assert_eq!(destroy(&queue), 0);
}

#[test]
fn who_waits_is_woken_by_a_slot_and_by_the_end() {
    let _module = Module::open();
    let queue = queue(1, 8).unwrap();
    let (sender, woken) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for _ in 0..2 {
            sender.send(request(&queue, -1)).unwrap();
        }
    });
    let slot = dequeue(&queue, 0).unwrap().0;
    assert_eq!(hand_on(&queue, slot, 5), 0);
    assert_eq!(woken.recv_timeout(common::DEADLINE), Ok(Ok((slot, 5))));
    // Whether it waits already or not yet: the second comes too late to find the queue.
    assert!(woken.recv_timeout(std::time::Duration::from_millis(50)).is_err());
    assert_eq!(destroy(&queue), 0);
    let end = woken.recv_timeout(common::DEADLINE).unwrap();
    assert!([Err(DESTROYED), Err(NOT_FOUND)].contains(&end), "{end:?}");
}

#[test]
fn a_queue_is_made_once_and_ends_with_the_module() {
    let module = Module::open();
    for (count, item_size) in [(0, 8), (1, 0)] {
        assert_eq!(queue(count, item_size).err(), Some(INVALID_PARAMS));
    }
    let mut made = queue(1, 8).unwrap();
    let other = queue(1, 8).unwrap();
    assert_ne!(made.unique_id, other.unique_id);
    assert_eq!(call!(hb_mem_create_buf_queue(&mut made)), EXISTS);
    assert_eq!([destroy(&other), destroy(&other)], [0, NOT_FOUND]);
    assert_eq!(request(&other, -1), Err(NOT_FOUND));
    let mut slot = 0;
    let code = call!(hb_mem_request_buf(&mut made, &mut slot, std::ptr::null_mut(), 0));
    assert_eq!(code, INVALID_PARAMS);
    assert_eq!(call!(hb_mem_create_buf_queue(std::ptr::null_mut())), INVALID_PARAMS);
    drop(module);
    {
        let _board = board();
        assert_eq!(request(&made, -1), Err(MODULE_NOT_FOUND));
    }
    let _module = Module::open();
    assert_eq!(request(&made, -1), Err(NOT_FOUND), "it ended with the last close");
}
