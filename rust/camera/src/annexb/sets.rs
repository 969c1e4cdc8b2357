//! The parameter sets that came so far.

use super::SplitError;
use super::syntax::{Facts, Set, Syntax, bad};
use super::unit::VideoParameters;
use std::collections::BTreeMap;

/// Sets are small; what is larger is none.
pub(crate) const LARGEST: usize = 4096;
/// Most sets of a kind that either codec knows, by their largest number: VPS, SPS, PPS.
pub(crate) const MOST: [u32; 3] = [16, 32, 256];

pub(super) const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Newest parameter sets by number.
#[derive(Default)]
pub(super) struct Sets {
    video: BTreeMap<u32, Vec<u8>>,
    sequence: BTreeMap<u32, (Facts, Vec<u8>)>,
    /// With the SPS each refers to.
    picture: BTreeMap<u32, (u32, Vec<u8>)>,
}

impl Sets {
    pub fn put(&mut self, set: Set, nal: &[u8]) -> Result<(), SplitError> {
        let (name, id, most) = match set {
            Set::Vps { id } => ("VPS", id, MOST[0]),
            Set::Sps { id, .. } => ("SPS", id, MOST[1]),
            Set::Pps { id, .. } => ("PPS", id, MOST[2]),
        };
        if nal.len() > LARGEST || id >= most {
            return Err(bad(name, format!("number {id}, {} bytes", nal.len())));
        }
        let bytes = nal.to_vec();
        match set {
            Set::Vps { .. } => drop(self.video.insert(id, bytes)),
            Set::Sps { facts, .. } => drop(self.sequence.insert(id, (facts, bytes))),
            Set::Pps { sps, .. } => drop(self.picture.insert(id, (sps, bytes))),
        }
        Ok(())
    }

    /// What a picture that refers to PPS `id` is; None where its sets are not there.
    pub fn of_picture(&self, syntax: Syntax, id: u32) -> Option<VideoParameters> {
        let (number, _) = self.picture.get(&id)?;
        let (facts, sps) = self.sequence.get(number)?;
        let video = self.video.values();
        let of_it = self.picture.values().filter(|(of, _)| of == number).map(|(_, bytes)| bytes);
        let mut sets = Vec::new();
        for set in video.chain([sps]).chain(of_it) {
            sets.extend_from_slice(&START_CODE);
            sets.extend_from_slice(set);
        }
        Some(VideoParameters {
            codec: syntax.codec(),
            width: facts.width,
            height: facts.height,
            profile: facts.profile,
            level: facts.level,
            fps: facts.fps,
            reorder: facts.reorder,
            sets,
        })
    }
}
