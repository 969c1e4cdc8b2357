//! Motion JPEG: pictures one after the other, told apart by their markers (Rec. T.81).
//!
//! Segments are passed over by their lengths, so a thumbnail inside of one does not end a picture.

use crate::annexb::{AccessUnit, Queue, SplitError, VideoParameters};
use framelane::Codec;

/// The largest picture that is kept.
const LARGEST: usize = 16 << 20;
/// So many bytes without a picture are told of.
const NO_VIDEO: u64 = 1 << 20;

/// Second bytes of markers.
mod marker {
    pub const PADDING: u8 = 0xff;
    /// No marker: a byte 0xff of coded data.
    pub const STUFFED: u8 = 0;
    pub const START: u8 = 0xd8;
    pub const END: u8 = 0xd9;
    pub const SCAN: u8 = 0xda;

    /// A marker without a length: temporary, or a restart.
    pub fn stands_alone(byte: u8) -> bool {
        matches!(byte, 1 | 0xd0..=0xd7)
    }

    /// The beginning of a frame, which has the size; three numbers among them mean other things.
    pub fn is_frame(byte: u8) -> bool {
        matches!(byte, 0xc0..=0xcf) && !matches!(byte, 0xc4 | 0xc8 | 0xcc)
    }
}

/// Where in a picture reading is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum At {
    /// Before a picture.
    Outside,
    /// Before a marker.
    Marker,
    /// Behind the marker of a segment, whose length comes next.
    Segment(u8),
    /// In coded data.
    Scan,
}

/// Takes a Motion JPEG stream apart into pictures.
pub struct Splitter {
    limit: usize,
    /// What came in. What is passed goes once for each piece: moving the rest costs time.
    bytes: Vec<u8>,
    /// Where in it the picture begins that is coming in.
    start: usize,
    /// Where in it what has not been looked at begins.
    seen: usize,
    /// Where the next picture is looked for when this one is given up: in the segment that was
    /// passed over last, whose length may have been a lie, and no further back, or one byte could
    /// be looked at any number of times.
    resume: usize,
    at: At,
    size: Option<(u32, u32)>,
    told: Option<(u32, u32)>,
    stamp: u64,
    gap: bool,
    barren: u64,
    ready: Queue,
}

impl Default for Splitter {
    fn default() -> Self {
        Self::new()
    }
}

impl Splitter {
    /// A splitter that waits for its first picture.
    pub fn new() -> Self {
        Splitter {
            limit: LARGEST,
            bytes: Vec::new(),
            start: 0,
            seen: 0,
            resume: 0,
            at: At::Outside,
            size: None,
            told: None,
            stamp: 0,
            gap: false,
            barren: 0,
            ready: Queue::new(),
        }
    }

    /// Gives up pictures of more than `bytes` bytes (16 MiB).
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    /// Takes the next bytes of the stream. `stamp` comes back in the pictures that begin with
    /// them.
    pub fn push(&mut self, mut bytes: &[u8], stamp: u64) {
        // In pieces, so that what is kept stays within the limit.
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(bytes.len().min(64 << 10));
            self.bytes.extend_from_slice(piece);
            while self.step(stamp) {}
            self.compact();
            bytes = rest;
            if self.bytes.len() > self.limit {
                self.abandon(SplitError::TooLarge { limit: self.limit });
            }
        }
    }

    /// The next picture, or an error about bytes that were given up.
    pub fn take(&mut self) -> Option<Result<AccessUnit, SplitError>> {
        self.ready.pop_front()
    }

    /// Says that the stream ends here; a picture without its end is given up. More may be pushed.
    pub fn finish(&mut self) {
        if self.at != At::Outside {
            self.abandon(SplitError::BadJpeg { what: "no end".into() });
        }
        self.bytes.clear();
        (self.start, self.seen, self.resume) = (0, 0, 0);
    }

    /// Drops what is passed.
    fn compact(&mut self) {
        self.bytes.drain(..self.start);
        self.seen -= self.start;
        self.resume -= self.start;
        self.start = 0;
    }

    /// Looks at what comes next; whether there may be more to look at.
    fn step(&mut self, stamp: u64) -> bool {
        let rest = &self.bytes[self.seen..];
        match self.at {
            At::Outside => self.find_start(stamp),
            At::Marker => match *rest {
                [0xff, marker::PADDING, ..] => self.pass(1),
                [0xff, marker::END, ..] => self.end(),
                [0xff, byte, ..] if marker::stands_alone(byte) => self.pass(2),
                [0xff, byte, ..] if byte >= 0xc0 && byte != marker::START => {
                    self.go(2, At::Segment(byte))
                }
                [first, second, ..] => {
                    let what = format!("{first:02x} {second:02x} for a marker");
                    self.abandon(SplitError::BadJpeg { what });
                    true
                }
                _ => false,
            },
            At::Segment(byte) => self.segment(byte),
            At::Scan => self.scan(),
        }
    }

    fn go(&mut self, by: usize, to: At) -> bool {
        self.seen += by;
        self.at = to;
        true
    }

    /// Passes over bytes before a marker in which no picture begins.
    fn pass(&mut self, by: usize) -> bool {
        self.seen += by;
        self.resume = self.seen;
        true
    }

    fn find_start(&mut self, stamp: u64) -> bool {
        const START: [u8; 2] = [0xff, marker::START];
        let rest = &self.bytes[self.start..];
        if let Some(found) = rest.windows(2).position(|pair| pair == START) {
            (self.stamp, self.size, self.barren) = (stamp, None, 0);
            self.start += found;
            self.seen = self.start;
            self.resume = self.start + 2;
            return self.go(2, At::Marker);
        }
        // The last byte may be half of it.
        let passed = rest.len() - usize::from(rest.last() == Some(&0xff));
        self.start += passed;
        (self.seen, self.resume) = (self.start, self.start);
        self.barren += passed as u64;
        if self.barren >= NO_VIDEO {
            let bytes = std::mem::take(&mut self.barren);
            self.gap = true;
            self.ready.push_back(Err(SplitError::NoVideo { bytes }));
        }
        false
    }

    fn segment(&mut self, byte: u8) -> bool {
        let rest = &self.bytes[self.seen..];
        let &[high, low, ..] = rest else { return false };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 2 {
            let what = format!("a segment {byte:02x} of {length} bytes");
            self.abandon(SplitError::BadJpeg { what });
            return true;
        }
        if rest.len() < length {
            return false;
        }
        if marker::is_frame(byte) {
            // Length, bits a sample, rows, columns.
            if let [_, _, _, h1, h0, w1, w0, ..] = rest[..length] {
                let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                self.size = Some((side(w1, w0), side(h1, h0)));
            }
        }
        self.resume = self.seen;
        self.go(length, if byte == marker::SCAN { At::Scan } else { At::Marker })
    }

    fn scan(&mut self) -> bool {
        let rest = &self.bytes[self.seen..];
        let found = rest.iter().position(|&byte| byte == 0xff).unwrap_or(rest.len());
        let going = match rest.get(found + 1) {
            None => {
                self.seen += found;
                false
            }
            Some(&marker::PADDING) => self.go(found + 1, At::Scan),
            Some(&marker::STUFFED) => self.go(found + 2, At::Scan),
            Some(&byte) if marker::stands_alone(byte) => self.go(found + 2, At::Scan),
            Some(_) => self.go(found, At::Marker),
        };
        // No picture begins in what was looked at byte by byte.
        self.resume = self.seen;
        going
    }

    fn end(&mut self) -> bool {
        let end = self.seen + 2;
        let bytes = self.bytes[self.start..end].to_vec();
        (self.start, self.seen, self.resume, self.at) = (end, end, end, At::Outside);
        let Some((width, height)) = self.size.filter(|&(width, _)| width > 0) else {
            self.gap = true;
            self.ready.push_back(Err(SplitError::BadJpeg { what: "no size".into() }));
            return true;
        };
        let changed = self.told.replace((width, height)) != Some((width, height));
        let parameters = changed.then(|| VideoParameters {
            codec: Codec::Jpeg,
            width,
            height,
            profile: 0,
            level: 0,
            fps: None,
            reorder: 0,
            sets: Vec::new(),
        });
        self.ready.push_back(Ok(AccessUnit {
            bytes,
            key: true,
            carries_parameters: true,
            gap: std::mem::take(&mut self.gap),
            parameters,
            stamp: self.stamp,
        }));
        true
    }

    /// Gives up the picture, and looks for another.
    fn abandon(&mut self, error: SplitError) {
        self.start = match error {
            SplitError::TooLarge { .. } => self.bytes.len(),
            _ => self.resume,
        };
        (self.seen, self.resume) = (self.start, self.start);
        (self.at, self.gap) = (At::Outside, true);
        self.ready.push_back(Err(error));
    }
}

#[cfg(test)]
mod tests;
