//! Parameter sets: what a decoder must know before the first picture.

use super::nal::{self, Kind};
use crate::error::{Result, invalid};
use framelane::{Codec, StreamConfig};
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::rbsp::{BitRead, BitReader, decode_nal};

/// The parameter sets of a stream, each once, in the order VPS, SPS, PPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    codec: Codec,
    units: Vec<Vec<u8>>,
}

/// What a sample entry says of the pictures beside their size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    pub chroma: u8,
    pub luma_bits: u8,
    pub chroma_bits: u8,
}

impl ParameterSets {
    /// Those in an access unit or in the parameters of a config, in Annex B form.
    pub fn in_bytes(codec: Codec, bytes: &[u8]) -> Self {
        Self::new(codec, nal::units(bytes))
    }

    /// Those among NAL units without start codes.
    pub(super) fn new<'a>(codec: Codec, units: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut sets = ParameterSets { codec, units: Vec::new() };
        sets.add(units.into_iter().filter(|unit| Kind::of(codec, unit).is_set()));
        sets
    }

    /// Those of a key record: its own, and of the kinds that it does not carry those of its config.
    pub fn of_key(codec: Codec, record: &[u8], config: &StreamConfig) -> Self {
        let mut sets = Self::in_bytes(codec, record);
        let more = Self::in_bytes(codec, config.parameter_sets());
        let carried = sets.clone();
        let missing = |unit: &&[u8]| carried.of(Kind::of(codec, unit)).next().is_none();
        sets.add(more.units.iter().map(Vec::as_slice).filter(missing));
        sets
    }

    fn add<'a>(&mut self, units: impl Iterator<Item = &'a [u8]>) {
        for unit in units {
            if !self.contains(unit) {
                self.units.push(unit.to_vec());
            }
        }
        let codec = self.codec;
        self.units.sort_by_key(|unit| Kind::of(codec, unit));
    }

    /// Whether there are all that a decoder needs.
    pub fn complete(&self) -> bool {
        let has = |kind| self.of(kind).next().is_some();
        has(Kind::Sps) && has(Kind::Pps) && (self.codec != Codec::H265 || has(Kind::Vps))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// Whether this very set is among them.
    pub(super) fn contains(&self, unit: &[u8]) -> bool {
        self.units.iter().any(|own| own == unit)
    }

    /// Whether all of `others` are among them.
    pub fn contain(&self, others: &ParameterSets) -> bool {
        others.units.iter().all(|unit| self.contains(unit))
    }

    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &[u8]> {
        let wanted = move |unit: &&[u8]| Kind::of(self.codec, unit) == kind;
        self.units.iter().map(Vec::as_slice).filter(wanted)
    }

    /// All of them in Annex B form, as a config carries them.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.units.iter().for_each(|unit| nal::put(unit, &mut bytes));
        bytes
    }

    /// What the first SPS says of the pictures.
    ///
    /// # Errors
    /// `InvalidArgument` where it is none that a decoder would take.
    pub(super) fn picture(&self) -> Result<Picture> {
        let sps = self.of(Kind::Sps).next().ok_or_else(|| invalid("there is no SPS"))?;
        match self.codec {
            Codec::H264 => h264(sps),
            _ => h265(sps),
        }
        .map_err(|why| invalid(format!("an SPS that says nothing of use: {why}")))
    }

    /// Profile, tier and level of H.265, the 12 bytes that its SPS and an hvcC box have in common.
    pub(super) fn profile(&self) -> Result<[u8; 12]> {
        let sps = self.of(Kind::Sps).next().ok_or_else(|| invalid("there is no SPS"))?;
        let plain = sps.get(1..).and_then(|sps| decode_nal(sps).ok());
        let bytes = plain.as_ref().and_then(|plain| plain.get(1..13)?.try_into().ok());
        bytes.ok_or_else(|| invalid("an SPS that is cut short"))
    }
}

fn h264(sps: &[u8]) -> Result<Picture, String> {
    let plain = decode_nal(sps).map_err(|error| error.to_string())?;
    let sps = SeqParameterSet::from_bits(BitReader::new(&*plain));
    let sps = sps.map_err(|error| format!("{error:?}"))?;
    let (width, height) = sps.pixel_dimensions().map_err(|error| format!("{error:?}"))?;
    let chroma = &sps.chroma_info;
    Ok(Picture {
        width,
        height,
        chroma: chroma.chroma_format.to_u32() as u8,
        luma_bits: chroma.bit_depth_luma_minus8 + 8,
        chroma_bits: chroma.bit_depth_chroma_minus8 + 8,
    })
}

/// The first fields of an SPS of H.265; the crate knows H.264 only, but how bits are read is the
/// same.
fn h265(sps: &[u8]) -> Result<Picture, String> {
    // The header has two bytes, one of which the crate leaves out.
    let plain = decode_nal(sps.get(1..).unwrap_or_default()).map_err(|error| error.to_string())?;
    let mut bits = BitReader::new(&*plain);
    let read = |error| format!("{error:?}");
    let layers = {
        bits.skip(4, "sps_video_parameter_set_id").map_err(read)?;
        bits.read::<3, u8>("sps_max_sub_layers_minus1").map_err(read)?
    };
    bits.skip(1 + 96, "profile_tier_level").map_err(read)?;
    skip_layers(&mut bits, layers).map_err(read)?;
    let mut number = |name| bits.read_ue(name).map_err(read);
    number("sps_seq_parameter_set_id")?;
    let chroma = number("chroma_format_idc")?;
    if chroma == 3 {
        bits.skip(1, "separate_colour_plane_flag").map_err(read)?;
    }
    let mut number = |name| bits.read_ue(name).map_err(read);
    let mut width = number("pic_width_in_luma_samples")?;
    let mut height = number("pic_height_in_luma_samples")?;
    if bits.read_bit("conformance_window_flag").map_err(read)? {
        let mut number = |name| bits.read_ue(name).map_err(read);
        let window = [number("left")?, number("right")?, number("top")?, number("bottom")?];
        let across = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let down = if chroma == 1 { 2 } else { 1 };
        width = cut(width, window[0], window[1], across)?;
        height = cut(height, window[2], window[3], down)?;
    }
    let mut number = |name| bits.read_ue(name).map_err(read);
    let (luma, chroma_depth) = (number("bit_depth_luma")?, number("bit_depth_chroma")?);
    if chroma > 3 || luma.max(chroma_depth) > 7 {
        return Err("chroma or depth that there is not".into());
    }
    let (luma_bits, chroma_bits) = (luma as u8 + 8, chroma_depth as u8 + 8);
    Ok(Picture { width, height, chroma: chroma as u8, luma_bits, chroma_bits })
}

/// Passes over what the SPS says of its layers.
fn skip_layers(
    bits: &mut impl BitRead,
    layers: u8,
) -> Result<(), h264_reader::rbsp::BitReaderError> {
    if layers == 0 {
        return Ok(());
    }
    let mut present = Vec::new();
    for _ in 0..layers {
        present.push((bits.read_bit("profile")?, bits.read_bit("level")?));
    }
    bits.skip(2 * (8 - u32::from(layers)), "reserved_zero_2bits")?;
    for (profile, level) in present {
        bits.skip(88 * u32::from(profile) + 8 * u32::from(level), "sub_layer")?;
    }
    Ok(())
}

fn cut(whole: u32, before: u32, after: u32, step: u32) -> Result<u32, String> {
    let both = before.checked_add(after).and_then(|both| both.checked_mul(step));
    let left = both.and_then(|both| whole.checked_sub(both)).filter(|&left| left > 0);
    left.ok_or_else(|| "a window larger than the picture".into())
}
