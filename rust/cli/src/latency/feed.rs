//! Frames of a lane and records of a stream, as far as their times go.

use super::exposures::Exposures;
use crate::capture::{self, Incomparable};
use crate::reader::Reader;
use framelane::layout::StreamStart;
use framelane::{
    ConsumerOptions, ErrorKind, Mode, Result, StreamReader, StreamReaderOptions, monotonic_ns,
};
use std::time::Duration;

/// Time from capture to publication, where it can be told.
pub type Capture = std::result::Result<u64, Incomparable>;

/// Epoch, capture, and the times of publication and of having it in hand.
pub type Taken = (u64, Capture, u64, u64);

/// What is measured.
pub trait Feed {
    fn kind(&self) -> &'static str;
    /// Whether there is something without waiting.
    fn is_ready(&self) -> bool;
    /// Sleeps until there is; false when the time is over.
    fn wait(&mut self, timeout: Duration) -> Result<bool>;
    fn take(&mut self) -> Result<Option<Taken>>;
    /// Passed without being taken.
    fn missed(&self) -> u64;
}

/// Of a lane or a switch.
pub struct Frames(Reader);

impl Frames {
    pub fn open(lane: &str) -> Result<Self> {
        let options = ConsumerOptions::new(Mode::Latest).wants_writable(true);
        Reader::open(lane, options).map(Frames)
    }
}

impl Feed for Frames {
    fn kind(&self) -> &'static str {
        "frame"
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn wait(&mut self, timeout: Duration) -> Result<bool> {
        self.0.wait(timeout)
    }

    fn take(&mut self) -> Result<Option<Taken>> {
        let Some(frame) = self.0.try_next()? else { return Ok(None) };
        let received_ns = monotonic_ns();
        let descriptor = frame.descriptor();
        let publish_ns = descriptor.publish_ns;
        let capture = capture::since(descriptor, publish_ns);
        Ok(Some((frame.epoch(), capture, publish_ns, received_ns)))
    }

    fn missed(&self) -> u64 {
        self.0.missed()
    }
}

/// Of a stream, with the exposures that its records are about where those are read too.
pub struct Records(StreamReader, Option<Exposures>);

impl Records {
    pub fn open(lane: &str, exposures: Option<Exposures>) -> Result<Self> {
        // Records need no decoding here: any is as good as a key record.
        let options = StreamReaderOptions::new().start(StreamStart::Next);
        Ok(Records(StreamReader::open(lane, options)?, exposures))
    }
}

impl Feed for Records {
    fn kind(&self) -> &'static str {
        "stream"
    }

    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn wait(&mut self, timeout: Duration) -> Result<bool> {
        self.0.wait(timeout)
    }

    fn take(&mut self) -> Result<Option<Taken>> {
        match self.0.try_next() {
            Ok(Some(record)) => {
                let received_ns = monotonic_ns();
                let publish_ns = record.info().publish_ns;
                // A record says which exposure it is of, not when that was.
                let since = |seen: &Exposures| seen.since(record.info().capture_id, publish_ns);
                let capture = self.1.as_ref().and_then(since).ok_or(Incomparable::NoTime);
                Ok(Some((record.epoch(), capture, publish_ns, received_ns)))
            }
            Ok(None) => Ok(None),
            // Counted as missed; the next one is read.
            Err(error) if error.kind() == ErrorKind::Lapped => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn missed(&self) -> u64 {
        self.0.missed()
    }
}
