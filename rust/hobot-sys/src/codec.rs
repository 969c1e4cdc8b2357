//! libmultimedia: the video and JPEG codec, as far as encoding goes.

use crate::load::library;
use crate::plain::plain;
use std::ffi::{c_char, c_void};
use zerocopy::{FromBytes, IntoBytes};

/// `media_codec_id_t`.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod id {
    pub const H264: i32 = 0;
    pub const H265: i32 = 1;
    pub const MJPEG: i32 = 2;
    pub const JPEG: i32 = 3;
}

/// `mc_pixel_format_t`: neither the numbers of libhbmem nor those of libvpf.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod pixel_format {
    pub const YUV420P: i32 = 0;
    pub const NV12: i32 = 1;
    pub const NV21: i32 = 2;
}

/// `media_codec_state_t`.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod state {
    pub const UNINITIALIZED: i32 = 0;
    pub const INITIALIZED: i32 = 1;
    pub const CONFIGURED: i32 = 2;
    pub const STARTED: i32 = 3;
    pub const PAUSED: i32 = 4;
    pub const FLUSHING: i32 = 5;
    pub const ERROR: i32 = 6;
}

/// `mc_av_rc_mode_t`.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod rate_control {
    pub const H264_CBR: i32 = 0;
    pub const H265_CBR: i32 = 5;
    pub const MJPEG_FIXQP: i32 = 10;
}

/// `media_codec_buffer_type_t`.
#[allow(missing_docs, reason = "the vendor's names")]
pub mod buffer_type {
    pub const VIDEO_FRAME: i32 = 0;
    pub const VIDEO_STREAM: i32 = 1;
}

/// Presets of a group of pictures that this core has: it makes no B pictures.
pub mod gop_preset {
    /// Intra pictures only, of which not each is an IDR.
    pub const ALL_INTRA: u32 = 1;
    /// P pictures, each with the one before as its reference.
    pub const ONE_REFERENCE: u32 = 9;
}

/// `decoding_refresh_type`: an intra picture at which decoding can begin.
pub const REFRESH_IDR: i32 = 2;

plain! {
    /// `mc_rate_control_params_t`.
    RateControl, 80 {
        mode: i32 = 0,
        hole: u32 = 4,
        /// Of the mode.
        params: [u32; 18] = 8,
    }
}

plain! {
    /// `mc_h264_cbr_params_t` and `mc_h265_cbr_params_t`.
    Cbr, 68 {
        intra_period: u32 = 0,
        intra_qp: u32 = 4,
        /// In kbit/s.
        bit_rate: u32 = 8,
        frame_rate: u32 = 12,
        initial_rc_qp: u32 = 16,
        /// In ms.
        vbv_buffer_size: u32 = 20,
        block_level_rc: u32 = 24,
        min_qp_i: u32 = 28,
        max_qp_i: u32 = 32,
        min_qp_p: u32 = 36,
        max_qp_p: u32 = 40,
        min_qp_b: u32 = 44,
        max_qp_b: u32 = 48,
        hvs_qp_enable: u32 = 52,
        hvs_qp_scale: u32 = 56,
        max_delta_qp: u32 = 60,
        qp_map_enable: u32 = 64,
    }
}

plain! {
    /// `mc_mjpeg_fix_qp_params_t`.
    MjpegFixQp, 8 {
        frame_rate: u32 = 0,
        quality_factor: u32 = 4,
    }
}

impl RateControl {
    /// The parameters as those of H.264 or H.265 at a constant bit rate.
    pub fn cbr(&self) -> Cbr {
        Cbr::read_from_prefix(self.params.as_bytes()).expect("they are shorter").0
    }

    /// Sets them.
    pub fn set_cbr(&mut self, cbr: &Cbr) {
        self.params.as_mut_bytes()[..size_of::<Cbr>()].copy_from_slice(cbr.as_bytes());
    }

    /// The parameters as those of MJPEG at a fixed quality.
    pub fn mjpeg(&self) -> MjpegFixQp {
        MjpegFixQp::read_from_prefix(self.params.as_bytes()).expect("they are shorter").0
    }

    /// Sets them.
    pub fn set_mjpeg(&mut self, fixed: &MjpegFixQp) {
        self.params.as_mut_bytes()[..size_of::<MjpegFixQp>()].copy_from_slice(fixed.as_bytes());
    }
}

plain! {
    /// `mc_video_codec_enc_params_t`.
    EncoderParams, 1008 {
        width: i32 = 0,
        height: i32 = 4,
        pix_fmt: i32 = 8,
        frame_buf_count: u32 = 12,
        /// Whether pictures come by bus address from memory that is not the codec's.
        external_frame_buf: i32 = 16,
        bitstream_buf_count: u32 = 20,
        bitstream_buf_size: u32 = 24,
        hole: u32 = 28,
        rate_control: RateControl = 32,
        decoding_refresh_type: i32 = 112,
        gop_preset_idx: u32 = 116,
        custom_gop_size: i32 = 120,
        custom_gop: [u32; 56] = 124,
        rot_degree: i32 = 348,
        mir_direction: i32 = 352,
        frame_cropping_flag: i32 = 356,
        crop: [u32; 4] = 360,
        enable_user_pts: i32 = 376,
        /// `mc_h264_enc_config_t` and its like; the third word of JPEG's is its quality.
        codec_config: [u32; 157] = 380,
    }
}

plain! {
    /// `media_codec_context_t` of an encoder.
    Context, 1040 {
        codec_id: i32 = 0,
        encoder: i32 = 4,
        /// The library's.
        instance_index: i32 = 8,
        hole: u32 = 12,
        params: EncoderParams = 16,
        vpf_context: u64 = 1024,
        priority: i32 = 1032,
        tail: u32 = 1036,
    }
}

plain! {
    /// `mc_video_frame_buffer_info_t`.
    FrameBuffer, 136 {
        vir_ptr: [u64; 3] = 0,
        phy_ptr: [u64; 3] = 24,
        size: u32 = 48,
        /// Of each plane; one of 0 is not seen by the encoder.
        comp_size: [u32; 3] = 52,
        width: i32 = 64,
        height: i32 = 68,
        pix_fmt: i32 = 72,
        stride: i32 = 76,
        vstride: i32 = 80,
        fd: [i32; 3] = 84,
        pts: u64 = 96,
        src_idx: i32 = 104,
        frame_end: i32 = 108,
        qp_map_valid: i32 = 112,
        hole: u32 = 116,
        qp_map_array: u64 = 120,
        qp_map_array_count: u32 = 128,
        flags: i32 = 132,
    }
}

plain! {
    /// `mc_video_stream_buffer_info_t`.
    StreamBuffer, 48 {
        vir_ptr: u64 = 0,
        phy_ptr: u64 = 8,
        size: u32 = 16,
        hole: u32 = 20,
        pts: u64 = 24,
        fd: i32 = 32,
        src_idx: i32 = 36,
        stream_end: i32 = 40,
        tail: u32 = 44,
    }
}

plain! {
    /// `media_codec_buffer_t`.
    MediaBuffer, 152 {
        kind: i32 = 0,
        hole: u32 = 4,
        /// Its other shape is `stream()`.
        frame: FrameBuffer = 8,
        /// Whatever the caller likes; it comes back with the buffer.
        user_ptr: u64 = 144,
    }
}

impl MediaBuffer {
    /// What a buffer of the type `VIDEO_STREAM` says.
    pub fn stream(&self) -> StreamBuffer {
        StreamBuffer::read_from_prefix(self.frame.as_bytes()).expect("it is shorter").0
    }

    /// Sets it.
    pub fn set_stream(&mut self, stream: &StreamBuffer) {
        self.frame.as_mut_bytes()[..size_of::<StreamBuffer>()].copy_from_slice(stream.as_bytes());
    }
}

plain! {
    /// `media_codec_output_buffer_info_t` of H.264 and H.265.
    OutputInfo, 136 {
        frame_index: u32 = 0,
        hole: u32 = 4,
        frame_start_addr: u64 = 8,
        frame_size: u32 = 16,
        nalu_type: i32 = 20,
        slice_idx: u32 = 24,
        slice_num: u32 = 28,
        dependent: u32 = 32,
        independent: u32 = 36,
        pic_skipped: u32 = 40,
        intra_block_num: u32 = 44,
        skip_block_num: u32 = 48,
        avg_mb_qp: u32 = 52,
        enc_pic_byte: u32 = 56,
        enc_gop_pic_idx: u32 = 60,
        enc_pic_poc: u32 = 64,
        enc_src_idx: i32 = 68,
        enc_pic_cnt: u32 = 72,
        enc_error_reason: i32 = 76,
        enc_warn_info: u32 = 80,
        frame_cycle: u32 = 84,
        temporal_id: u32 = 88,
        longterm_ref_type: i32 = 92,
        /// Of the other kinds.
        rest: [u32; 10] = 96,
    }
}

plain! {
    /// `mc_av_codec_startup_params_t`.
    Startup, 4 {
        /// 0 is no limit.
        receive_frame_number: i32 = 0,
    }
}

type OnBuffer = Option<unsafe extern "C" fn(*mut c_void, *mut MediaBuffer)>;

/// `media_codec_callback_t`.
#[derive(Clone, Copy)]
#[repr(C)]
#[allow(missing_docs, reason = "the vendor's names")]
pub struct Callbacks {
    pub on_input_buffer_available: OnBuffer,
    pub on_output_buffer_available:
        Option<unsafe extern "C" fn(*mut c_void, *mut MediaBuffer, *mut OutputInfo)>,
    pub on_media_codec_message: Option<unsafe extern "C" fn(*mut c_void, i32)>,
    pub on_vlc_buffer_message: Option<unsafe extern "C" fn(*mut c_void, *mut i32)>,
    pub on_input_buffer_consumed: OnBuffer,
}

impl Callbacks {
    /// None at all.
    pub const NONE: Self = Callbacks {
        on_input_buffer_available: None,
        on_output_buffer_available: None,
        on_media_codec_message: None,
        on_vlc_buffer_message: None,
        on_input_buffer_consumed: None,
    };
}

const _: () = assert!(size_of::<Callbacks>() == 40);

library! {
    /// The functions of libmultimedia.
    Multimedia, &["libmultimedia.so.1", "libmultimedia.so"];

    /// Fills a context with what a codec begins with.
    fn hb_mm_mc_get_default_context(codec: i32, encoder: i32, context: *mut Context) -> i32;
    /// Takes one of the instances there are.
    fn hb_mm_mc_initialize(context: *mut Context) -> i32;
    /// Hands over the parameters.
    fn hb_mm_mc_configure(context: *mut Context) -> i32;
    /// Sets who is told that a picture was read; before configuring.
    fn hb_mm_mc_set_input_buffer_listener(context: *mut Context, callbacks: *const Callbacks,
        userdata: *mut c_void) -> i32;
    /// Begins coding, and goes on after a pause.
    fn hb_mm_mc_start(context: *mut Context, startup: *const Startup) -> i32;
    /// Ends coding; to begin again it must be configured again.
    fn hb_mm_mc_stop(context: *mut Context) -> i32;
    /// Stands still.
    fn hb_mm_mc_pause(context: *mut Context) -> i32;
    /// Throws away what is under way.
    fn hb_mm_mc_flush(context: *mut Context) -> i32;
    /// Gives the instance back.
    fn hb_mm_mc_release(context: *mut Context) -> i32;
    /// Where it stands.
    fn hb_mm_mc_get_state(context: *mut Context, state: *mut i32) -> i32;
    /// A buffer for the next picture.
    fn hb_mm_mc_dequeue_input_buffer(context: *mut Context, buffer: *mut MediaBuffer,
        timeout_ms: i32) -> i32;
    /// Hands a picture over.
    fn hb_mm_mc_queue_input_buffer(context: *mut Context, buffer: *mut MediaBuffer,
        timeout_ms: i32) -> i32;
    /// What was made of a picture.
    fn hb_mm_mc_dequeue_output_buffer(context: *mut Context, buffer: *mut MediaBuffer,
        info: *mut OutputInfo, timeout_ms: i32) -> i32;
    /// Gives its buffer back.
    fn hb_mm_mc_queue_output_buffer(context: *mut Context, buffer: *mut MediaBuffer,
        timeout_ms: i32) -> i32;
    /// How the rate is controlled.
    fn hb_mm_mc_get_rate_control_config(context: *mut Context, rate: *mut RateControl) -> i32;
    /// Changes that, also while it runs.
    fn hb_mm_mc_set_rate_control_config(context: *mut Context, rate: *const RateControl) -> i32;
    /// Makes the next picture an IDR.
    fn hb_mm_mc_request_idr_frame(context: *mut Context) -> i32;
    /// A text for a number.
    fn hb_mm_strerror(code: i32, text: *mut c_char, size: usize) -> i32;
}
