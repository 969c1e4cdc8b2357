//! H.264 in software, by Cisco's OpenH264.

use super::planar::{Planes, color_of};
use super::{EncodedUnit, Encoder, EncoderOptions, Profile, Sink, Stamp};
use crate::error::Result;
use framelane::{Codec, ColorMatrix, ColorRange, Error, ErrorKind, Frame, PixelFormat};
use openh264::encoder::{
    BitRate, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, MatrixCoefficients,
    RateControlMode, VuiConfig,
};
use openh264::formats::YUVSlices;
use openh264::{OpenH264API, Timestamp};
use std::time::Duration;

/// Smallest side, and the largest longer and shorter ones.
const SMALLEST: u32 = 16;
const LARGEST: (u32, u32) = (3840, 2160);

/// Encodes each frame before its lease ends; the access unit waits in a buffer of its own.
pub(super) struct OpenH264 {
    encoder: openh264::encoder::Encoder,
    planes: Planes,
    shape: (u32, u32, u32),
    unit: Vec<u8>,
    ready: Option<(Stamp, bool)>,
}

impl OpenH264 {
    /// An encoder of frames like the one given.
    pub fn new(frame: &Frame, options: &EncoderOptions) -> Result<Self> {
        let descriptor = frame.descriptor();
        if options.codec != Codec::H264 {
            let text = format!("openh264 makes h264, not {}", options.codec.name());
            return Err(unsupported(text));
        }
        let (width, height) = (descriptor.width, descriptor.height);
        let (longer, shorter) = (width.max(height), width.min(height));
        if shorter < SMALLEST || longer > LARGEST.0 || shorter > LARGEST.1 {
            let text = format!(
                "openh264 takes pictures from {SMALLEST}x{SMALLEST} to {}x{}, not {width}x{height}",
                LARGEST.0, LARGEST.1
            );
            return Err(unsupported(text));
        }
        let config = config(frame, options);
        let api = OpenH264API::from_source();
        let encoder = openh264::encoder::Encoder::with_api_config(api, config).map_err(failed)?;
        Ok(OpenH264 {
            encoder,
            planes: Planes::default(),
            shape: shape(frame),
            unit: Vec::new(),
            ready: None,
        })
    }
}

fn config(frame: &Frame, options: &EncoderOptions) -> EncoderConfig {
    let descriptor = frame.descriptor();
    let bits = options.bits_per_second(descriptor.width, descriptor.height);
    let rate = options.rate.frames() as f32 / options.rate.seconds() as f32;
    let config = EncoderConfig::new()
        .bitrate(BitRate::from_bps(bits.min(i32::MAX as u32)))
        .max_frame_rate(FrameRate::from_hz(rate))
        .rate_control_mode(RateControlMode::Bitrate)
        // Each frame gives an access unit.
        .skip_frames(false)
        // Key pictures come when they are due or asked for.
        .scene_change_detect(false)
        .intra_frame_period(IntraFramePeriod::from_num_frames(options.gop()))
        .num_threads(1)
        .vui(meaning(frame));
    match options.profile {
        None => config,
        Some(Profile::Baseline) => config.profile(openh264::encoder::Profile::Baseline),
        Some(Profile::Main) => config.profile(openh264::encoder::Profile::Main),
        Some(Profile::High) => config.profile(openh264::encoder::Profile::High),
    }
}

/// What decoders are told of the colours.
fn meaning(frame: &Frame) -> VuiConfig {
    let format = PixelFormat::from_number(frame.descriptor().fourcc).unwrap_or(PixelFormat::Nv12);
    let color = color_of(frame, format);
    let vui = match color.matrix {
        ColorMatrix::Bt601 => VuiConfig::bt601(),
        ColorMatrix::Bt2020 => {
            VuiConfig::bt709().matrix_coefficients(MatrixCoefficients::Bt2020Ncl)
        }
        _ => VuiConfig::bt709(),
    };
    vui.full_range(color.range == ColorRange::Full)
}

impl Encoder for OpenH264 {
    fn name(&self) -> &'static str {
        "openh264"
    }

    fn frames_held(&self) -> u32 {
        1
    }

    fn submit(&mut self, frame: Frame) -> Result<()> {
        if shape(&frame) != self.shape {
            return Err(unsupported("a frame of another size or format".into()));
        }
        let stamp = Stamp::of(&frame);
        let planar = self.planes.of(&frame)?;
        let [y, u, v] = planar.planes;
        let [y_stride, u_stride, v_stride] = planar.strides;
        let size = (planar.width, planar.height);
        let source = YUVSlices::new((y, u, v), size, (y_stride, u_stride, v_stride));
        let time = Timestamp::from_millis((stamp.pts_ns / 1_000_000) as u64);
        let made = self.encoder.encode_at(&source, time).map_err(failed)?;
        let key = match made.frame_type() {
            FrameType::IDR => true,
            FrameType::Skip | FrameType::Invalid => return Ok(()),
            _ => false,
        };
        self.unit.clear();
        made.write_vec(&mut self.unit);
        self.ready = Some((stamp, key));
        Ok(())
    }

    fn receive(&mut self, _timeout: Duration, sink: &mut Sink<'_>) -> Result<bool> {
        let Some((stamp, key)) = self.ready.take() else { return Ok(false) };
        let pieces: &[&[u8]] = &[&self.unit];
        // It writes its parameter sets before each key picture.
        let carries_parameters = key;
        let dts_ns = Some(stamp.pts_ns);
        sink(&EncodedUnit { pieces, key, carries_parameters, dts_ns, stamp })?;
        Ok(true)
    }

    fn request_key_frame(&mut self) {
        self.encoder.force_intra_frame();
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }

    fn copied_bytes(&self) -> u64 {
        self.planes.copied
    }
}

fn shape(frame: &Frame) -> (u32, u32, u32) {
    let descriptor = frame.descriptor();
    (descriptor.width, descriptor.height, descriptor.fourcc)
}

fn unsupported(text: String) -> Error {
    Error::new(ErrorKind::Unsupported, text)
}

fn failed(error: openh264::Error) -> Error {
    Error::new(ErrorKind::System, format!("openh264: {error}"))
}
