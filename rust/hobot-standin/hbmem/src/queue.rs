//! Queues between the threads of one process: slots that go round with a few bytes each.
//!
//! The order of a slot's states is the vendor's, and times are in ms. Assumed are that 0 does not
//! wait and less than 0 has no end, as for the library's other waits, that ids are the library's to
//! give, and that a request that is cancelled comes again first.

use crate::entry::{Answer, enter, give, place, read};
use crate::module::module;
use framelane_hobot_sys::BufQueue;
use framelane_hobot_sys::hb_mem::{
    INVALID_PARAMS, QUEUE_ALREADY_EXIST, QUEUE_DESTROYED, QUEUE_NO_AVAILABLE_SLOT, QUEUE_NOT_FOUND,
    QUEUE_WRONG_SLOT, TIMEOUT,
};
use std::collections::{BTreeMap, VecDeque};
use std::ffi::c_void;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq)]
enum At {
    Free,
    /// Being filled.
    Dequeued,
    Queued,
    /// Being read.
    Requested,
}

struct Slot {
    at: At,
    item: Vec<u8>,
}

struct Queue {
    slots: Vec<Slot>,
    /// Those that are queued, the oldest first.
    order: VecDeque<usize>,
}

struct Queues {
    last_id: u64,
    all: BTreeMap<u64, Queue>,
}

static QUEUES: Mutex<Queues> = Mutex::new(Queues { last_id: 0, all: BTreeMap::new() });
static NEWS: Condvar = Condvar::new();

impl Queue {
    /// A slot that can be filled.
    fn dequeue(&mut self) -> Option<usize> {
        self.slots.iter().position(|slot| slot.at == At::Free)
    }

    /// The slot that can be read.
    fn request(&mut self) -> Option<usize> {
        self.order.pop_front()
    }
}

/// The queues, for a module that is open.
fn queues() -> Answer<MutexGuard<'static, Queues>> {
    drop(module()?);
    Ok(lock())
}

fn lock() -> MutexGuard<'static, Queues> {
    QUEUES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// With the last close of the module.
pub fn destroy_all() {
    lock().all.clear();
    NEWS.notify_all();
}

/// Waits for a slot, gives it and what it carries, and notes where it is now.
fn take(
    queue: *mut BufQueue,
    (slot, item): (*mut i32, *mut c_void),
    timeout_ms: i64,
    (pick, then): (fn(&mut Queue) -> Option<usize>, At),
) -> Answer {
    place(slot)?;
    place(item)?;
    let id = read(queue)?.unique_id;
    let mut queues = queues()?;
    let end = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
    let end = end.and_then(|wait| Instant::now().checked_add(wait));
    let mut missing = QUEUE_NOT_FOUND;
    loop {
        let found = queues.all.get_mut(&id).ok_or(missing)?;
        missing = QUEUE_DESTROYED;
        if let Some(index) = pick(found) {
            found.slots[index].at = then;
            let bytes = &found.slots[index].item;
            // SAFETY: not NULL, and by the C interface room for an item.
            unsafe { item.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
            return give(slot, index as i32);
        }
        if timeout_ms == 0 {
            return Err(QUEUE_NO_AVAILABLE_SLOT);
        }
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return Err(TIMEOUT);
        }
        let woken = match left {
            Some(left) => NEWS.wait_timeout(queues, left).map(|woken| woken.0).ok(),
            None => NEWS.wait(queues).ok(),
        };
        queues = woken.unwrap_or_else(lock);
    }
}

/// Moves a slot on that must be at one of some places.
fn put(
    queue: *mut BufQueue,
    slot: i32,
    from: &[At],
    change: impl FnOnce(&mut Queue, usize),
) -> Answer {
    let id = read(queue)?.unique_id;
    if slot < 0 {
        return Err(INVALID_PARAMS);
    }
    let mut queues = queues()?;
    let found = queues.all.get_mut(&id).ok_or(QUEUE_NOT_FOUND)?;
    let index = slot as usize;
    if !found.slots.get(index).is_some_and(|slot| from.contains(&slot.at)) {
        return Err(QUEUE_WRONG_SLOT);
    }
    change(found, index);
    NEWS.notify_all();
    Ok(())
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_create_buf_queue(queue: *mut BufQueue) -> i32 {
    enter("hb_mem_create_buf_queue", || {
        let asked = read(queue)?;
        if asked.count == 0 || asked.item_size == 0 {
            return Err(INVALID_PARAMS);
        }
        let mut queues = queues()?;
        if queues.all.contains_key(&asked.unique_id) {
            return Err(QUEUE_ALREADY_EXIST);
        }
        let slot = || Slot { at: At::Free, item: vec![0; asked.item_size as usize] };
        let slots = std::iter::repeat_with(slot).take(asked.count as usize).collect();
        queues.last_id += 1;
        let id = queues.last_id;
        queues.all.insert(id, Queue { slots, order: VecDeque::new() });
        give(queue, BufQueue { unique_id: id, ..asked })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_destroy_buf_queue(queue: *mut BufQueue) -> i32 {
    enter("hb_mem_destroy_buf_queue", || {
        let id = read(queue)?.unique_id;
        queues()?.all.remove(&id).ok_or(QUEUE_NOT_FOUND)?;
        NEWS.notify_all();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dequeue_buf(
    queue: *mut BufQueue,
    slot: *mut i32,
    item: *mut c_void,
    timeout_ms: i64,
) -> i32 {
    enter("hb_mem_dequeue_buf", || {
        take(queue, (slot, item), timeout_ms, (Queue::dequeue, At::Dequeued))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_queue_buf(queue: *mut BufQueue, slot: i32, item: *const c_void) -> i32 {
    enter("hb_mem_queue_buf", || {
        if item.is_null() {
            return Err(INVALID_PARAMS);
        }
        put(queue, slot, &[At::Dequeued], |queue, index| {
            let Slot { at, item: kept } = &mut queue.slots[index];
            // SAFETY: not NULL, and by the C interface an item.
            unsafe { kept.as_mut_ptr().copy_from_nonoverlapping(item.cast(), kept.len()) };
            *at = At::Queued;
            queue.order.push_back(index);
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_request_buf(
    queue: *mut BufQueue,
    slot: *mut i32,
    item: *mut c_void,
    timeout_ms: i64,
) -> i32 {
    enter("hb_mem_request_buf", || {
        take(queue, (slot, item), timeout_ms, (Queue::request, At::Requested))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_release_buf(queue: *mut BufQueue, slot: i32) -> i32 {
    enter("hb_mem_release_buf", || {
        put(queue, slot, &[At::Requested], |queue, index| queue.slots[index].at = At::Free)
    })
}

/// As if the slot had not been taken.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_cancel_buf(queue: *mut BufQueue, slot: i32) -> i32 {
    enter("hb_mem_cancel_buf", || {
        put(queue, slot, &[At::Dequeued, At::Requested], |queue, index| {
            let at = &mut queue.slots[index].at;
            if *at == At::Dequeued {
                *at = At::Free;
            } else {
                *at = At::Queued;
                queue.order.push_front(index);
            }
        })
    })
}
