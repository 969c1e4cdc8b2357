//! What a codec can be configured to do.

use crate::entry::Answer;
use framelane_hobot_sys::codec::{EncoderParams, RateControl, gop_preset, id, rate_control};
use framelane_hobot_sys::media::{INVALID_PARAMS, UNSUPPORTED_FEATURE};

pub fn params(codec: i32, params: &EncoderParams) -> Answer {
    let video = codec <= id::H265;
    let side = |value: i32| (16..=8192).contains(&value) && value % 2 == 0;
    let (least, step) = if video { (64 << 10, 1024) } else { (8 << 10, 4096) };
    let size = params.bitstream_buf_size;
    let buffers = size == 0 || (size >= least && size % step == 0 && size < 1 << 31);
    let frames = if video { 31 } else { 65536 };
    let gop = [gop_preset::ALL_INTRA, gop_preset::ONE_REFERENCE].contains(&params.gop_preset_idx);
    let valid = side(params.width)
        && side(params.height)
        && buffers
        && (1..=frames).contains(&params.frame_buf_count)
        && (1..=65536).contains(&params.bitstream_buf_count)
        && (gop || !video)
        && [0, 1].contains(&params.external_frame_buf);
    if !valid {
        return Err(INVALID_PARAMS);
    }
    let plain = params.rot_degree == 0
        && params.mir_direction == 0
        && params.frame_cropping_flag == 0
        && (0..=2).contains(&params.pix_fmt);
    if !plain {
        return Err(UNSUPPORTED_FEATURE);
    }
    if codec == id::JPEG { Ok(()) } else { rate(codec, &params.rate_control) }
}

/// The one way of each codec that there is here.
pub fn mode(codec: i32) -> i32 {
    match codec {
        id::H264 => rate_control::H264_CBR,
        id::H265 => rate_control::H265_CBR,
        _ => rate_control::MJPEG_FIXQP,
    }
}

pub fn rate(codec: i32, rate: &RateControl) -> Answer {
    if rate.mode != mode(codec) {
        let known = (0..=rate_control::MJPEG_FIXQP).contains(&rate.mode);
        return Err(if known { UNSUPPORTED_FEATURE } else { INVALID_PARAMS });
    }
    let valid = if codec <= id::H265 {
        let cbr = rate.cbr();
        cbr.bit_rate <= 700_000 && (1..=240).contains(&cbr.frame_rate) && cbr.intra_period <= 2047
    } else {
        (1..=240).contains(&rate.mjpeg().frame_rate) && rate.mjpeg().quality_factor <= 100
    };
    if valid { Ok(()) } else { Err(INVALID_PARAMS) }
}
