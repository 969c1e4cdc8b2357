//! Access units out.

use crate::entry::{enter, give, read};
use crate::instance::{At, instance};
use crate::worker::LEAD;
use framelane_hobot_sys::codec::{
    Context, MediaBuffer, OutputInfo, StreamBuffer, buffer_type, id, state,
};
use framelane_hobot_sys::media::{INVALID_BUFFER, INVALID_PARAMS};

/// `mc_h264_nal_unit_type_t` and that of H.265: what a picture is.
const P: i32 = 1;
const IDR: [i32; 2] = [5, 19];

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_dequeue_output_buffer(
    context: *mut Context,
    buffer: *mut MediaBuffer,
    info: *mut OutputInfo,
    timeout_ms: i32,
) -> i32 {
    enter("hb_mm_mc_dequeue_output_buffer", || {
        if buffer.is_null() || info.is_null() {
            return Err(INVALID_PARAMS);
        }
        let instance = instance(context)?;
        let video = instance.codec <= id::H265;
        let (given, told) = instance.wait(timeout_ms, |inner| {
            let unit = match inner.units.pop_front()? {
                Ok(unit) => unit,
                Err(code) => return Some(Err(code)),
            };
            let stream = &mut inner.streams[unit.stream];
            stream.at = At::User;
            let mut out = StreamBuffer::zeroed();
            (out.vir_ptr, out.phy_ptr) =
                (stream.memory.raw.virt_addr + LEAD, stream.memory.raw.phys_addr + LEAD);
            (out.size, out.fd, out.src_idx) =
                (unit.bytes, stream.memory.raw.fd, unit.stream as i32);
            out.stream_end = unit.picture.frame.frame_end;
            let user = inner.params.enable_user_pts == 1 && video;
            out.pts = if user { unit.picture.frame.pts } else { u64::from(unit.number) };
            let mut given = MediaBuffer::zeroed();
            (given.kind, given.user_ptr) = (buffer_type::VIDEO_STREAM, unit.picture.user_ptr);
            given.set_stream(&out);
            let mut told = OutputInfo::zeroed();
            if video {
                (told.frame_index, told.frame_start_addr) = (unit.number, out.phy_ptr);
                (told.frame_size, told.enc_pic_byte) = (unit.bytes, unit.bytes);
                told.nalu_type = if unit.key { IDR[instance.codec as usize] } else { P };
                (told.enc_src_idx, told.enc_pic_cnt) = (unit.picture.frame.src_idx, unit.number);
            }
            Some(Ok((given, told)))
        })??;
        give(info, told)?;
        give(buffer, given)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn hb_mm_mc_queue_output_buffer(
    context: *mut Context,
    buffer: *mut MediaBuffer,
    _timeout_ms: i32,
) -> i32 {
    enter("hb_mm_mc_queue_output_buffer", || {
        let buffer = read(buffer)?;
        let instance = instance(context)?;
        let mut inner = instance.lock_in(&[state::STARTED])?;
        let told = buffer.stream();
        let stream = usize::try_from(told.src_idx).map_err(|_| INVALID_BUFFER)?;
        let stream = inner.streams.get_mut(stream).filter(|stream| {
            buffer.kind == buffer_type::VIDEO_STREAM
                && stream.at == At::User
                && told.phy_ptr == stream.memory.raw.phys_addr + LEAD
        });
        stream.ok_or(INVALID_BUFFER)?.at = At::Free;
        drop(inner);
        instance.news.notify_all();
        Ok(())
    })
}
