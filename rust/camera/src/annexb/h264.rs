//! NAL units of H.264 (Rec. H.264, table 7-1).

use super::SplitError;
use super::syntax::{Bits, Facts, Role, Set, Slice, bad, bad_unit, rate};
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::nal::{Nal, NalHeader, RefNal, UnitType};
use std::num::NonZeroUsize;

const HEADER: NonZeroUsize = NonZeroUsize::MIN;

/// Where an SPS has its level, and the highest there is.
const LEVEL_AT: usize = 3;
const HIGHEST_LEVEL: u8 = 62;

pub(super) fn role(nal: &[u8]) -> Result<Role, SplitError> {
    let header = nal.first().and_then(|&byte| NalHeader::new(byte).ok());
    let kind = header.ok_or_else(|| bad_unit(nal))?.nal_unit_type();
    Ok(match kind {
        UnitType::SliceLayerWithoutPartitioningIdr => slice(nal, true)?,
        UnitType::SliceLayerWithoutPartitioningNonIdr | UnitType::SliceDataPartitionALayer => {
            slice(nal, false)?
        }
        UnitType::SeqParameterSet => sps(nal)?,
        UnitType::PicParameterSet => pps(nal).map_err(|error| bad("PPS", error))?,
        UnitType::AccessUnitDelimiter
        | UnitType::SEI
        | UnitType::PrefixNALUnit
        | UnitType::SubsetSeqParameterSet
        | UnitType::DepthParameterSet
        | UnitType::Reserved(17 | 18) => Role::Opening,
        _ => Role::Following,
    })
}

/// The first slice of a picture is the one with its first macroblock: nobody who makes video for
/// cameras sends slices in another order, which only the baseline profile would allow.
fn slice(nal: &[u8], key: bool) -> Result<Role, SplitError> {
    let mut bits = Bits::behind(nal, HEADER);
    let first = bits.number().map_err(|_| bad_unit(nal))? == 0;
    let pps = bits.number().and_then(|_kind| bits.number()).ok();
    Ok(Role::Slice(Slice { first, key, pps }))
}

fn pps(nal: &[u8]) -> Result<Role, h264_reader::rbsp::BitReaderError> {
    let mut bits = Bits::behind(nal, HEADER);
    let id = bits.number()?;
    Ok(Role::Set(Set::Pps { id, sps: bits.number()? }))
}

fn sps(nal: &[u8]) -> Result<Role, SplitError> {
    // The parser refuses pictures that are larger than their level allows, which decoders do not.
    let mut lenient = nal.to_vec();
    let level = lenient.get_mut(LEVEL_AT).ok_or_else(|| bad_unit(nal))?;
    let level = std::mem::replace(level, HIGHEST_LEVEL);
    let read = RefNal::new(&lenient, &[], true);
    let sps = SeqParameterSet::from_bits(read.rbsp_bits()).map_err(|error| bad("SPS", error))?;
    let (width, height) = sps.pixel_dimensions().map_err(|error| bad("SPS", error))?;
    let vui = sps.vui_parameters.as_ref();
    let timing = vui.and_then(|vui| vui.timing_info.as_ref());
    let order = vui.and_then(|vui| vui.bitstream_restrictions.as_ref());
    let facts = Facts {
        width,
        height,
        profile: nal[1],
        level,
        // The clock ticks once for each field.
        fps: timing.and_then(|t| rate(t.time_scale, 2 * u64::from(t.num_units_in_tick))),
        reorder: order.map_or(0, |order| order.max_num_reorder_frames),
        chroma: sps.chroma_info.chroma_format.to_u32() as u8,
        luma_bits: sps.chroma_info.bit_depth_luma_minus8.saturating_add(8),
        chroma_bits: sps.chroma_info.bit_depth_chroma_minus8.saturating_add(8),
    };
    Ok(Role::Set(Set::Sps { id: sps.id().id().into(), facts }))
}
