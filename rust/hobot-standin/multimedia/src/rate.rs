//! What can be changed while it runs, and texts.

use crate::check;
use crate::entry::{enter, give, read};
use crate::instance::instance;
use framelane_hobot_sys::codec::{Cbr, Context, MjpegFixQp, RateControl, rate_control, state};
use framelane_hobot_sys::media::INVALID_PARAMS;
use framelane_hobot_sys::media_name;
use std::ffi::c_char;

/// States in which there is something that can be changed.
const READY: &[i32] = &[state::CONFIGURED, state::STARTED, state::PAUSED];

/// What the vendor's library begins with.
pub fn defaults(mode: i32) -> RateControl {
    let mut rate = RateControl { mode, ..RateControl::zeroed() };
    match mode {
        rate_control::H264_CBR | rate_control::H265_CBR => rate.set_cbr(&Cbr {
            intra_period: 28,
            intra_qp: 30,
            bit_rate: 1000,
            frame_rate: 30,
            initial_rc_qp: 63,
            vbv_buffer_size: 10,
            min_qp_i: 8,
            max_qp_i: 51,
            min_qp_p: 8,
            max_qp_p: 51,
            min_qp_b: 8,
            max_qp_b: 51,
            hvs_qp_enable: 1,
            hvs_qp_scale: 2,
            max_delta_qp: 10,
            ..Cbr::zeroed()
        }),
        _ => rate.set_mjpeg(&MjpegFixQp { frame_rate: 30, quality_factor: 50 }),
    }
    rate
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_get_rate_control_config(
    context: *mut Context,
    rate: *mut RateControl,
) -> i32 {
    enter("hb_mm_mc_get_rate_control_config", || {
        let told = read(context)?;
        let asked = read(rate.cast_const())?;
        let current = instance(context).ok().and_then(|instance| {
            let inner = instance.lock_in(READY).ok()?;
            Some(inner.params.rate_control)
        });
        // Before there is an instance it tells the defaults of a mode.
        match current {
            Some(current) => give(rate, current),
            None if asked.mode == check::mode(told.codec_id) => give(rate, defaults(asked.mode)),
            None => Err(INVALID_PARAMS),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_set_rate_control_config(
    context: *mut Context,
    rate: *const RateControl,
) -> i32 {
    enter("hb_mm_mc_set_rate_control_config", || {
        let rate = read(rate)?;
        let instance = instance(context)?;
        let mut inner = instance.lock_in(READY)?;
        check::rate(instance.codec, &rate)?;
        (inner.params.rate_control, inner.anew) = (rate, true);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_request_idr_frame(context: *mut Context) -> i32 {
    enter("hb_mm_mc_request_idr_frame", || {
        instance(context)?.lock_in(&[state::STARTED])?.anew = true;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_strerror(code: i32, text: *mut c_char, size: usize) -> i32 {
    if text.is_null() || size == 0 {
        return INVALID_PARAMS;
    }
    let name = media_name(code);
    let words = name.map_or_else(|| format!("number {code} occurred"), str::to_owned);
    let kept = words.len().min(size - 1);
    // SAFETY: not NULL, and by the C interface room for `size` bytes.
    unsafe {
        text.cast::<u8>().copy_from_nonoverlapping(words.as_ptr(), kept);
        text.add(kept).write(0);
    }
    if name.is_some() { 0 } else { INVALID_PARAMS }
}
