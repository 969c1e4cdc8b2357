//! Pictures in.

use crate::entry::{Answer, enter, give, read};
use crate::instance::{At, Inner, Job, instance};
use crate::picture::Source;
use framelane_hobot_sys::codec::{Context, MediaBuffer, buffer_type, state};
use framelane_hobot_sys::media::{INVALID_BUFFER, INVALID_PARAMS};

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_dequeue_input_buffer(
    context: *mut Context,
    buffer: *mut MediaBuffer,
    timeout_ms: i32,
) -> i32 {
    enter("hb_mm_mc_dequeue_input_buffer", || {
        if buffer.is_null() {
            return Err(INVALID_PARAMS);
        }
        let instance = instance(context)?;
        let given = instance.wait(timeout_ms, |inner| {
            let slot = inner.slots.iter_mut().find(|slot| slot.at == At::Free)?;
            slot.at = At::User;
            Some(slot.buffer)
        })?;
        give(buffer, given)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_queue_input_buffer(
    context: *mut Context,
    buffer: *mut MediaBuffer,
    _timeout_ms: i32,
) -> i32 {
    enter("hb_mm_mc_queue_input_buffer", || {
        let buffer = read(buffer)?;
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::STARTED])?;
        let job = accept(&mut inner, buffer)?;
        inner.jobs.push_back(job);
        drop(inner);
        instance.news.notify_all();
        Ok(())
    })
}

fn accept(inner: &mut Inner, mut buffer: MediaBuffer) -> Answer<Job> {
    let slot = usize::try_from(buffer.frame.src_idx).map_err(|_| INVALID_BUFFER)?;
    let params = inner.params;
    let place = inner.slots.get_mut(slot).filter(|place| place.at == At::User);
    let place = place.ok_or(INVALID_BUFFER)?;
    let (own, told) = (&place.buffer.frame, &mut buffer.frame);
    if buffer.kind != buffer_type::VIDEO_FRAME || told.vir_ptr[0] == 0 || told.phy_ptr[0] == 0 {
        return Err(INVALID_BUFFER);
    }
    if params.external_frame_buf == 1 {
        if told.stride == 0 {
            told.stride = own.stride;
        }
    } else {
        let mine = (told.vir_ptr[0], told.phy_ptr[0]) == (own.vir_ptr[0], own.phy_ptr[0]);
        if !mine || told.size > own.size {
            return Err(INVALID_BUFFER);
        }
        // All else is as it was given out.
        let (size, pts, frame_end) = (told.size, told.pts, told.frame_end);
        *told = *own;
        (told.size, told.pts, told.frame_end) = (size, pts, frame_end);
    }
    let source = Source::new(&params, told)?;
    source.is_there()?;
    (place.at, place.buffer.user_ptr) = (At::Codec, buffer.user_ptr);
    Ok(Job { slot, buffer, source })
}
