//! Where the samples of a fragment are.

use super::boxes::{children, leaf, optional, required};
use super::tables::Place;
use super::track::Track;
use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind};
use mp4_atom::{Tfdt, Tfhd, Trun};

/// Longest box in front of a fragment.
pub(super) const LONGEST: u64 = 16 << 20;
/// Samples of one fragment that anybody can mean.
const MOST_SAMPLES: usize = 1 << 20;
/// Flag of a sample that decoding cannot start at.
const NOT_SYNC: u32 = 0x1_0000;

/// The samples of the track in the fragment whose box `moof` stands at `start`. `time` is where
/// the fragment before ended, and is moved on.
pub(super) fn read(moof: &[u8], start: u64, track: &Track, time: &mut u64) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    let mut first = true;
    for child in children(moof) {
        let (kind, traf) = child?;
        if kind != *b"traf" {
            continue;
        }
        let header: Tfhd = required(traf)?;
        if header.track_id == track.id {
            if !first && header.base_data_offset.is_none() && !header.default_base_is_moof {
                let text = "a fragment whose data follows that of another track is not read";
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            let base = header.base_data_offset.unwrap_or(start);
            if let Some(tfdt) = optional::<Tfdt>(traf)? {
                *time = tfdt.base_media_decode_time;
            }
            runs(traf, &header, base, track, time, &mut places)?;
        }
        first = false;
    }
    Ok(places)
}

fn runs(
    traf: &[u8],
    header: &Tfhd,
    base: u64,
    track: &Track,
    time: &mut u64,
    places: &mut Vec<Place>,
) -> Result<()> {
    let defaults = &track.defaults;
    let described = header.sample_description_index;
    let entry = described.unwrap_or(defaults.default_sample_description_index) as usize;
    let (usual_size, usual_duration, usual_flags) = (
        header.default_sample_size.unwrap_or(defaults.default_sample_size),
        header.default_sample_duration.unwrap_or(defaults.default_sample_duration),
        header.default_sample_flags.unwrap_or(defaults.default_sample_flags),
    );
    let mut offset = base;
    for child in children(traf) {
        let (kind, body) = child?;
        if kind != *b"trun" {
            continue;
        }
        let run: Trun = leaf(body)?;
        if let Some(from) = run.data_offset {
            offset = base.checked_add_signed(from.into()).ok_or_else(|| {
                invalid(format!("a fragment whose data is {from} bytes from byte {base}"))
            })?;
        }
        if places.len() + run.entries.len() > MOST_SAMPLES {
            let text = format!("a fragment of more than {MOST_SAMPLES} samples");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        for sample in run.entries {
            let size = sample.size.unwrap_or(usual_size);
            let duration = sample.duration.unwrap_or(usual_duration);
            places.push(Place {
                offset,
                size,
                dts: *time,
                delay: sample.cts.unwrap_or(0).into(),
                duration,
                key: sample.flags.unwrap_or(usual_flags) & NOT_SYNC == 0,
                entry: entry.saturating_sub(1),
                capture_id: 0,
            });
            offset = offset.saturating_add(size.into());
            *time = time.saturating_add(duration.into());
        }
    }
    Ok(())
}
