//! libmultimedia without our owners in between.
#![allow(unsafe_code, reason = "calls of a C library")]
#![allow(dead_code, reason = "each test file uses its own part of this")]

use crate::common::{Board, folder};
use crate::pictures::{ffmpeg_is_there, grey};
use framelane_hobot::{GraphicBuffer, Memory};
use framelane_hobot_sys::codec::{Context, MediaBuffer, OutputInfo, Startup};
use framelane_hobot_sys::{Multimedia, media};
use std::sync::OnceLock;

pub const SECONDS: i32 = 20_000;

pub fn library() -> &'static Multimedia {
    static LIBRARY: OnceLock<Multimedia> = OnceLock::new();
    LIBRARY.get_or_init(|| Multimedia::open(Some(&folder())).unwrap())
}

/// Calls a function of the library.
macro_rules! call {
    ($function:ident($($argument:expr),*)) => {{
        let function = $crate::raw_codec::library().$function().unwrap();
        // SAFETY: each pointer is a reference to a place that lives during the call, or NULL.
        unsafe { function($($argument),*) }
    }};
}

#[allow(unused_imports, reason = "not every test file calls")]
pub(crate) use call;

/// An encoder of the library's, released at the end.
pub struct Encoder(pub Box<Context>);

impl Encoder {
    pub fn new(codec: i32, external: bool) -> Self {
        ffmpeg_is_there();
        let mut context = Box::new(Context::zeroed());
        assert_eq!(call!(hb_mm_mc_get_default_context(codec, 1, &mut *context)), 0);
        let params = &mut context.params;
        (params.width, params.height, params.pix_fmt) = (64, 48, 1);
        (params.frame_buf_count, params.bitstream_buf_count) = (2, 2);
        params.bitstream_buf_size = 64 << 10;
        params.external_frame_buf = external.into();
        (params.gop_preset_idx, params.enable_user_pts) = (9, 1);
        Encoder(context)
    }

    pub fn initialized(codec: i32, external: bool) -> Self {
        let mut encoder = Encoder::new(codec, external);
        assert_eq!(call!(hb_mm_mc_initialize(encoder.context())), 0);
        encoder
    }

    pub fn running(codec: i32, external: bool) -> Self {
        let mut encoder = Encoder::initialized(codec, external);
        assert_eq!(call!(hb_mm_mc_configure(encoder.context())), 0);
        assert_eq!(encoder.start(), 0);
        encoder
    }

    pub fn context(&mut self) -> &mut Context {
        &mut self.0
    }

    pub fn start(&mut self) -> i32 {
        call!(hb_mm_mc_start(self.context(), &Startup { receive_frame_number: 0 }))
    }

    pub fn state(&mut self) -> i32 {
        let mut told = -1;
        assert_eq!(call!(hb_mm_mc_get_state(self.context(), &mut told)), 0);
        told
    }

    pub fn place(&mut self, timeout_ms: i32) -> Result<MediaBuffer, i32> {
        let mut buffer = MediaBuffer { hole: 7, ..MediaBuffer::zeroed() };
        match call!(hb_mm_mc_dequeue_input_buffer(self.context(), &mut buffer, timeout_ms)) {
            0 => Ok(buffer),
            code => Err(code),
        }
    }

    pub fn queue(&mut self, buffer: MediaBuffer) -> i32 {
        call!(hb_mm_mc_queue_input_buffer(self.context(), &mut { buffer }, 0))
    }

    pub fn unit(&mut self, timeout_ms: i32) -> Result<(MediaBuffer, OutputInfo), i32> {
        let (mut buffer, mut info) = (MediaBuffer::zeroed(), OutputInfo::zeroed());
        let context = self.context();
        match call!(hb_mm_mc_dequeue_output_buffer(context, &mut buffer, &mut info, timeout_ms)) {
            0 => Ok((buffer, info)),
            code => Err(code),
        }
    }

    pub fn back(&mut self, unit: MediaBuffer) -> i32 {
        call!(hb_mm_mc_queue_output_buffer(self.context(), &mut { unit }, 0))
    }

    /// The unit of a picture of our own memory.
    pub fn encode(&mut self, picture: &GraphicBuffer, pts: u64) -> Vec<u8> {
        let mut place = self.place(SECONDS).unwrap();
        point(&mut place, picture);
        place.frame.pts = pts;
        assert_eq!(self.queue(place), 0);
        let (unit, info) = self.unit(SECONDS).unwrap();
        assert_eq!((unit.kind, unit.stream().pts), (1, pts));
        assert_eq!((info.frame_size, info.enc_src_idx), (unit.stream().size, place.frame.src_idx));
        let bytes = bytes(&unit);
        assert_eq!(self.back(unit), 0);
        bytes
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let code = call!(hb_mm_mc_release(self.context()));
        assert!([0, media::INVALID_INSTANCE].contains(&code), "{code}");
    }
}

/// Names a picture of ours in a place for one.
pub fn point(place: &mut MediaBuffer, picture: &GraphicBuffer) {
    let raw = picture.raw();
    (place.frame.vir_ptr, place.frame.phy_ptr) = (raw.virt_addr, raw.phys_addr);
    place.frame.stride = raw.stride;
}

pub fn bytes(unit: &MediaBuffer) -> Vec<u8> {
    let stream = unit.stream();
    // SAFETY: the library's buffer, which is mapped until it is given back.
    let unit =
        unsafe { std::slice::from_raw_parts(stream.vir_ptr as *const u8, stream.size as usize) };
    unit.to_vec()
}

pub fn memory() -> Memory {
    Memory::open(Some(&folder())).unwrap()
}

/// A picture of one brightness, and the memory it is in.
pub fn picture(_: &Board, value: u8) -> GraphicBuffer {
    grey(&memory(), 64, 48, 64, value)
}

impl Encoder {
    /// The unit of a picture, behind that of one that was being coded.
    pub fn encode_after_flush(&mut self, picture: &GraphicBuffer) -> Vec<u8> {
        let mut place = self.place(SECONDS).unwrap();
        point(&mut place, picture);
        place.frame.pts = 1000;
        assert_eq!(self.queue(place), 0);
        loop {
            let (unit, _) = self.unit(SECONDS).unwrap();
            let (bytes, pts) = (bytes(&unit), unit.stream().pts);
            assert_eq!(self.back(unit), 0);
            if pts == 1000 {
                return bytes;
            }
        }
    }
}
