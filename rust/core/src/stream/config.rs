//! Making and reading configs and record infos.

use crate::error::{Result, invalid};
use crate::layout::stream_limit::NO_TIME;
use crate::layout::{Codec, ConfigFlag, RecordFlag, RecordInfo, StreamConfig};

impl StreamConfig {
    /// A stream of this codec, with nothing else said.
    pub fn new(codec: Codec) -> Self {
        let mut config = StreamConfig { codec: codec.number(), ..StreamConfig::ZERO };
        config.settle();
        config
    }

    /// Video of this size.
    pub fn video(codec: Codec, width: u32, height: u32) -> Self {
        StreamConfig { width, height, ..Self::new(codec) }
    }

    /// Audio of this rate.
    pub fn audio(codec: Codec, sample_rate: u32, channels: u8) -> Self {
        StreamConfig { sample_rate, channels, ..Self::new(codec) }
    }

    /// The same with so many pictures a second, as a fraction.
    pub fn fps(mut self, numerator: u32, denominator: u32) -> Self {
        (self.fps_numerator, self.fps_denominator) = (numerator, denominator);
        self
    }

    /// The same with parameter sets that are not in the records.
    ///
    /// # Errors
    /// `InvalidArgument` for more bytes than a config has room for.
    pub fn with_parameters(mut self, bytes: &[u8]) -> Result<Self> {
        let room = self.parameters.len();
        let Some(into) = self.parameters.get_mut(..bytes.len()) else {
            let text = format!("{} bytes of parameters, a config has room for {room}", bytes.len());
            return Err(invalid(text));
        };
        into.copy_from_slice(bytes);
        self.parameter_bytes = bytes.len() as u32;
        Ok(self)
    }

    /// Parameter sets that are not in the records.
    pub fn parameter_sets(&self) -> &[u8] {
        let used = (self.parameter_bytes as usize).min(self.parameters.len());
        &self.parameters[..used]
    }

    /// The codec; None for a number that this build does not know.
    pub fn known_codec(&self) -> Option<Codec> {
        Codec::from_number(self.codec)
    }

    /// Makes it say what is always so of its codec.
    pub(crate) fn settle(&mut self) {
        let codec = self.known_codec();
        if matches!(codec, Some(Codec::H264 | Codec::H265)) {
            self.flags |= ConfigFlag::DEPENDENT;
        }
    }

    /// Refuses what no reader would believe.
    pub(crate) fn refuse_impossible(&self) -> Result<()> {
        let (used, room) = (self.parameter_bytes as usize, self.parameters.len());
        if used > room {
            return Err(invalid(format!(
                "{used} bytes of parameters, a config has room for {room}"
            )));
        }
        Ok(())
    }

    /// Whether the two differ in nothing but their number.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        StreamConfig { id: other.id, ..*self } == *other
    }
}

impl RecordInfo {
    /// No time known, no flag set: to say more of a record that is to be written.
    #[allow(clippy::new_without_default, reason = "zero is another sensible default")]
    pub const fn new() -> Self {
        let unknown = NO_TIME as i64;
        RecordInfo { pts_ns: unknown, dts_ns: unknown, ..RecordInfo::ZERO }
    }

    /// Whether decoding can start here.
    pub fn is_key(&self) -> bool {
        self.flags & RecordFlag::KEY != 0
    }

    /// Presentation time, where it is known.
    pub fn pts(&self) -> Option<i64> {
        (self.pts_ns != NO_TIME as i64).then_some(self.pts_ns)
    }

    /// Decoding time, where it is known.
    pub fn dts(&self) -> Option<i64> {
        (self.dts_ns != NO_TIME as i64).then_some(self.dts_ns)
    }
}
