//! From a context to a codec that runs, and back.

use crate::entry::{Answer, enter, give, read};
use crate::instance::{At, Inner, Instance, Listener, Slot, Stream, give_back, instance, take};
use crate::memory::{Block, Picture};
use crate::picture::shape;
use crate::{check, rate, worker};
use framelane_hobot_sys::codec::{
    Callbacks, Context, EncoderParams, FrameBuffer, MediaBuffer, REFRESH_IDR, Startup, buffer_type,
    id, pixel_format, state,
};
use framelane_hobot_sys::media::{
    CODEC_NOT_FOUND, INVALID_PARAMS, NO_FREE_INSTANCE, OPERATION_NOT_ALLOWED, UNSUPPORTED_FEATURE,
};
use std::ffi::c_void;
use std::sync::Arc;

fn default_context(codec: i32, encoder: i32) -> Answer<Context> {
    if !(id::H264..=id::JPEG).contains(&codec) {
        return Err(CODEC_NOT_FOUND);
    }
    if encoder != 1 {
        return Err(UNSUPPORTED_FEATURE);
    }
    let mut context = Context::zeroed();
    (context.codec_id, context.encoder, context.instance_index) = (codec, 1, -1);
    let params = &mut context.params;
    (params.frame_buf_count, params.bitstream_buf_count) = (5, 5);
    params.bitstream_buf_size = 10 << 20;
    params.rate_control = rate::defaults(check::mode(codec));
    // The vendor's own default of the preset is none that this core has.
    (params.decoding_refresh_type, params.gop_preset_idx) = (REFRESH_IDR, 2);
    if codec == id::JPEG {
        params.codec_config[2] = 50;
    }
    Ok(context)
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_get_default_context(
    codec: i32,
    encoder: i32,
    context: *mut Context,
) -> i32 {
    enter("hb_mm_mc_get_default_context", || give(context, default_context(codec, encoder)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_initialize(context: *mut Context) -> i32 {
    enter("hb_mm_mc_initialize", || {
        let told = read(context)?;
        default_context(told.codec_id, told.encoder)?;
        if instance(context).is_ok() {
            return Err(OPERATION_NOT_ALLOWED);
        }
        let number = take(told.codec_id).ok_or(NO_FREE_INSTANCE)?;
        give(context, Context { instance_index: number, ..told })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_set_input_buffer_listener(
    context: *mut Context,
    callbacks: *const Callbacks,
    userdata: *mut c_void,
) -> i32 {
    enter("hb_mm_mc_set_input_buffer_listener", || {
        let call = read(callbacks)?.on_input_buffer_consumed.ok_or(INVALID_PARAMS)?;
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::INITIALIZED])?;
        inner.listener = Some(Listener { call, with: userdata as usize });
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_configure(context: *mut Context) -> i32 {
    enter("hb_mm_mc_configure", || {
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::INITIALIZED])?;
        let mut params = read(context)?.params;
        check::params(instance.codec, &params)?;
        if params.bitstream_buf_size == 0 {
            params.bitstream_buf_size = 2 << 20;
        }
        let slots: Answer<Vec<Slot>> =
            (0..params.frame_buf_count as i32).map(slot(&params)).collect();
        let stream = |_| {
            // In front of a unit there is room that is not its own.
            let memory = Block::new(u64::from(params.bitstream_buf_size) + worker::LEAD)?;
            Ok(Stream { at: At::Free, memory })
        };
        let streams: Answer<Vec<Stream>> = (0..params.bitstream_buf_count).map(stream).collect();
        (inner.slots, inner.streams) = (slots?, streams?);
        (inner.params, inner.state) = (params, state::CONFIGURED);
        Ok(())
    })
}

/// The places for pictures, with memory of their own unless it comes from outside.
fn slot(params: &EncoderParams) -> impl Fn(i32) -> Answer<Slot> {
    let params = *params;
    move |index| {
        let external = params.external_frame_buf == 1;
        let stride = if external { params.width } else { (params.width + 31) & !31 };
        let planar = params.pix_fmt == pixel_format::YUV420P;
        let (width, height) = (params.width, params.height);
        let memory =
            if external { None } else { Some(Picture::new(width, height, stride, planar)?) };
        let mut frame = FrameBuffer::zeroed();
        for (plane, &(across, down)) in shape(params.pix_fmt).iter().enumerate() {
            frame.comp_size[plane] = (stride as u64 / across * (height as u64 / down)) as u32;
        }
        frame.size = frame.comp_size.iter().sum();
        if let Some(memory) = &memory {
            (frame.vir_ptr, frame.phy_ptr) = (memory.raw.virt_addr, memory.raw.phys_addr);
            frame.fd = memory.raw.fd;
        }
        (frame.width, frame.height, frame.stride) = (width, height, stride);
        (frame.pix_fmt, frame.src_idx) = (params.pix_fmt, index);
        let mut buffer = MediaBuffer::zeroed();
        (buffer.kind, buffer.frame) = (buffer_type::VIDEO_FRAME, frame);
        Ok(Slot { at: At::Free, buffer, _memory: memory })
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_start(context: *mut Context, startup: *const Startup) -> i32 {
    enter("hb_mm_mc_start", || {
        read(startup)?;
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::CONFIGURED, state::PAUSED])?;
        if inner.state == state::CONFIGURED {
            worker::start(&instance, &mut inner)?;
        }
        inner.state = state::STARTED;
        drop(inner);
        instance.news.notify_all();
        Ok(())
    })
}

/// Ends the worker, whatever it is at, and what it has not done.
fn halt(instance: &Instance, mut inner: std::sync::MutexGuard<'_, Inner>) {
    inner.state = state::INITIALIZED;
    let worker = inner.worker.take();
    if let Some(process) = inner.process.take() {
        process.kill();
    }
    drop(inner);
    instance.news.notify_all();
    if let Some(worker) = worker {
        let _ = worker.join();
    }
    let mut inner = instance.lock();
    inner.jobs.clear();
    inner.units.clear();
    (inner.slots, inner.streams, inner.anew) = (Vec::new(), Vec::new(), false);
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_stop(context: *mut Context) -> i32 {
    enter("hb_mm_mc_stop", || {
        let instance = instance(context)?;
        let inner = instance.lock_in(&[state::STARTED, state::PAUSED])?;
        halt(&instance, inner);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_pause(context: *mut Context) -> i32 {
    enter("hb_mm_mc_pause", || {
        let instance = instance(context)?;
        instance.lock_in(&[state::STARTED])?.state = state::PAUSED;
        instance.news.notify_all();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_flush(context: *mut Context) -> i32 {
    enter("hb_mm_mc_flush", || {
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::STARTED])?;
        let jobs = std::mem::take(&mut inner.jobs);
        jobs.iter().for_each(|job| inner.slots[job.slot].at = At::Free);
        let units = std::mem::take(&mut inner.units);
        units.iter().flatten().for_each(|unit| inner.streams[unit.stream].at = At::Free);
        inner.anew = true;
        drop(inner);
        instance.news.notify_all();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_release(context: *mut Context) -> i32 {
    enter("hb_mm_mc_release", || {
        let instance: Arc<Instance> = instance(context)?;
        halt(&instance, instance.lock());
        instance.lock().state = state::UNINITIALIZED;
        let told = read(context)?;
        give_back(told.instance_index);
        give(context, Context { instance_index: -1, ..told })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_get_state(context: *mut Context, told: *mut i32) -> i32 {
    enter("hb_mm_mc_get_state", || {
        read(context)?;
        give(told, instance(context).map_or(state::UNINITIALIZED, |instance| instance.lock().state))
    })
}
