//! NAL units of H.265 (Rec. H.265, table 7-1).
//!
//! Of the parameter sets only as much is read as a stream lane tells of. The crates that read all
//! of it stop the program when a damaged one comes; the bit reader of `h264-reader` does not.

use super::SplitError;
use super::syntax::{Bits, Facts, Role, Set, Slice, bad, bad_unit};
use h264_reader::rbsp::BitReaderError;
use std::num::NonZeroUsize;

const HEADER: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// Sides of the largest pictures of any level (table A.8).
const LARGEST_SIDE: u32 = 16888;
/// Pictures that a decoder has room for at most.
const MOST_BUFFERED: u32 = 16;

/// Kinds of NAL units.
mod kind {
    pub const LAST_PICTURE: u8 = 31;
    pub const FIRST_KEY: u8 = 16;
    /// CRA; two reserved ones follow that are read like key pictures too.
    pub const LAST_KEY: u8 = 23;
    pub const VPS: u8 = 32;
    pub const SPS: u8 = 33;
    pub const PPS: u8 = 34;
    pub const DELIMITER: u8 = 35;
    pub const PREFIX_SEI: u8 = 39;
}

pub(super) fn role(nal: &[u8]) -> Result<Role, SplitError> {
    let &[first, second, ..] = nal else { return Err(bad_unit(nal)) };
    let (forbidden, layered) = (first & 0x80 != 0, first & 1 != 0 || second >> 3 != 0);
    if forbidden || second & 7 == 0 {
        return Err(bad_unit(nal));
    }
    let number = first >> 1;
    if layered {
        // Another layer of the same picture.
        return Ok(Role::Following);
    }
    let opening = matches!(number, kind::DELIMITER | kind::PREFIX_SEI | 41..=44 | 48..=55);
    match number {
        0..=kind::LAST_PICTURE => slice(nal, number).map_err(|_| bad_unit(nal)),
        kind::VPS => Ok(Role::Set(Set::Vps { id: u32::from(nal.get(2).map_or(0, |b| b >> 4)) })),
        kind::SPS => sps(nal),
        kind::PPS => pps(nal).map_err(|error| bad("PPS", error)),
        _ if opening => Ok(Role::Opening),
        _ => Ok(Role::Following),
    }
}

fn slice(nal: &[u8], number: u8) -> Result<Role, BitReaderError> {
    let mut bits = Bits::behind(nal, HEADER);
    let first = bits.flag()?;
    let key = (kind::FIRST_KEY..=kind::LAST_KEY).contains(&number);
    if key {
        let _no_output_of_prior_pictures = bits.flag()?;
    }
    Ok(Role::Slice(Slice { first, key, pps: bits.number().ok() }))
}

fn pps(nal: &[u8]) -> Result<Role, BitReaderError> {
    let mut bits = Bits::behind(nal, HEADER);
    let id = bits.number()?;
    Ok(Role::Set(Set::Pps { id, sps: bits.number()? }))
}

/// The first part of an SPS, up to where the size and order of pictures have been told.
fn sps(nal: &[u8]) -> Result<Role, SplitError> {
    let read = read_sps(nal).map_err(|error| bad("SPS", error))?;
    read.map(Role::Set).ok_or_else(|| bad("SPS", "values that cannot be"))
}

fn read_sps(nal: &[u8]) -> Result<Option<Set>, BitReaderError> {
    let mut bits = Bits::behind(nal, HEADER);
    bits.skip(4)?; // number of the VPS
    let layers = bits.take(3)?; // less one
    bits.skip(1)?;
    let (profile, level) = profile_and_level(&mut bits, layers)?;
    let id = bits.number()?;
    let chroma = bits.number()?;
    let separate = chroma == 3 && bits.flag()?;
    let (coded_width, coded_height) = (bits.number()?, bits.number()?);
    let mut window = [0; 4];
    if bits.flag()? {
        for side in &mut window {
            *side = bits.number()?;
        }
    }
    let depths = [bits.number()?, bits.number()?]; // less eight
    let _order_bits = bits.number()?;
    let mut reorder = 0;
    let each_layer = bits.flag()?;
    for _ in if each_layer { 0 } else { layers }..=layers {
        let _buffered = bits.number()?;
        reorder = bits.number()?;
        let _latency = bits.number()?;
    }
    let (unit_x, unit_y) = match chroma {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let [left, right, top, bottom] = window;
    let width = shown(coded_width, left, right, unit_x);
    let height = shown(coded_height, top, bottom, unit_y);
    let possible = chroma <= 3 && !separate && layers < 7 && reorder <= MOST_BUFFERED;
    let size = width.zip(height).filter(|_| possible && depths.iter().all(|&bits| bits <= 8));
    Ok(size.map(|(width, height)| {
        let [luma_bits, chroma_bits] = depths.map(|bits| bits as u8 + 8);
        let facts = Facts {
            width,
            height,
            profile,
            level,
            fps: None,
            reorder,
            chroma: chroma as u8,
            luma_bits,
            chroma_bits,
        };
        Set::Sps { id, facts }
    }))
}

/// The profile and level of the whole stream; what is said of its temporal layers is passed over.
fn profile_and_level(bits: &mut Bits<'_>, layers: u32) -> Result<(u8, u8), BitReaderError> {
    bits.skip(3)?;
    let profile = bits.take(5)?;
    bits.skip(32 + 48)?;
    let level = bits.take(8)?;
    let mut told = Vec::new();
    for _ in 0..layers {
        told.push((bits.flag()?, bits.flag()?));
    }
    if layers > 0 {
        bits.skip(2 * 8u32.saturating_sub(layers))?;
    }
    for (has_profile, has_level) in told {
        bits.skip(if has_profile { 88 } else { 0 })?;
        bits.skip(if has_level { 8 } else { 0 })?;
    }
    Ok((profile as u8, level as u8))
}

/// A side without what is cut off; None where that leaves nothing, or more than any level has.
fn shown(whole: u32, before: u32, after: u32, unit: u32) -> Option<u32> {
    let cut = before.checked_add(after)?.checked_mul(unit)?;
    whole.checked_sub(cut).filter(|&left| left > 0 && whole <= LARGEST_SIDE)
}
