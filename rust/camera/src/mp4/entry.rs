//! Sample entries: what the samples of a track are.

use super::boxes::{self, leaf};
use super::nal::{self, Kind};
use super::sets::ParameterSets;
use crate::annexb::{Facts, LARGEST_SET, MOST_SETS};
use crate::error::{Result, invalid};
use framelane::{Codec, Error, ErrorKind, StreamConfig};
use mp4_atom::{Avc1, Avcc, AvccExt, FourCC, Hvc1, HvcCArray, Hvcc, Visual};

/// Units of a sample; a picture of the largest levels has a few hundred.
const MOST_UNITS: usize = 1 << 14;

/// What the samples of a file are: codec, size and parameter sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    codec: Codec,
    picture: Facts,
    sets: ParameterSets,
    /// Bytes of the length in front of each NAL unit.
    length_bytes: usize,
}

impl Entry {
    /// The entry of a file that begins with this key record.
    ///
    /// # Errors
    /// `Unsupported` for a codec that is not written; `InvalidArgument` where neither the record
    /// nor its config has parameter sets, or their SPS makes no sense; `TooLarge` for more sets
    /// or larger pictures than a file can have.
    pub fn of_key(config: &StreamConfig, record: &[u8]) -> Result<Entry> {
        let codec = match config.known_codec() {
            Some(codec @ (Codec::H264 | Codec::H265)) => codec,
            Some(other) => {
                let text = format!("{} is not written into MP4 files", other.name());
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            None => {
                let text = format!("codec {} is not known", config.codec);
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        };
        let sets = ParameterSets::of_key(codec, record, config)?;
        if !sets.complete() {
            let text = "neither the key record nor its config carries all parameter sets, without \
                        which nothing can be decoded";
            return Err(invalid(text));
        }
        let picture = sets.picture()?;
        if picture.luma_bits.max(picture.chroma_bits) > 15 {
            return Err(invalid("an SPS of more than 15 bits a sample"));
        }
        if picture.width > u32::from(u16::MAX) || picture.height > u32::from(u16::MAX) {
            let text = format!("{}x{} exceeds what MP4 can say", picture.width, picture.height);
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(Entry { codec, picture, sets, length_bytes: 4 })
    }

    /// Whether a key record under this config fits into a file of this entry.
    pub fn fits(&self, config: &StreamConfig, record: &[u8]) -> bool {
        config.known_codec() == Some(self.codec)
            && ParameterSets::of_key(self.codec, record, config)
                .is_ok_and(|sets| self.sets.contain(&sets))
    }

    /// H.264 or H.265.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Width and height of the pictures, as their SPS says.
    pub fn size(&self) -> (u32, u32) {
        (self.picture.width, self.picture.height)
    }

    /// Its parameter sets.
    pub fn sets(&self) -> &ParameterSets {
        &self.sets
    }

    /// An access unit as a sample of a file: lengths instead of start codes, without the sets that
    /// are here.
    pub fn to_sample(&self, record: &[u8]) -> Vec<u8> {
        let mut sample = Vec::with_capacity(record.len() + 16);
        for unit in nal::units(record) {
            if !(Kind::of(self.codec, unit).is_set() && self.sets.contains(unit)) {
                sample.extend_from_slice(&(unit.len() as u32).to_be_bytes());
                sample.extend_from_slice(unit);
            }
        }
        sample
    }

    /// A sample of a file as an access unit; with all sets in front where it is one to start at
    /// and carries none. Whether it carries sets now.
    ///
    /// # Errors
    /// `InvalidArgument` when lengths lead out of the sample; `TooLarge` for more units than any
    /// picture has.
    pub fn to_record(&self, sample: &[u8], key: bool, record: &mut Vec<u8>) -> Result<bool> {
        let mut units = Vec::new();
        let mut rest = sample;
        while !rest.is_empty() {
            let unit = self.split(&mut rest).ok_or_else(|| {
                let at = sample.len() - rest.len();
                invalid(format!("the NAL unit at byte {at} of {} leads out", sample.len()))
            })?;
            if !unit.is_empty() {
                units.push(unit);
            }
            if units.len() > MOST_UNITS {
                let text = format!("a sample of more than {MOST_UNITS} NAL units");
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
        }
        let carries = units.iter().any(|unit| Kind::of(self.codec, unit) == Kind::Sps);
        let delimited =
            units.first().is_some_and(|first| Kind::of(self.codec, first) == Kind::Delimiter);
        let (before, after) = units.split_at(usize::from(delimited));
        before.iter().for_each(|unit| nal::put(unit, record));
        if key && !carries {
            record.extend_from_slice(&self.sets.bytes());
        }
        after.iter().for_each(|unit| nal::put(unit, record));
        Ok(carries || key)
    }

    fn split<'a>(&self, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        let (length, after) = rest.split_at_checked(self.length_bytes)?;
        let length = length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        let unit;
        (unit, *rest) = after.split_at_checked(length)?;
        Some(unit)
    }

    /// The box of this entry.
    pub(super) fn boxed(&self) -> Result<mp4_atom::Codec> {
        let visual = Visual {
            data_reference_index: 1,
            width: self.picture.width as u16,
            height: self.picture.height as u16,
            ..Visual::default()
        };
        Ok(match self.codec {
            Codec::H264 => Avc1 { visual, avcc: self.avcc()?, ..Avc1::default() }.into(),
            _ => Hvc1 { visual, hvcc: self.hvcc()?, ..Hvc1::default() }.into(),
        })
    }

    fn avcc(&self) -> Result<Avcc> {
        let sets = |kind| -> Vec<Vec<u8>> { self.sets.of(kind).map(<[u8]>::to_vec).collect() };
        let (sps, pps) = (sets(Kind::Sps), sets(Kind::Pps));
        // The counts of the box have 5 and 8 bits.
        if sps.len() > 31 || pps.len() > 255 {
            let text = format!("{} SPS and {} PPS exceed what MP4 can say", sps.len(), pps.len());
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        let one = |sets: &[Vec<u8>]| sets.first().cloned().unwrap_or_default();
        let mut avcc = Avcc::new(&one(&sps), &one(&pps)).map_err(|error| written(&error))?;
        // The profiles that have chroma and depth in their SPS have them here too.
        if matches!(avcc.avc_profile_indication, 100 | 110 | 122 | 144 | 244) {
            avcc.ext = Some(AvccExt {
                chroma_format: self.picture.chroma,
                bit_depth_luma: self.picture.luma_bits,
                bit_depth_chroma: self.picture.chroma_bits,
                sequence_parameter_sets_ext: Vec::new(),
            });
        }
        (avcc.sequence_parameter_sets, avcc.picture_parameter_sets) = (sps, pps);
        Ok(avcc)
    }

    fn hvcc(&self) -> Result<Hvcc> {
        let profile = self.sets.profile()?;
        let array = |(nal_unit_type, kind)| {
            let nalus = self.sets.of(kind).map(<[u8]>::to_vec).collect();
            HvcCArray { completeness: true, nal_unit_type, nalus }
        };
        let arrays = [(32, Kind::Vps), (33, Kind::Sps), (34, Kind::Pps)];
        let (compatibility, constraints) = (&profile[1..5], &profile[5..11]);
        let mut hvcc = Hvcc::new();
        hvcc.general_profile_space = profile[0] >> 6;
        hvcc.general_tier_flag = profile[0] & 0x20 != 0;
        hvcc.general_profile_idc = profile[0] & 0x1f;
        hvcc.general_profile_compatibility_flags.copy_from_slice(compatibility);
        hvcc.general_constraint_indicator_flags.copy_from_slice(constraints);
        hvcc.general_level_idc = profile[11];
        hvcc.chroma_format_idc = self.picture.chroma;
        hvcc.bit_depth_luma_minus8 = self.picture.luma_bits - 8;
        hvcc.bit_depth_chroma_minus8 = self.picture.chroma_bits - 8;
        hvcc.num_temporal_layers = 1;
        hvcc.length_size_minus_one = 3;
        hvcc.arrays = arrays.map(array).into();
        Ok(hvcc)
    }

    /// The entry in a box of the `stsd` of a file.
    pub(super) fn read(kind: FourCC, body: &[u8]) -> Result<Entry> {
        // Fields of a picture before the boxes that say more.
        const FIELDS: usize = 78;
        // All sets that there can be; what has more is not even taken apart.
        const LARGEST_BOX: usize =
            (MOST_SETS[0] + MOST_SETS[1] + MOST_SETS[2] + 1) as usize * LARGEST_SET;
        let name = kind.to_string();
        let inner = body.get(FIELDS..).ok_or_else(|| invalid(format!("{name} is cut short")))?;
        let find = |wanted: &[u8; 4]| {
            let body = boxes::find(inner, wanted)?;
            let body = body.ok_or_else(|| invalid(format!("{name} says too little")))?;
            if body.len() > LARGEST_BOX {
                let text = format!("parameter sets of {} bytes", body.len());
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
            Ok(body)
        };
        let (codec, length_bytes, units) = match kind.as_ref() {
            b"avc1" | b"avc3" => {
                let avcc: Avcc = leaf(find(b"avcC")?)?;
                let both = [avcc.sequence_parameter_sets, avcc.picture_parameter_sets];
                (Codec::H264, avcc.length_size, both.concat())
            }
            b"hvc1" | b"hev1" => {
                let hvcc: Hvcc = leaf(find(b"hvcC")?)?;
                let all = hvcc.arrays.into_iter().flat_map(|array| array.nalus).collect();
                (Codec::H265, hvcc.length_size_minus_one + 1, all)
            }
            _ => {
                let text = format!("video in {name} is not played: H.264 and H.265 are");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        };
        let side = |at: usize| u32::from(u16::from_be_bytes([body[at], body[at + 1]]));
        let sets = ParameterSets::new(codec, units.iter().map(Vec::as_slice))?;
        // An entry may leave its sets to the samples; what it says of the size holds then.
        let picture = sets.picture().unwrap_or(Facts {
            width: side(24),
            height: side(26),
            profile: 0,
            level: 0,
            fps: None,
            reorder: 0,
            chroma: 1,
            luma_bits: 8,
            chroma_bits: 8,
        });
        Ok(Entry { codec, picture, sets, length_bytes: length_bytes.into() })
    }
}

pub(super) fn written(error: &mp4_atom::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("writing an MP4 box: {error}"))
}
