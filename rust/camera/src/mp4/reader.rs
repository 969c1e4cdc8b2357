//! Reading a file, access unit by access unit.

use super::boxes::{self, Found, Top};
use super::entry::Entry;
use super::fragments;
use super::mux::CAPTURE_IDS;
use super::tables::{Cursor, Place};
use super::track::{self, Track};
use crate::error::{Result, invalid, io_failed};
use framelane::{Error, ErrorKind};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Boxes of a file itself; fragments of a month fit.
const MOST_BOXES: u64 = 1 << 24;
/// Pictures of a file; weeks of them fit.
const MOST_UNITS: u64 = 1 << 26;
/// Largest access unit that is read.
const LARGEST: u32 = 64 << 20;

/// An access unit of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Annex B; with parameter sets where decoding can start.
    pub bytes: Vec<u8>,
    /// When it is shown, from the beginning of the file.
    pub pts_ns: i64,
    /// When it is decoded, on the same clock.
    pub dts_ns: i64,
    /// Whether decoding can start here.
    pub key: bool,
    /// Whether it carries parameter sets.
    pub carries_sets: bool,
    /// Number of the exposure it was made from, 0 where unknown.
    pub capture_id: u64,
    /// Of the entries of its file.
    pub entry: usize,
}

/// What there is in a file, as one walk through it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Access units.
    pub units: u64,
    /// Those at which decoding can start.
    pub keys: u64,
    /// Bytes of the largest one in the file.
    pub largest_bytes: u32,
    /// From the first to the end of the last, as they are decoded.
    pub duration_ns: u64,
    /// Pictures a second as a fraction, where all are equally long.
    pub rate: Option<(u32, u32)>,
    /// Tracks that are not read.
    pub other_tracks: usize,
    /// Why the file ends before it should, if it does.
    pub cut: Option<String>,
}

/// Reads the first video track of an MP4 file, fragmented or plain.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    file: File,
    length: u64,
    track: Track,
    contents: Contents,
    at: Position,
}

/// Where reading stands.
#[derive(Debug, Default)]
struct Position {
    tables: Cursor,
    /// Next box of the file.
    next_box: u64,
    boxes: u64,
    fragment: std::vec::IntoIter<Place>,
    capture_ids: Vec<u64>,
    time: u64,
    cut: Option<String>,
}

impl Reader {
    /// Opens a file and walks through all of it once, without its pictures.
    ///
    /// # Errors
    /// Naming the file: `InvalidArgument` for what is no MP4 file or a damaged one, `Unsupported`
    /// for codecs, edits and tables that are not read, `TooLarge` for boxes that nobody means. A
    /// fragmented file that was cut short is read as far as it is whole.
    pub fn open(path: &Path) -> Result<Reader> {
        let file = File::open(path).map_err(|error| io_failed(path, &error))?;
        let at_file = |error: Error| error.context(path.display());
        let metadata = file.metadata().map_err(|error| io_failed(path, &error))?;
        if !metadata.is_file() {
            return Err(at_file(invalid("not an ordinary file")));
        }
        let length = metadata.len();
        let moov = find_movie(&file, length, path).map_err(at_file)?;
        let track = Track::read(&moov).map_err(at_file)?;
        let (contents, at) = (Contents::default(), Position::default());
        let mut reader = Reader { path: path.to_owned(), file, length, track, contents, at };
        reader.walk().map_err(at_file)?;
        Ok(reader)
    }

    /// What was found when it was opened.
    pub fn contents(&self) -> &Contents {
        &self.contents
    }

    /// What the access units are; one of these each.
    pub fn entries(&self) -> &[Entry] {
        &self.track.entries
    }

    /// Begins again.
    pub fn rewind(&mut self) {
        self.at = Position::default();
    }

    /// The next access unit.
    ///
    /// # Errors
    /// Naming the file: as [`open`](Self::open), and `InvalidArgument` for lengths in a picture
    /// that lead out of it.
    #[allow(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<Unit>> {
        let unit = self.read_next();
        unit.map_err(|error| error.context(self.path.display()))
    }

    fn read_next(&mut self) -> Result<Option<Unit>> {
        let Some(place) = self.place()? else { return Ok(None) };
        let mut sample = vec![0; place.size as usize];
        self.file.read_exact_at(&mut sample, place.offset).map_err(|error| self.failed(&error))?;
        let entry = &self.track.entries[place.entry];
        let mut bytes = Vec::with_capacity(sample.len() + 64);
        let carries_sets = entry.to_record(&sample, place.key, &mut bytes)?;
        let dts = i128::from(place.dts);
        Ok(Some(Unit {
            bytes,
            pts_ns: self.track.ns(dts + i128::from(place.delay)),
            dts_ns: self.track.ns(dts),
            key: place.key,
            carries_sets,
            capture_id: place.capture_id,
            entry: place.entry,
        }))
    }

    /// Where the next sample is. None at the end, or where the file was cut off.
    fn place(&mut self) -> Result<Option<Place>> {
        let plain = self.track.tables.next(&mut self.at.tables)?;
        let place = match plain {
            Some(place) => place,
            None => match self.fragment_place()? {
                Some(place) => place,
                None => return Ok(None),
            },
        };
        if place.entry >= self.track.entries.len() {
            return Err(invalid(format!(
                "a sample is of kind {}, which there is not",
                place.entry
            )));
        }
        let whole = place.offset.checked_add(place.size.into()).is_some_and(|n| n <= self.length);
        if !whole {
            let (size, offset) = (place.size, place.offset);
            let text =
                format!("a picture of {size} bytes at {offset} is not there, file cut short");
            if plain.is_some() {
                return Err(invalid(text));
            }
            self.at.cut = Some(text);
            return Ok(None);
        }
        if place.size > LARGEST {
            let text = format!("a picture of {} bytes, at most {LARGEST}", place.size);
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        Ok(Some(place))
    }

    fn fragment_place(&mut self) -> Result<Option<Place>> {
        loop {
            if self.at.cut.is_some() {
                return Ok(None);
            }
            if let Some(place) = self.at.fragment.next() {
                return Ok(Some(place));
            }
            let top = match self.next_box()? {
                Some(top) => top,
                None => return Ok(None),
            };
            match &top.kind {
                b"uuid" => self.read_capture_ids(&top)?,
                b"moof" => self.read_fragment(&top)?,
                _ => {}
            }
        }
    }

    fn next_box(&mut self) -> Result<Option<Top>> {
        self.at.boxes += 1;
        if self.at.boxes > MOST_BOXES {
            let text = format!("a file of more than {MOST_BOXES} boxes");
            return Err(Error::new(ErrorKind::TooLarge, text));
        }
        let found = boxes::top(&self.file, self.at.next_box, self.length);
        match found.map_err(|error| self.failed(&error))? {
            Found::Box(top) => {
                self.at.next_box = top.end;
                Ok(Some(top))
            }
            Found::End => Ok(None),
            Found::Cut(why) => {
                self.at.cut = Some(why);
                Ok(None)
            }
        }
    }

    fn read_fragment(&mut self, top: &Top) -> Result<()> {
        let moof = self.body(top, fragments::LONGEST)?;
        let mut places = fragments::read(&moof, top.start, &self.track, &mut self.at.time)?;
        let ids = std::mem::take(&mut self.at.capture_ids);
        places.iter_mut().zip(ids).for_each(|(place, id)| place.capture_id = id);
        self.at.fragment = places.into_iter();
        Ok(())
    }

    fn read_capture_ids(&mut self, top: &Top) -> Result<()> {
        let mut kind = [0; CAPTURE_IDS.len()];
        if top.end - top.body >= kind.len() as u64 {
            let read = self.file.read_exact_at(&mut kind, top.body);
            read.map_err(|error| self.failed(&error))?;
        }
        if kind == CAPTURE_IDS {
            let body = self.body(top, fragments::LONGEST)?;
            let ids = body[kind.len()..].chunks_exact(8);
            let number = |id: &[u8]| id.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
            self.at.capture_ids = ids.map(number).collect();
        }
        Ok(())
    }

    fn body(&self, top: &Top, most: u64) -> Result<Vec<u8>> {
        let mut bytes = vec![0; track::check_length(top, most)?];
        self.file.read_exact_at(&mut bytes, top.body).map_err(|error| self.failed(&error))?;
        Ok(bytes)
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        Error::new(ErrorKind::System, error.to_string())
    }

    /// Looks at every sample without reading it.
    fn walk(&mut self) -> Result<()> {
        let mut contents = Contents { other_tracks: self.track.others, ..Contents::default() };
        let mut first = None;
        let mut steady = self.track.tables.steady();
        let mut before: Option<Place> = None;
        while let Some(place) = self.place()? {
            contents.units += 1;
            if contents.units > MOST_UNITS {
                let text = format!("a file of more than {MOST_UNITS} pictures");
                return Err(Error::new(ErrorKind::TooLarge, text));
            }
            contents.keys += u64::from(place.key);
            contents.largest_bytes = contents.largest_bytes.max(place.size);
            first.get_or_insert(place.dts);
            if self.track.tables.samples() == 0 && contents.units > 1 {
                let step = before.map_or(0, |before| before.duration);
                steady = if contents.units == 2 { Some(step) } else { steady };
                steady = steady.filter(|&steady| steady == step);
            }
            before = Some(place);
        }
        if let (Some(first), Some(last)) = (first, before) {
            let time = last.dts.saturating_add(last.duration.into()).saturating_sub(first);
            let ns = track::scaled(time.into(), self.track.timescale);
            contents.duration_ns = u64::try_from(ns).unwrap_or(u64::MAX);
        }
        contents.rate = steady.filter(|&step| step > 0).map(|step| (self.track.timescale, step));
        contents.cut = self.at.cut.take();
        if contents.units == 0 {
            let why = contents.cut.unwrap_or_else(|| "it holds no picture".into());
            return Err(invalid(why));
        }
        self.contents = contents;
        self.rewind();
        Ok(())
    }
}

/// What is in the box of the movie, which may stand at the end of the file.
fn find_movie(file: &File, length: u64, path: &Path) -> Result<Vec<u8>> {
    let mut at = 0;
    for number in 0..MOST_BOXES {
        let found = boxes::top(file, at, length).map_err(|error| io_failed(path, &error))?;
        let top = match found {
            Found::Box(top) => top,
            Found::End => return Err(invalid("it has no movie box: not MP4, or never finished")),
            Found::Cut(why) if number == 0 => return Err(invalid(format!("not MP4: {why}"))),
            Found::Cut(why) => return Err(invalid(format!("it has no movie box: {why}"))),
        };
        if number == 0 && !matches!(&top.kind, b"ftyp" | b"styp" | b"moov" | b"mdat" | b"free") {
            return Err(invalid("not MP4: its first box is of no kind that begins one"));
        }
        if top.kind == *b"moov" {
            let mut bytes = vec![0; track::check_length(&top, track::LONGEST_MOVIE)?];
            let read = file.read_exact_at(&mut bytes, top.body);
            read.map_err(|error| io_failed(path, &error))?;
            return Ok(bytes);
        }
        at = top.end;
    }
    Err(invalid(format!("a file of more than {MOST_BOXES} boxes")))
}
