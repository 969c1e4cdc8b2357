//! What to make of pictures, checked before anything is opened.

use crate::error::Result;
use framelane::ErrorKind;
use framelane_hobot_sys::codec::{Cbr, Context, MjpegFixQp, REFRESH_IDR, gop_preset, id};
use framelane_hobot_sys::codec::{pixel_format, rate_control};

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoCodec {
    /// AVC.
    H264,
    /// HEVC.
    H265,
    /// One JPEG for each picture.
    Mjpeg,
}

/// Where pictures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// They are read in place, by bus address, in memory that is not the codec's.
    External,
    /// They are copied into buffers of the codec's own.
    Copied,
}

/// Profiles of H.264.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The simplest.
    Baseline,
    /// With arithmetic coding.
    Main,
    /// With larger transforms.
    High,
}

/// An encoder as it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncoderSetup {
    /// What comes out.
    pub codec: VideoCodec,
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Pictures a second that the rate is reckoned with, 1 to 240.
    pub fps: u32,
    /// Of H.264 and H.265, in kbit/s, up to 700000.
    pub bitrate_kbps: u32,
    /// From one IDR to the next, in pictures, up to 2047; 0 makes no more than the first.
    pub gop: u32,
    /// Of H.264; None leaves it to the codec.
    pub profile: Option<Profile>,
    /// Of MJPEG, 1 to 100.
    pub quality: u32,
    /// Where pictures come from.
    pub input: Input,
    /// Three planes (I420) in place of two (NV12).
    pub planar: bool,
    /// Pictures it can have at once, 1 to 31.
    pub pictures: u32,
    /// Access units that can wait or be held at once.
    pub units: u32,
}

impl Default for EncoderSetup {
    fn default() -> Self {
        EncoderSetup {
            codec: VideoCodec::H264,
            width: 1280,
            height: 720,
            fps: 30,
            bitrate_kbps: 2000,
            gop: 60,
            profile: None,
            quality: 50,
            input: Input::External,
            planar: false,
            pictures: 5,
            units: 5,
        }
    }
}

impl EncoderSetup {
    /// # Errors
    /// `InvalidArgument` with what cannot be.
    pub fn check(&self) -> Result<()> {
        let side = |value: u32| (16..=8192).contains(&value) && value % 2 == 0;
        let (width, height) = (self.width, self.height);
        let wrong = if !side(width) || !side(height) {
            format!("{width}x{height}: both must be even and from 16 to 8192")
        } else if !(1..=240).contains(&self.fps) {
            format!("{} pictures a second: 1 to 240", self.fps)
        } else if self.codec != VideoCodec::Mjpeg && !(1..=700_000).contains(&self.bitrate_kbps) {
            format!("{} kbit/s: 1 to 700000", self.bitrate_kbps)
        } else if self.gop > 2047 {
            format!("{} pictures from one key picture to the next: at most 2047", self.gop)
        } else if self.codec == VideoCodec::Mjpeg && !(1..=100).contains(&self.quality) {
            format!("quality {}: 1 to 100", self.quality)
        } else if self.codec != VideoCodec::H264 && self.profile.is_some() {
            "only H.264 has profiles to choose from here".to_owned()
        } else if !(1..=31).contains(&self.pictures) || !(1..=64).contains(&self.units) {
            format!("{} pictures, {} units: 1 to 31, 1 to 64", self.pictures, self.units)
        } else {
            return Ok(());
        };
        let text = format!("the encoder cannot do {wrong}");
        Err(framelane::Error::new(ErrorKind::InvalidArgument, text).into())
    }

    /// Its number.
    pub(super) fn id(&self) -> i32 {
        match self.codec {
            VideoCodec::H264 => id::H264,
            VideoCodec::H265 => id::H265,
            VideoCodec::Mjpeg => id::MJPEG,
        }
    }

    /// How it controls its rate: the mode's number.
    pub(super) fn rate_mode(&self) -> i32 {
        match self.codec {
            VideoCodec::H264 => rate_control::H264_CBR,
            VideoCodec::H265 => rate_control::H265_CBR,
            VideoCodec::Mjpeg => rate_control::MJPEG_FIXQP,
        }
    }

    /// Sets what differs from the vendor's defaults, which the context has.
    pub(super) fn apply(&self, context: &mut Context) {
        let params = &mut context.params;
        (params.width, params.height) = (self.width as i32, self.height as i32);
        params.pix_fmt = if self.planar { pixel_format::YUV420P } else { pixel_format::NV12 };
        (params.frame_buf_count, params.bitstream_buf_count) = (self.pictures, self.units);
        params.bitstream_buf_size = self.unit_bytes();
        params.external_frame_buf = (self.input == Input::External).into();
        let rate = &mut params.rate_control;
        rate.mode = self.rate_mode();
        if self.codec == VideoCodec::Mjpeg {
            rate.set_mjpeg(&MjpegFixQp { frame_rate: self.fps, quality_factor: self.quality });
            return;
        }
        rate.set_cbr(&Cbr {
            intra_period: self.gop,
            bit_rate: self.bitrate_kbps,
            frame_rate: self.fps,
            ..rate.cbr()
        });
        // The vendor's samples take the other preset, which makes intra pictures only.
        params.gop_preset_idx = gop_preset::ONE_REFERENCE;
        (params.decoding_refresh_type, params.enable_user_pts) = (REFRESH_IDR, 1);
        if self.codec == VideoCodec::H264 {
            params.codec_config[0] = match self.profile {
                None => 0,
                Some(Profile::Baseline) => 1,
                Some(Profile::Main) => 2,
                Some(Profile::High) => 4,
            };
        }
    }

    /// Room for one access unit: as the raw picture, in steps that the codec knows.
    pub(super) fn unit_bytes(&self) -> u32 {
        (self.width * self.height * 3 / 2).max(64 << 10).next_multiple_of(4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let usual = EncoderSetup::default();
        usual.check().unwrap();
        for (setup, words) in [
            (EncoderSetup { width: 641, ..usual }, "641x720: both must be even"),
            (EncoderSetup { height: 9000, ..usual }, "from 16 to 8192"),
            (EncoderSetup { fps: 0, ..usual }, "0 pictures a second: 1 to 240"),
            (EncoderSetup { bitrate_kbps: 0, ..usual }, "0 kbit/s"),
            (EncoderSetup { gop: 2048, ..usual }, "at most 2047"),
            (EncoderSetup { codec: VideoCodec::Mjpeg, quality: 0, ..usual }, "quality 0"),
            (EncoderSetup { pictures: 32, ..usual }, "32 pictures"),
            (
                EncoderSetup { codec: VideoCodec::H265, profile: Some(Profile::Main), ..usual },
                "only H.264",
            ),
        ] {
            let error = setup.check().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains(words), "{error}");
        }
        assert_eq!(usual.unit_bytes(), 1_384_448);
        assert_eq!(EncoderSetup { width: 64, height: 48, ..usual }.unit_bytes(), 65536);
    }
}
