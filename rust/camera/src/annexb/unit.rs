//! What comes out: access units, and what is known of their video.

use super::SplitError;
use framelane::layout::RecordFlag;
use framelane::{Codec, Result, StreamConfig};
use std::collections::VecDeque;

/// One picture's worth of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Every NAL unit behind a start code of four bytes; or one JPEG picture.
    pub bytes: Vec<u8>,
    /// Decoding can start here.
    pub key: bool,
    /// It carries parameter sets in band.
    pub carries_parameters: bool,
    /// Bytes were given up between the unit before and this one.
    pub gap: bool,
    /// What its video is, where that differs from the unit before; on the first unit always.
    pub parameters: Option<VideoParameters>,
    /// The stamp of the push that brought its first byte.
    pub stamp: u64,
}

impl AccessUnit {
    /// Flags of a record that holds it.
    pub fn flags(&self) -> u32 {
        let flags = [
            (self.key, RecordFlag::KEY),
            (self.carries_parameters, RecordFlag::CONFIG),
            (self.gap, RecordFlag::DISCONTINUITY),
        ];
        flags.into_iter().filter_map(|(set, bit)| set.then_some(bit)).sum()
    }
}

/// What parameter sets say of the video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoParameters {
    /// H.264, H.265 or JPEG.
    pub codec: Codec,
    /// As shown, without the edges that are cut off.
    pub width: u32,
    /// As shown.
    pub height: u32,
    /// Profile number of the codec's standard; 0 for JPEG.
    pub profile: u8,
    /// Level number of the codec's standard; 0 for JPEG.
    pub level: u8,
    /// Pictures a second as a fraction, where the stream says so.
    pub fps: Option<(u32, u32)>,
    /// Pictures that may come before one that is shown earlier: with any, units come in another
    /// order than they are shown.
    pub reorder: u32,
    /// The sets themselves, each behind a start code.
    pub sets: Vec<u8>,
}

impl VideoParameters {
    /// The config of a stream of such units. Parameter sets that a config has no room for are left
    /// out of it; they are in the records all the same.
    ///
    /// # Errors
    /// None of today.
    pub fn config(&self) -> Result<StreamConfig> {
        let mut config = StreamConfig::video(self.codec, self.width, self.height);
        if let Some((numerator, denominator)) = self.fps {
            config = config.fps(numerator, denominator);
        }
        if self.sets.len() > config.parameters.len() {
            tracing::warn!(
                "{} bytes of parameter sets, a config has room for {}: readers that join late \
                 find them in the key records only",
                self.sets.len(),
                config.parameters.len()
            );
            return Ok(config);
        }
        config.with_parameters(&self.sets)
    }
}

/// What a splitter has ready.
pub(crate) type Queue = VecDeque<std::result::Result<AccessUnit, SplitError>>;
