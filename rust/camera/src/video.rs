//! A stream of H.264, H.265 or Motion JPEG, whichever it turns out to be.

use crate::annexb::{self, AccessUnit, SplitError};
use crate::error::Result;
use crate::mjpeg;
use framelane::Codec;

/// Gives up recognising after so many bytes, tells of it and tries again.
const RECOGNISED_BY: u64 = 8 << 20;

/// Takes a video stream apart into pictures: access units of H.264 and H.265, pictures of JPEG.
pub struct VideoSplitter(Kind);

enum Kind {
    AnnexB(Codec, Box<annexb::Splitter>),
    Jpeg(mjpeg::Splitter),
    /// Every kind there is, until one of them finds a picture.
    Unknown {
        candidates: Vec<Kind>,
        bytes: u64,
        error: Option<SplitError>,
    },
}

impl Default for VideoSplitter {
    /// One that recognises what it gets.
    fn default() -> Self {
        VideoSplitter(Kind::unknown())
    }
}

impl VideoSplitter {
    /// A splitter of `codec`, or with None of the one that the bytes turn out to be: bytes of one
    /// make no picture with parameter sets in the eyes of another.
    ///
    /// # Errors
    /// `Unsupported` for a codec that is none of the three.
    pub fn new(codec: Option<Codec>) -> Result<Self> {
        let kind = match codec {
            Some(codec) => Kind::of(codec)?,
            None => Kind::unknown(),
        };
        Ok(VideoSplitter(kind))
    }

    /// What the stream is, once that is known.
    pub fn codec(&self) -> Option<Codec> {
        match &self.0 {
            Kind::AnnexB(codec, _) => Some(*codec),
            Kind::Jpeg(_) => Some(Codec::Jpeg),
            Kind::Unknown { .. } => None,
        }
    }

    /// Takes the next bytes of the stream. `stamp` comes back in the units that begin with them.
    pub fn push(&mut self, bytes: &[u8], stamp: u64) {
        self.0.push(bytes, stamp);
    }

    /// The next unit that is whole, or an error about bytes that were given up.
    pub fn take(&mut self) -> Option<Result<AccessUnit, SplitError>> {
        let Kind::Unknown { candidates, error, .. } = &mut self.0 else {
            return self.0.take();
        };
        for candidate in candidates.iter_mut() {
            // What one of the others makes of the bytes is no error.
            while let Some(taken) = candidate.take() {
                if taken.is_ok() {
                    let found = std::mem::replace(candidate, Kind::Jpeg(mjpeg::Splitter::new()));
                    self.0 = found;
                    return Some(taken);
                }
            }
        }
        error.take().map(Err)
    }

    /// Says that the stream ends here. More may be pushed.
    pub fn finish(&mut self) {
        self.0.finish();
    }

    /// Pictures passed over because there was no key picture before them.
    pub fn skipped(&self) -> u64 {
        match &self.0 {
            Kind::AnnexB(_, splitter) => splitter.skipped(),
            _ => 0,
        }
    }
}

impl Kind {
    fn of(codec: Codec) -> Result<Self> {
        match codec {
            Codec::Jpeg => Ok(Kind::Jpeg(mjpeg::Splitter::new())),
            codec => Ok(Kind::AnnexB(codec, Box::new(annexb::Splitter::new(codec)?))),
        }
    }

    fn unknown() -> Self {
        let codecs = [Codec::H264, Codec::H265, Codec::Jpeg];
        let candidates = codecs.into_iter().filter_map(|codec| Kind::of(codec).ok()).collect();
        Kind::Unknown { candidates, bytes: 0, error: None }
    }

    fn push(&mut self, more: &[u8], stamp: u64) {
        match self {
            Kind::AnnexB(_, splitter) => splitter.push(more, stamp),
            Kind::Jpeg(splitter) => splitter.push(more, stamp),
            Kind::Unknown { candidates, bytes, error } => {
                candidates.iter_mut().for_each(|candidate| candidate.push(more, stamp));
                *bytes += more.len() as u64;
                if *bytes > RECOGNISED_BY {
                    *error = Some(SplitError::NoVideo { bytes: std::mem::take(bytes) });
                }
            }
        }
    }

    fn take(&mut self) -> Option<Result<AccessUnit, SplitError>> {
        match self {
            Kind::AnnexB(_, splitter) => splitter.take(),
            Kind::Jpeg(splitter) => splitter.take(),
            Kind::Unknown { .. } => None,
        }
    }

    fn finish(&mut self) {
        match self {
            Kind::AnnexB(_, splitter) => splitter.finish(),
            Kind::Jpeg(splitter) => splitter.finish(),
            Kind::Unknown { candidates, .. } => {
                candidates.iter_mut().for_each(|candidate| candidate.finish());
            }
        }
    }
}

#[cfg(test)]
mod tests;
