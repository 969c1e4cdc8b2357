//! Fragmented MP4 of one video track, as bytes that somebody else writes.

use super::entry::{Entry, written};
use crate::error::Result;
use mp4_atom::{
    Dinf, Dref, Edts, Elst, ElstEntry, Encode, FourCC, FragmentInfo, Ftyp, Hdlr, Mdhd, Mdia, Mehd,
    Mfhd, Mfra, Mfro, Minf, Moof, Moov, Mvex, Mvhd, Stbl, Stco, Stsd, Tfdt, Tfhd, Tfra, Tkhd, Traf,
    Trak, Trex, Trun, TrunEntry, Url, Vmhd,
};
use std::time::{SystemTime, UNIX_EPOCH};

/// Units of time in a second.
pub const TIMESCALE: u32 = 1_000_000;

const TRACK: u32 = 1;
/// Depends on no other sample.
const KEY: u32 = 0x0200_0000;
/// Depends on others, and decoding cannot start there.
const DEPENDENT: u32 = 0x0101_0000;
/// From the epoch of MP4, 1904, to that of Unix.
const EPOCH_SECONDS: u64 = 2_082_844_800;
/// Entries of the index at the end; a file of days does without the rest.
const MOST_ENTRIES: usize = 1 << 16;
/// Of the box that keeps the capture ids of a fragment, which others pass over.
pub(super) const CAPTURE_IDS: [u8; 16] = *b"framelane capid\0";

/// A picture as a file holds it. Times are in [`TIMESCALE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// As [`Entry::to_sample`] makes it.
    pub bytes: Vec<u8>,
    /// When it is to be decoded.
    pub dts: u64,
    /// How much later it is to be shown.
    pub offset: i32,
    /// Until the next one is to be decoded.
    pub duration: u32,
    /// Whether decoding can start here.
    pub key: bool,
    /// Number of the exposure it was made from, 0 where unknown.
    pub capture_id: u64,
}

/// A part of a file, as long as nobody has written it.
#[derive(Debug)]
pub struct Fragment {
    /// What to write.
    pub bytes: Vec<u8>,
    /// Where it begins with a key picture.
    info: Option<FragmentInfo>,
}

/// Makes the parts of a file, one after the other.
#[derive(Debug)]
pub struct Muxer {
    /// Where the next part begins.
    position: u64,
    fragments: u32,
    index: Vec<FragmentInfo>,
    /// Where the length of the whole stands.
    length_at: u64,
}

impl Muxer {
    /// A file of this entry, and its first bytes. `offset` is that of the first sample, which is
    /// shown when the file begins.
    ///
    /// # Errors
    /// `InvalidArgument` for parameter sets that make no sense.
    pub fn new(entry: &Entry, offset: i32, now: SystemTime) -> Result<(Muxer, Vec<u8>)> {
        let since = now.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let mut bytes = Vec::new();
        let brands = [b"iso6", b"iso5", b"mp41"].map(FourCC::new);
        let ftyp =
            Ftyp { major_brand: brands[0], minor_version: 512, compatible_brands: brands.into() };
        put(&ftyp, &mut bytes)?;
        put(&movie(entry, offset, since + EPOCH_SECONDS)?, &mut bytes)?;
        // After its name and its version.
        let length_at = bytes.windows(4).rposition(|name| name == b"mehd").unwrap_or(0) + 8;
        let position = bytes.len() as u64;
        let length_at = length_at as u64;
        Ok((Muxer { position, fragments: 0, index: Vec::new(), length_at }, bytes))
    }

    /// The next fragment. It is one of the file when [`Muxer::wrote`] has been told.
    ///
    /// # Errors
    /// `TooLarge` for more than MP4 can say.
    pub fn fragment(&self, samples: &[Sample]) -> Result<Fragment> {
        let Some(first) = samples.first() else {
            return Ok(Fragment { bytes: Vec::new(), info: None });
        };
        let mut bytes = capture_ids(samples);
        let moof_offset = self.position + bytes.len() as u64;
        let start = bytes.len();
        // Once to learn its length, on which an offset in it depends.
        let mut moof = self.moof(samples, 0);
        put(&moof, &mut bytes)?;
        let length = bytes.len() - start;
        bytes.truncate(start);
        moof = self.moof(samples, (length + 8) as i32);
        put(&moof, &mut bytes)?;
        let data: usize = samples.iter().map(|sample| sample.bytes.len()).sum();
        let size = u32::try_from(data + 8).map_err(|_| written(&mp4_atom::Error::InvalidSize))?;
        bytes.extend_from_slice(&size.to_be_bytes());
        bytes.extend_from_slice(b"mdat");
        samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.bytes));
        let info = first.key.then(|| {
            let time = first.dts.saturating_add_signed(first.offset.into());
            let (traf_number, trun_number, sample_delta) = (1, 1, 1);
            FragmentInfo { time, moof_offset, traf_number, trun_number, sample_delta }
        });
        Ok(Fragment { bytes, info })
    }

    /// Says that the fragment made last is in the file, whole.
    pub fn wrote(&mut self, fragment: Fragment) {
        if fragment.bytes.is_empty() {
            return;
        }
        self.fragments += 1;
        self.position += fragment.bytes.len() as u64;
        self.index.extend(fragment.info.filter(|_| self.index.len() < MOST_ENTRIES));
    }

    fn moof(&self, samples: &[Sample], data_offset: i32) -> Moof {
        let entry = |sample: &Sample| TrunEntry {
            duration: Some(sample.duration),
            size: Some(sample.bytes.len() as u32),
            flags: Some(if sample.key { KEY } else { DEPENDENT }),
            cts: Some(sample.offset),
        };
        let entries = samples.iter().map(entry).collect();
        let tfhd = Tfhd { track_id: TRACK, default_base_is_moof: true, ..Tfhd::default() };
        let tfdt = Tfdt { base_media_decode_time: samples.first().map_or(0, |first| first.dts) };
        let traf = Traf {
            tfhd,
            tfdt: Some(tfdt),
            trun: vec![Trun { data_offset: Some(data_offset), entries }],
            ..Traf::default()
        };
        Moof { mfhd: Mfhd { sequence_number: self.fragments + 1 }, traf: vec![traf] }
    }

    /// What comes last: an index of key pictures. The file is whole without it.
    ///
    /// # Errors
    /// None that a caller could do anything about.
    pub fn index(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let tfra = vec![Tfra { track_id: TRACK, entries: self.index.clone() }];
        put(&Mfra { tfra: tfra.clone(), mfro: Mfro::default() }, &mut bytes)?;
        let parent_size = bytes.len() as u32;
        bytes.clear();
        put(&Mfra { tfra, mfro: Mfro { parent_size } }, &mut bytes)?;
        Ok(bytes)
    }

    /// Where in the file to write its length at the end, as a number of eight bytes, the highest
    /// first.
    pub fn length_at(&self) -> u64 {
        self.length_at
    }
}

fn movie(entry: &Entry, offset: i32, time: u64) -> Result<Moov> {
    let (width, height) = entry.size();
    let elst = Elst {
        entries: vec![ElstEntry {
            segment_duration: 0,
            media_time: Some(offset.max(0) as u64),
            media_rate: 1.into(),
        }],
    };
    let mdia = Mdia {
        mdhd: Mdhd {
            creation_time: time,
            modification_time: time,
            timescale: TIMESCALE,
            duration: 0,
            language: "und".into(),
        },
        hdlr: Hdlr { handler: FourCC::new(b"vide"), name: "video".into() },
        minf: Minf {
            vmhd: Some(Vmhd::default()),
            dinf: Dinf { dref: Dref { urls: vec![Url::default()] } },
            stbl: Stbl {
                stsd: Stsd { codecs: vec![entry.boxed()?] },
                // The tables of a plain file must be there, and empty.
                stco: Some(Stco::default()),
                ..Stbl::default()
            },
            ..Minf::default()
        },
    };
    let trak = Trak {
        tkhd: Tkhd {
            creation_time: time,
            modification_time: time,
            track_id: TRACK,
            enabled: true,
            in_movie: true,
            width: (width as u16).into(),
            height: (height as u16).into(),
            ..Tkhd::default()
        },
        edts: (offset > 0).then_some(Edts { elst: Some(elst) }),
        mdia,
        ..Trak::default()
    };
    let trex = Trex { track_id: TRACK, default_sample_description_index: 1, ..Trex::default() };
    Ok(Moov {
        mvhd: Mvhd {
            creation_time: time,
            modification_time: time,
            timescale: TIMESCALE,
            rate: 1.into(),
            volume: 1.into(),
            next_track_id: TRACK + 1,
            ..Mvhd::default()
        },
        mvex: Some(Mvex { mehd: Some(Mehd::default()), trex: vec![trex] }),
        trak: vec![trak],
        ..Moov::default()
    })
}

/// A box of the capture ids, where any is known.
fn capture_ids(samples: &[Sample]) -> Vec<u8> {
    if samples.iter().all(|sample| sample.capture_id == 0) {
        return Vec::new();
    }
    let size = 8 + CAPTURE_IDS.len() + 8 * samples.len();
    let mut bytes = Vec::with_capacity(size);
    bytes.extend_from_slice(&(size as u32).to_be_bytes());
    bytes.extend_from_slice(b"uuid");
    bytes.extend_from_slice(&CAPTURE_IDS);
    samples.iter().for_each(|sample| bytes.extend_from_slice(&sample.capture_id.to_be_bytes()));
    bytes
}

fn put(atom: &impl Encode, bytes: &mut Vec<u8>) -> Result<()> {
    atom.encode(bytes).map_err(|error| written(&error))
}
