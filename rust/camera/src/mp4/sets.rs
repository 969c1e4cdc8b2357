//! Parameter sets: what a decoder must know before the first picture.

use super::nal::{self, Kind};
use crate::annexb::{self, Facts, LARGEST_SET, MOST_SETS};
use crate::error::{Result, invalid};
use framelane::{Codec, Error, ErrorKind, StreamConfig};
use h264_reader::rbsp::decode_nal;
use std::collections::HashSet;

/// The parameter sets of a stream, each once, in the order VPS, SPS, PPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterSets {
    codec: Codec,
    units: Vec<Vec<u8>>,
}

impl ParameterSets {
    /// Those in an access unit or in the parameters of a config, in Annex B form.
    ///
    /// # Errors
    /// `TooLarge` for more or larger ones than either codec knows.
    pub fn in_bytes(codec: Codec, bytes: &[u8]) -> Result<Self> {
        Self::new(codec, nal::units(bytes))
    }

    /// Those among NAL units without start codes.
    pub(super) fn new<'a>(codec: Codec, units: impl IntoIterator<Item = &'a [u8]>) -> Result<Self> {
        let mut sets = ParameterSets { codec, units: Vec::new() };
        sets.add(units.into_iter().filter(|unit| Kind::of(codec, unit).is_set()))?;
        Ok(sets)
    }

    /// Those of a key record: its own, and of the kinds that it does not carry those of its config.
    ///
    /// # Errors
    /// As [`ParameterSets::in_bytes`].
    pub fn of_key(codec: Codec, record: &[u8], config: &StreamConfig) -> Result<Self> {
        let mut sets = Self::in_bytes(codec, record)?;
        let more = Self::in_bytes(codec, config.parameter_sets())?;
        let carried = sets.clone();
        let missing = |unit: &&[u8]| carried.of(Kind::of(codec, unit)).next().is_none();
        sets.add(more.units.iter().map(Vec::as_slice).filter(missing))?;
        Ok(sets)
    }

    fn add<'a>(&mut self, units: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let codec = self.codec;
        // The same one may come any number of times, and is looked for once.
        let mut seen = HashSet::new();
        for unit in units {
            if unit.len() > LARGEST_SET {
                let text = format!("a parameter set of {} bytes", unit.len());
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
            if !seen.insert(unit) || self.contains(unit) {
                continue;
            }
            let kind = Kind::of(codec, unit);
            let most = match kind {
                Kind::Vps => MOST_SETS[0],
                Kind::Sps => MOST_SETS[1],
                _ => MOST_SETS[2],
            };
            if self.of(kind).count() >= most as usize {
                let text = format!("more than {most} different {kind:?} parameter sets");
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
            self.units.push(unit.to_vec());
        }
        self.units.sort_by_key(|unit| Kind::of(codec, unit));
        Ok(())
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
    pub(super) fn picture(&self) -> Result<Facts> {
        let sps = self.of(Kind::Sps).next().ok_or_else(|| invalid("there is no SPS"))?;
        annexb::facts(self.codec, sps).map_err(|error| invalid(error.to_string()))
    }

    /// Profile, tier and level of H.265, the 12 bytes that its SPS and an hvcC box have in common.
    pub(super) fn profile(&self) -> Result<[u8; 12]> {
        let sps = self.of(Kind::Sps).next().ok_or_else(|| invalid("there is no SPS"))?;
        let plain = sps.get(1..).and_then(|sps| decode_nal(sps).ok());
        let bytes = plain.as_ref().and_then(|plain| plain.get(1..13)?.try_into().ok());
        bytes.ok_or_else(|| invalid("an SPS that is cut short"))
    }
}
