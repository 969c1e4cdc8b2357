//! Encoders: frames of a lane in, access units for a stream lane out.
//!
//! An encoder keeps the lease of a frame for as long as it reads from it, and hands out each access
//! unit where it made it, so that the one copy is that into the stream's ring.

mod hobot;
mod kind;
#[cfg(feature = "openh264")]
mod openh264;
mod options;
#[cfg(feature = "openh264")]
mod planar;
mod readable;
mod run;
mod stamp;

pub use hobot::hobot;
pub use kind::EncoderKind;
pub use options::{EncoderOptions, Profile};
pub use run::{EncodeOptions, EncodeStats, NextFrame, run};
pub use stamp::Stamp;

use crate::error::Result;
use framelane::Frame;
use std::time::Duration;

/// Takes the access units of an encoder.
pub type Sink<'a> = dyn FnMut(&EncodedUnit<'_>) -> Result<()> + 'a;

/// Turns frames of one size and pixel format into one access unit each, in the order they come.
///
/// ```text
/// encoder.submit(frame)?;
/// while encoder.receive(Duration::ZERO, &mut |unit| write(unit))? {}
/// ```
pub trait Encoder: Send {
    /// What it is called on the command line.
    fn name(&self) -> &'static str;

    /// Frames whose leases it may hold at once, between two calls.
    fn frames_held(&self) -> u32;

    /// Takes a frame. Its lease ends when the encoder has read the last byte it needs, also when
    /// this call fails.
    ///
    /// # Errors
    /// `Unsupported` for a frame that is not of the size and format the encoder was made for;
    /// `NoFreeSlot` when it has as many as it can work at, and the frame is given up; `Revoked`
    /// when the frame was taken back before it was read; `System` when the encoder fails.
    fn submit(&mut self, frame: Frame) -> Result<()>;

    /// Hands the next access unit to `sink`, waiting for it up to `timeout`; whether there was
    /// one. An encoder that works within `submit` never waits.
    ///
    /// # Errors
    /// What `sink` fails with; `System` when the encoder fails.
    fn receive(&mut self, timeout: Duration, sink: &mut Sink<'_>) -> Result<bool>;

    /// How long after a frame its access unit usually comes: so long it is waited for, in order not
    /// to wait for the next frame. Nothing for one that works within `submit`.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// Makes the next frame that is submitted a key picture, with parameter sets in band.
    fn request_key_frame(&mut self);

    /// Ends the stream: what is still being worked at comes out of [`receive`](Self::receive).
    ///
    /// # Errors
    /// `System` when the encoder fails.
    fn finish(&mut self) -> Result<()>;

    /// Bytes of pictures it copied or converted on the way in; 0 for one that reads frames in
    /// place.
    fn copied_bytes(&self) -> u64;
}

/// One encoded picture, where the encoder made it.
#[derive(Clone, Copy, Debug)]
pub struct EncodedUnit<'a> {
    /// Its bytes in Annex B form, in pieces.
    pub pieces: &'a [&'a [u8]],
    /// Decoding can start here.
    pub key: bool,
    /// It carries parameter sets in band.
    pub carries_parameters: bool,
    /// When to decode it, where that is known; as presentation time where no picture is reordered.
    pub dts_ns: Option<i64>,
    /// Of the frame it was made of.
    pub stamp: Stamp,
}

impl EncodedUnit<'_> {
    /// Its bytes in one piece.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}
