//! The track of a file that is played.

use super::boxes::{self, children, find, follow, leaf, optional, required};
use super::entry::Entry;
use super::tables::Tables;
use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind};
use mp4_atom::{Elst, FourCC, Mdhd, Mvhd, Tkhd, Trex};

/// Entries of one track that anybody can mean.
const MOST_ENTRIES: usize = 64;

#[derive(Debug)]
pub(super) struct Track {
    pub id: u32,
    pub timescale: u32,
    /// Added to every time, in nanoseconds: what the edit list says.
    pub shift_ns: i64,
    pub entries: Vec<Entry>,
    pub tables: Tables,
    /// What fragments leave out.
    pub defaults: Trex,
    /// Tracks beside this one.
    pub others: usize,
}

impl Track {
    /// The first video track in the box of the movie.
    pub(super) fn read(moov: &[u8]) -> Result<Track> {
        let movie: Mvhd = required(moov)?;
        let (mut video, mut all) = (None, 0);
        for child in children(moov) {
            let (kind, trak) = child?;
            if kind == *b"trak" {
                all += 1;
                if video.is_none() && is_video(trak)? {
                    video = Some(trak);
                }
            }
        }
        let trak = video.ok_or_else(|| invalid(format!("none of its {all} tracks is video")))?;
        let inside = |path| follow(trak, path)?.ok_or_else(|| invalid("its track has no tables"));
        let media: Mdhd = required(inside(&[b"mdia"])?)?;
        if media.timescale == 0 {
            return Err(invalid("its track counts time in units of 1/0 s"));
        }
        let stbl = inside(&[b"mdia", b"minf", b"stbl"])?;
        let id = required::<Tkhd>(trak)?.track_id;
        let edits = follow(trak, &[b"edts", b"elst"])?.map(leaf::<Elst>).transpose()?;
        let shift_ns = edits.map_or(Ok(0), |edits| shift(&edits, &movie, &media))?;
        Ok(Track {
            id,
            timescale: media.timescale,
            shift_ns,
            entries: entries(find(stbl, b"stsd")?.unwrap_or_default())?,
            tables: Tables::read(stbl)?,
            defaults: defaults(moov, id)?,
            others: all - 1,
        })
    }

    /// A time of the track in nanoseconds, edits applied.
    pub(super) fn ns(&self, time: i128) -> i64 {
        let ns = scaled(time, self.timescale).saturating_add(self.shift_ns.into());
        ns.clamp(i64::MIN as i128 + 1, i64::MAX.into()) as i64
    }
}

pub(super) fn scaled(time: i128, timescale: u32) -> i128 {
    time.saturating_mul(1_000_000_000).div_euclid(timescale.into())
}

fn is_video(trak: &[u8]) -> Result<bool> {
    let hdlr = follow(trak, &[b"mdia", b"hdlr"])?;
    Ok(hdlr.is_some_and(|hdlr| hdlr.get(8..12) == Some(b"vide")))
}

fn entries(stsd: &[u8]) -> Result<Vec<Entry>> {
    // Version, flags and count come first.
    let mut entries = Vec::new();
    for child in children(stsd.get(8..).unwrap_or_default()).take(MOST_ENTRIES) {
        let (kind, body) = child?;
        entries.push(Entry::read(FourCC::new(&kind), body)?);
    }
    if entries.is_empty() {
        return Err(invalid("its track does not say what its samples are"));
    }
    Ok(entries)
}

fn defaults(moov: &[u8], id: u32) -> Result<Trex> {
    let Some(mvex) = find(moov, b"mvex")? else { return Ok(Trex::default()) };
    for child in children(mvex) {
        let (kind, body) = child?;
        if kind == *b"trex" {
            let trex: Trex = leaf(body)?;
            if trex.track_id == id {
                return Ok(trex);
            }
        }
    }
    Ok(optional::<Trex>(&[])?.unwrap_or_default())
}

/// What edits come to: waiting first, then all of the track from some time on. Anything else
/// would leave pictures out, repeat or slow them.
fn shift(edits: &Elst, movie: &Mvhd, media: &Mdhd) -> Result<i64> {
    let refused = |what: &str| {
        let text = format!("its edit list {what}, which is not played: re-encode the file");
        Error::new(ErrorKind::Unsupported, text)
    };
    let mut shift = 0_i128;
    let mut real = 0;
    for edit in &edits.entries {
        match edit.media_time {
            None if real == 0 => {
                let scale = movie.timescale.max(1);
                shift = shift.saturating_add(scaled(edit.segment_duration.into(), scale));
            }
            Some(start) if real == 0 => {
                if (edit.media_rate.integer(), edit.media_rate.decimal()) != (1, 0) {
                    return Err(refused("changes the speed"));
                }
                shift = shift.saturating_sub(scaled(start.into(), media.timescale));
                real += 1;
            }
            _ => return Err(refused("has several parts")),
        }
    }
    i64::try_from(shift).map_err(|_| refused(&format!("shifts time by {shift} ns")))
}

/// Longest box of a movie; the tables of days fit.
pub(super) const LONGEST_MOVIE: u64 = 64 << 20;

/// Refuses a box that would take too much memory.
pub(super) fn check_length(top: &boxes::Top, most: u64) -> Result<usize> {
    let length = top.end - top.body;
    if length > most {
        let name = boxes::name(top.kind);
        let text = format!("{name} at byte {} has {length} bytes, at most {most}", top.start);
        return Err(Error::new(ErrorKind::TooLarge, text));
    }
    Ok(length as usize)
}
