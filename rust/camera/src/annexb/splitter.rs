//! From bytes to access units.

use super::SplitError;
use super::sets::{START_CODE, Sets};
use super::syntax::{Role, Slice, Syntax};
use super::unit::{AccessUnit, Queue, VideoParameters};
use crate::error::Result;
use framelane::{Codec, Error, ErrorKind};
use h264_reader::annexb::AnnexBReader;
use h264_reader::push::NalFragmentHandler;

/// The largest access unit that is kept.
const LARGEST_UNIT: usize = 16 << 20;
/// So many bytes without a start code are told of.
const NO_VIDEO: u64 = 1 << 20;
/// Enough of a slice to tell what it begins.
const HEADER: usize = 64;

/// Takes an H.264 or H.265 byte stream apart into access units.
///
/// ```
/// # use framelane_camera::annexb::Splitter;
/// # use framelane::Codec;
/// # fn main() -> framelane::Result<()> {
/// let mut splitter = Splitter::new(Codec::H264)?;
/// for chunk in [&b"\0\0\0\x01\x09"[..], b"\x10\0\0"] {
///     splitter.push(chunk, framelane::monotonic_ns());
///     while let Some(unit) = splitter.take() {
///         println!("{} bytes", unit?.bytes.len());
///     }
/// }
/// splitter.finish();              // the last unit ends with the stream
/// # Ok(())
/// # }
/// ```
pub struct Splitter {
    reader: AnnexBReader<Collector>,
    /// Bytes since the last start code that was followed by something.
    barren: u64,
}

impl Splitter {
    /// A splitter of H.264 or H.265. Units before the first key picture are passed over.
    ///
    /// # Errors
    /// `Unsupported` for another codec.
    pub fn new(codec: Codec) -> Result<Self> {
        let syntax = Syntax::of(codec).ok_or_else(|| {
            let text = format!("{} has no access units to split", codec.name());
            Error::new(ErrorKind::Unsupported, text)
        })?;
        let reader = AnnexBReader::for_fragment_handler(Collector::new(syntax));
        Ok(Splitter { reader, barren: 0 })
    }

    /// Gives up access units of more than `bytes` bytes (16 MiB).
    pub fn limit(mut self, bytes: usize) -> Self {
        self.collector().limit = bytes;
        self
    }

    /// Takes the next bytes of the stream. `stamp` comes back in the units that begin with them.
    pub fn push(&mut self, bytes: &[u8], stamp: u64) {
        let collector = self.collector();
        (collector.stamp, collector.fed) = (stamp, false);
        self.reader.push(bytes);
        self.barren = match self.collector().fed {
            true => 0,
            false => self.barren + bytes.len() as u64,
        };
        if self.barren >= NO_VIDEO {
            let bytes = std::mem::take(&mut self.barren);
            self.collector().give_up(SplitError::NoVideo { bytes });
        }
    }

    /// The next unit that is whole, or an error about bytes that were given up.
    pub fn take(&mut self) -> Option<Result<AccessUnit, SplitError>> {
        self.collector().ready.pop_front()
    }

    /// Says that the stream ends here: the open unit is whole. More may be pushed.
    pub fn finish(&mut self) {
        self.reader.reset();
        self.collector().end_unit();
    }

    /// Pictures passed over because there was no key picture before them.
    pub fn skipped(&self) -> u64 {
        self.reader.fragment_handler_ref().skipped
    }

    fn collector(&mut self) -> &mut Collector {
        self.reader.fragment_handler_mut()
    }
}

/// Puts NAL units together into access units.
struct Collector {
    syntax: Syntax,
    limit: usize,
    sets: Sets,
    /// The NAL unit that is coming in.
    nal: Vec<u8>,
    nal_stamp: u64,
    /// It has outgrown the limit: the rest of it is passed over.
    overflown: bool,
    open: Open,
    /// Parameters of the unit that went out last.
    told: Option<VideoParameters>,
    /// A key picture went out.
    started: bool,
    /// Told that parameter sets are missing, and they have not come since.
    lacks_sets: bool,
    gap: bool,
    skipped: u64,
    stamp: u64,
    fed: bool,
    ready: Queue,
}

/// The access unit that is coming in.
#[derive(Default)]
struct Open {
    bytes: Vec<u8>,
    stamp: u64,
    carries_parameters: bool,
    /// Of its first slice.
    picture: Option<Slice>,
    /// Something in it was given up, so it goes too.
    spoilt: bool,
}

impl NalFragmentHandler for Collector {
    fn nal_fragment(&mut self, pieces: &[&[u8]], end: bool) {
        for piece in pieces {
            if self.nal.is_empty() {
                self.nal_stamp = self.stamp;
            }
            self.fed = true;
            if self.nal.len() + piece.len() > self.limit {
                self.overflown = true;
            } else if !self.overflown {
                self.nal.extend_from_slice(piece);
            }
        }
        if end {
            self.end_nal();
        }
    }
}

impl Collector {
    fn new(syntax: Syntax) -> Self {
        Collector {
            syntax,
            limit: LARGEST_UNIT,
            sets: Sets::default(),
            nal: Vec::new(),
            nal_stamp: 0,
            overflown: false,
            open: Open::default(),
            told: None,
            started: false,
            lacks_sets: false,
            gap: false,
            skipped: 0,
            stamp: 0,
            fed: false,
            ready: Queue::new(),
        }
    }

    fn end_nal(&mut self) {
        let mut nal = std::mem::take(&mut self.nal);
        if std::mem::take(&mut self.overflown) {
            self.spoil(&nal);
        } else if !nal.is_empty() {
            match self.syntax.role(&nal) {
                Ok(role) => self.add(role, &nal),
                Err(error) => self.give_up(error),
            }
        }
        nal.clear();
        self.nal = nal; // its memory serves the next one
    }

    /// A NAL unit is too large: the access unit that it is of is given up.
    fn spoil(&mut self, nal: &[u8]) {
        if let Ok(role) = self.syntax.role(&nal[..nal.len().min(HEADER)]) {
            self.make_room_for(&role);
            if let Role::Slice(slice) = role {
                self.open.picture.get_or_insert(slice);
            }
        }
        self.open.spoilt = true;
        self.give_up(SplitError::TooLarge { limit: self.limit });
    }

    /// Ends the open access unit where the next one begins.
    fn make_room_for(&mut self, role: &Role) {
        let begins = match role {
            Role::Slice(slice) => slice.first,
            Role::Set(_) | Role::Opening => true,
            Role::Following => false,
        };
        if begins && self.open.picture.is_some() {
            self.end_unit();
        }
    }

    fn add(&mut self, role: Role, nal: &[u8]) {
        self.make_room_for(&role);
        match role {
            Role::Slice(slice) => drop(self.open.picture.get_or_insert(slice)),
            Role::Set(set) => {
                self.open.carries_parameters = true;
                if let Err(error) = self.sets.put(set, nal) {
                    return self.give_up(error);
                }
            }
            Role::Opening | Role::Following => {}
        }
        let open = &mut self.open;
        if open.bytes.is_empty() {
            open.stamp = self.nal_stamp;
        }
        if open.bytes.len() + START_CODE.len() + nal.len() > self.limit {
            if !std::mem::replace(&mut open.spoilt, true) {
                self.give_up(SplitError::TooLarge { limit: self.limit });
            }
            return;
        }
        open.bytes.extend_from_slice(&START_CODE);
        open.bytes.extend_from_slice(nal);
    }

    fn end_unit(&mut self) {
        let Open { bytes, stamp, carries_parameters, picture, spoilt } =
            std::mem::take(&mut self.open);
        let Some(picture) = picture else { return };
        if !picture.key && !self.started {
            self.skipped += 1;
            return;
        }
        if spoilt {
            // What depends on a lost key picture is of no use.
            self.started &= !picture.key;
            self.gap = true;
            return;
        }
        let mut parameters = None;
        if picture.key {
            let found = picture.pps.and_then(|id| self.sets.of_picture(self.syntax, id));
            let Some(found) = found else { return self.tell_of_missing_sets() };
            (self.started, self.lacks_sets) = (true, false);
            if self.told.as_ref() != Some(&found) {
                self.told = Some(found.clone());
                parameters = Some(found);
            }
        }
        let gap = std::mem::take(&mut self.gap);
        let key = picture.key;
        let unit = AccessUnit { bytes, key, carries_parameters, gap, parameters, stamp };
        self.ready.push_back(Ok(unit));
    }

    fn tell_of_missing_sets(&mut self) {
        (self.gap, self.started) = (true, false);
        if !std::mem::replace(&mut self.lacks_sets, true) {
            self.ready.push_back(Err(SplitError::NoParameters));
        }
    }

    fn give_up(&mut self, error: SplitError) {
        self.gap = true;
        self.ready.push_back(Err(error));
    }
}
