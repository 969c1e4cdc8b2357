//! What a NAL unit is for, in terms that both codecs share.

use super::{SplitError, h264, h265};
use framelane::Codec;
use h264_reader::rbsp::{BitRead, BitReader, BitReaderError, ByteReader};
use std::num::NonZeroUsize;

/// The two codecs of Annex B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    H264,
    H265,
}

/// What a NAL unit is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Part of a coded picture.
    Slice(Slice),
    /// A parameter set, which an access unit may begin with.
    Set(Set),
    /// Something else that an access unit may begin with.
    Opening,
    /// Belongs to whatever access unit is open.
    Following,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slice {
    /// The picture begins with it.
    pub first: bool,
    /// Decoding can start at its picture.
    pub key: bool,
    /// Number of its PPS, where it could be read.
    pub pps: Option<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Set {
    Vps { id: u32 },
    Sps { id: u32, facts: Facts },
    Pps { id: u32, sps: u32 },
}

/// What an SPS says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub width: u32,
    pub height: u32,
    pub profile: u8,
    pub level: u8,
    pub fps: Option<(u32, u32)>,
    pub reorder: u32,
    /// Format of its colours: 0 none, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub chroma: u8,
    pub luma_bits: u8,
    pub chroma_bits: u8,
}

impl Syntax {
    pub fn of(codec: Codec) -> Option<Self> {
        match codec {
            Codec::H264 => Some(Syntax::H264),
            Codec::H265 => Some(Syntax::H265),
            _ => None,
        }
    }

    pub fn codec(self) -> Codec {
        match self {
            Syntax::H264 => Codec::H264,
            Syntax::H265 => Codec::H265,
        }
    }

    /// Reads as much of a NAL unit as its role needs.
    pub fn role(self, nal: &[u8]) -> Result<Role, SplitError> {
        match self {
            Syntax::H264 => h264::role(nal),
            Syntax::H265 => h265::role(nal),
        }
    }
}

/// Bits of a NAL unit behind its header.
pub(super) struct Bits<'a>(BitReader<ByteReader<&'a [u8]>>);

impl<'a> Bits<'a> {
    /// Behind a header of so many bytes.
    pub fn behind(nal: &'a [u8], header: NonZeroUsize) -> Self {
        Bits(BitReader::new(ByteReader::skipping_bytes(nal, header)))
    }

    /// A number of variable length.
    pub fn number(&mut self) -> Result<u32, BitReaderError> {
        self.0.read_ue("number")
    }

    /// The next bits as a number, at most 32 of them.
    pub fn take(&mut self, count: u32) -> Result<u32, BitReaderError> {
        self.0.read_var(count, "bits")
    }

    pub fn skip(&mut self, count: u32) -> Result<(), BitReaderError> {
        for _ in 0..count {
            self.flag()?;
        }
        Ok(())
    }

    pub fn flag(&mut self) -> Result<bool, BitReaderError> {
        self.0.read_bit("flag")
    }
}

/// The error of a parameter set that could not be read.
pub(super) fn bad(set: &'static str, why: impl std::fmt::Debug) -> SplitError {
    SplitError::BadParameters { set, why: format!("{why:?}") }
}

pub(super) fn bad_unit(nal: &[u8]) -> SplitError {
    SplitError::BadUnit { header: nal[..nal.len().min(2)].to_vec() }
}

/// A rate as a fraction, where it can be one.
pub(super) fn rate(time_scale: u32, units: u64) -> Option<(u32, u32)> {
    let units = u32::try_from(units).ok().filter(|&units| units > 0 && time_scale > 0)?;
    let common = greatest_common_divisor(time_scale, units);
    Some((time_scale / common, units / common))
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
