//! Who holds and who uses a buffer, in all processes.

use crate::entry::{Answer, enter, give, ion, place, read};
use crate::module::{module, valid_fd};
use framelane_hobot_sys::hb_mem::{
    INVALID_PARAMS, NOT_ALLOW, TIMEOUT, UNKNOWN, WAIT_SHARE_FAILURE,
};
use framelane_hobot_sys::{CommonBuf, GraphicBuf, GraphicBufGroup};
use framelane_standin_ion::Record;
use std::time::{Duration, Instant};

/// How often somebody who waits looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Most processes that are told of.
const PROCESSES: usize = 16;

/// Share id of the part a descriptor names.
fn id_of(fd: i32) -> Answer<i32> {
    let fd = valid_fd(fd)?;
    let mut module = module()?;
    let buffer = module.of_fd(fd)?;
    let part = buffer.parts.iter().find(|part| part.fd() == fd);
    Ok(part.ok_or(INVALID_PARAMS)?.id)
}

/// The same, for announcing a use: pools have no such counts.
fn used_id_of(fd: i32) -> Answer<i32> {
    let id = id_of(fd)?;
    if module()?.of_fd(fd)?.pool.is_some() { Err(NOT_ALLOW) } else { Ok(id) }
}

pub fn count(id: i32, of: fn(&Record) -> u32) -> Answer<i32> {
    let counted = ion()?.look(|state| state.buffers.get(&id).map_or(0, of));
    counted.map(|count| count as i32).map_err(|_| UNKNOWN)
}

/// Waits until a count of the buffer is low enough. The target is checked before the buffer is
/// looked for.
pub fn wait(
    id: impl FnOnce() -> Answer<i32>,
    target: i32,
    timeout_ms: i64,
    of: fn(&Record) -> u32,
) -> Answer {
    if target < 0 {
        return Err(INVALID_PARAMS);
    }
    let id = id()?;
    let start = Instant::now();
    while count(id, of)? > target {
        if timeout_ms == 0 {
            return Err(WAIT_SHARE_FAILURE);
        }
        if timeout_ms > 0 && start.elapsed() >= Duration::from_millis(timeout_ms as u64) {
            return Err(TIMEOUT);
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    Ok(())
}

/// Adds to the uses this process has announced.
pub fn consume(id: i32, by: i32) -> Answer {
    let done = ion()?.consume(id, by).map_err(|_| UNKNOWN)?;
    if done { Ok(()) } else { Err(NOT_ALLOW) }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_share_info(fd: i32, clients: *mut i32) -> i32 {
    enter("hb_mem_get_share_info", || {
        place(clients)?;
        give(clients, count(id_of(fd)?, Record::clients)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_wait_share_status(fd: i32, target: i32, timeout_ms: i64) -> i32 {
    enter("hb_mem_wait_share_status", || wait(|| id_of(fd), target, timeout_ms, Record::clients))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_inc_com_buf_consume_cnt(buffer: *mut CommonBuf) -> i32 {
    enter("hb_mem_inc_com_buf_consume_cnt", || consume(used_id_of(read(buffer)?.fd)?, 1))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_inc_graph_buf_consume_cnt(buffer: *mut GraphicBuf) -> i32 {
    enter("hb_mem_inc_graph_buf_consume_cnt", || consume(used_id_of(read(buffer)?.fd[0])?, 1))
}

/// A use of each of its pictures, or of none.
#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_inc_graph_buf_group_consume_cnt(group: *mut GraphicBufGroup) -> i32 {
    enter("hb_mem_inc_graph_buf_group_consume_cnt", || {
        let group = read(group)?;
        let pictures = group.graph_group.iter().enumerate();
        let pictures = pictures.filter(|(index, _)| group.bit_map >> index & 1 == 1);
        let ids = pictures.map(|(_, picture)| used_id_of(picture.fd[0]));
        let ids = ids.collect::<Answer<Vec<_>>>()?;
        if ids.is_empty() {
            return Err(INVALID_PARAMS);
        }
        for (done, &id) in ids.iter().enumerate() {
            if let Err(code) = consume(id, 1) {
                ids[..done].iter().for_each(|&id| consume(id, -1).unwrap_or(()));
                return Err(code);
            }
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_dec_consume_cnt(fd: i32) -> i32 {
    enter("hb_mem_dec_consume_cnt", || consume(used_id_of(fd)?, -1))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_consume_info(fd: i32, uses: *mut i32) -> i32 {
    enter("hb_mem_get_consume_info", || {
        place(uses)?;
        give(uses, count(id_of(fd)?, Record::consumes)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_wait_consume_status(fd: i32, target: i32, timeout_ms: i64) -> i32 {
    enter("hb_mem_wait_consume_status", || wait(|| id_of(fd), target, timeout_ms, Record::consumes))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mem_get_buffer_process_info_with_share_id(
    share_id: i32,
    pids: *mut i32,
    room: i32,
    found: *mut i32,
) -> i32 {
    enter("hb_mem_get_buffer_process_info_with_share_id", || {
        tell_holders(
            || if share_id > 0 { Ok(share_id) } else { Err(INVALID_PARAMS) },
            pids,
            room,
            found,
        )
    })
}

/// Tells of the processes that hold a buffer.
pub fn tell_holders(
    id: impl FnOnce() -> Answer<i32>,
    pids: *mut i32,
    room: i32,
    found: *mut i32,
) -> Answer {
    place(pids)?;
    place(found)?;
    if room <= 0 {
        return Err(INVALID_PARAMS);
    }
    let id = id()?;
    drop(module()?);
    let record = ion()?.look(|state| state.buffers.get(&id).cloned());
    let record = record.map_err(|_| UNKNOWN)?.ok_or(INVALID_PARAMS)?;
    let told = record.holders.iter().take(PROCESSES.min(room as usize));
    for (index, holder) in told.clone().enumerate() {
        // SAFETY: not NULL, and by the C interface room for `room` numbers.
        unsafe { pids.add(index).write(holder.pid as i32) };
    }
    give(found, told.count() as i32)
}
