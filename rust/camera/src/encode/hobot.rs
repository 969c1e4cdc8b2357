//! The video codec of an RDK X5.
//!
//! Frames in camera memory are read where they are: the codec is told their bus addresses, and
//! each lease ends when it has read the frame. Frames elsewhere, and all frames if it will not
//! read them in place, are copied into its own buffers, which is said and counted.

use super::readable::Readable;
use super::{EncodedUnit, Encoder, EncoderOptions, Profile, Sink, Stamp};
use crate::error::Result;
use framelane::{Codec, Error, ErrorKind, Frame, MemoryKind, PixelFormat};
use framelane_hobot::codec::{self, EncoderSetup, Input, Placed, Refused, Unit, VideoCodec};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a place for a picture is waited for: it costs this frame, not the ones after it.
const ROOM: Duration = Duration::from_millis(5);
/// A codec that finishes nothing for so long does not work any more.
const DEAD: Duration = Duration::from_secs(3);
/// Nor does one that fails so many pictures in a row.
const FAILURES: u32 = 5;
/// Pictures it has at once: one that it reads, one that waits, one in between.
const PICTURES: u32 = 3;

/// Feeds the codec and takes what it makes.
pub(super) struct Hobot {
    library: Arc<codec::Codec>,
    encoder: codec::Encoder<Stamp>,
    shape: (u32, u32, u32),
    /// Of an encoder before this one.
    ready: VecDeque<Unit<Stamp>>,
    /// Planes out of device memory on their way into the codec's.
    scratch: Readable,
    copied: u64,
    /// Frames whose lease ran out while the codec read them.
    torn: Arc<AtomicU64>,
    /// Something is missing before the next unit.
    gap: bool,
    failures: u32,
    /// When the codec last finished something, or had nothing to do.
    alive: Instant,
}

/// A frame that the codec reads.
struct Lent {
    frame: Option<Frame>,
    torn: Arc<AtomicU64>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(frame) = self.frame.take() else { return };
        if !frame.check() && self.torn.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "a frame was taken back while the codec read it: give the lane a longer lease"
            );
        }
    }
}

/// The video codec of an RDK X5, for frames like the one given: H.264 and H.265 out of nv12 and
/// i420.
///
/// # Errors
/// `Unsupported` where the vendor's library is missing, and for sizes, formats, codecs and options
/// that it does not take; what starting the codec fails with.
pub fn hobot(frame: &Frame, options: &EncoderOptions) -> Result<Box<dyn Encoder>> {
    Ok(Box::new(Hobot::new(frame, options)?))
}

impl Hobot {
    fn new(frame: &Frame, options: &EncoderOptions) -> Result<Self> {
        let library = codec::Codec::open(None).map_err(Error::from)?;
        let in_place = frame.descriptor().memory_kind == MemoryKind::HbMem.number();
        let setup = setup(frame, options, if in_place { Input::External } else { Input::Copied })?;
        if !in_place {
            tracing::info!("frames are not in camera memory: each is copied for the codec");
        }
        let encoder = match codec::Encoder::start(&library, &setup) {
            Err(error) if in_place && error.refuses_memory() => {
                tracing::warn!(%error, "{COPIES}");
                codec::Encoder::start(&library, &EncoderSetup { input: Input::Copied, ..setup })
            }
            started => started,
        };
        Ok(Hobot {
            library,
            encoder: encoder.map_err(Error::from)?,
            shape: shape(frame),
            ready: VecDeque::new(),
            scratch: Readable::default(),
            copied: 0,
            torn: Arc::default(),
            gap: false,
            failures: 0,
            alive: Instant::now(),
        })
    }

    /// Lends a frame to the codec; it comes back if that will not read it where it is.
    fn lend(&mut self, frame: Frame, stamp: Stamp) -> Result<Option<Frame>> {
        let mapped = (0..frame.plane_count()).map(|index| {
            frame.revocable_plane(index).map(|plane| (plane.address as usize, plane.len))
        });
        let mapped = mapped.collect::<Result<Vec<_>>>()?;
        let place = Placed::of(frame.descriptor(), &mapped).map_err(Error::from)?;
        let lent = Box::new(Lent { frame: Some(frame), torn: self.torn.clone() });
        let Err(refused) = self.encoder.feed(&place, stamp, lent, ROOM) else { return Ok(None) };
        let Refused { error, owner } = refused;
        if !error.refuses_memory() {
            return Err(self.no_room(error));
        }
        tracing::warn!(%error, "{COPIES}");
        self.copy_from_here_on()?;
        Ok(owner.downcast::<Lent>().ok().and_then(|mut lent| lent.frame.take()))
    }

    /// A new encoder, whose pictures are copied; what the old one makes is kept.
    fn copy_from_here_on(&mut self) -> Result<()> {
        while self.encoder.pending() > 0 {
            match self.encoder.take(DEAD) {
                Ok(Some(unit)) => self.ready.push_back(unit),
                Ok(None) | Err(_) => {
                    self.gap = true;
                    break;
                }
            }
        }
        let setup = EncoderSetup { input: Input::Copied, ..*self.encoder.setup() };
        self.encoder = codec::Encoder::start(&self.library, &setup).map_err(Error::from)?;
        Ok(())
    }

    /// Copies a frame into a buffer of the codec's.
    fn copy(&mut self, frame: &Frame, stamp: Stamp) -> Result<()> {
        let planes = &frame.descriptor().planes[..frame.plane_count()];
        self.copied += self.scratch.take(frame, planes.len())?;
        let mut found = Vec::new();
        for (index, plane) in planes.iter().enumerate() {
            found.push((self.scratch.plane(frame, index)?, plane.stride_bytes as usize));
        }
        match self.encoder.feed_copy(&found, stamp, ROOM) {
            Ok(copied) => self.copied += copied,
            Err(error) => return Err(self.no_room(error)),
        }
        Ok(())
    }

    /// The error for a picture that the codec had no place for, or did not take at all.
    fn no_room(&mut self, error: framelane_hobot::Error) -> Error {
        if !error.is_transient() {
            return error.into();
        }
        if self.alive.elapsed() > DEAD {
            let text = format!("the codec has finished no picture for {} s", DEAD.as_secs());
            return Error::new(ErrorKind::System, text);
        }
        self.gap = true;
        Error::new(ErrorKind::NoFreeSlot, "the codec is busy with the frames before this one")
    }

    /// The next unit; None when none came in time.
    fn next(&mut self, timeout: Duration) -> Result<Option<Unit<Stamp>>> {
        if let Some(unit) = self.ready.pop_front() {
            return Ok(Some(unit));
        }
        if self.encoder.pending() == 0 {
            self.alive = Instant::now();
            return Ok(None);
        }
        match self.encoder.take(timeout) {
            Ok(Some(unit)) => {
                (self.alive, self.failures) = (Instant::now(), 0);
                Ok(Some(unit))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.failures += 1;
                if self.failures >= FAILURES {
                    return Err(error.into());
                }
                tracing::warn!(%error, "a picture is lost");
                self.gap = true;
                self.request_key_frame();
                Ok(None)
            }
        }
    }
}

const COPIES: &str = "the codec does not read frames where they are: they are copied";

impl Encoder for Hobot {
    fn name(&self) -> &'static str {
        "hobot"
    }

    fn frames_held(&self) -> u32 {
        PICTURES
    }

    fn submit(&mut self, frame: Frame) -> Result<()> {
        if shape(&frame) != self.shape {
            let text = "a frame of another size or format than the encoder was made for";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        let stamp = Stamp::of(&frame);
        let stamp = Stamp { gap: stamp.gap || std::mem::take(&mut self.gap), ..stamp };
        let in_place = frame.descriptor().memory_kind == MemoryKind::HbMem.number();
        if in_place && self.encoder.setup().input == Input::External {
            let Some(refused) = self.lend(frame, stamp)? else { return Ok(()) };
            return self.copy(&refused, stamp);
        }
        if self.encoder.setup().input == Input::External {
            self.copy_from_here_on()?;
        }
        self.copy(&frame, stamp)
    }

    fn receive(&mut self, timeout: Duration, sink: &mut Sink<'_>) -> Result<bool> {
        let Some(unit) = self.next(timeout)? else { return Ok(false) };
        let stamp = *unit.tag();
        sink(&EncodedUnit {
            pieces: &[unit.bytes()],
            key: unit.is_key(),
            carries_parameters: unit.carries_parameters(),
            // No picture is shown before one that was coded before it.
            dts_ns: Some(stamp.pts_ns),
            stamp,
        })?;
        Ok(true)
    }

    fn patience(&self) -> Duration {
        // As long as there is no next frame.
        Duration::from_secs(1) / self.encoder.setup().fps
    }

    fn request_key_frame(&mut self) {
        if let Err(error) = self.encoder.request_key_frame() {
            tracing::warn!(%error, "a key picture cannot be asked for");
        }
    }

    fn finish(&mut self) -> Result<()> {
        Ok(()) // nothing is kept back
    }

    fn copied_bytes(&self) -> u64 {
        self.copied
    }
}

fn setup(frame: &Frame, options: &EncoderOptions, input: Input) -> Result<EncoderSetup> {
    let descriptor = frame.descriptor();
    let planar = match PixelFormat::from_number(descriptor.fourcc) {
        Some(PixelFormat::Nv12) => false,
        Some(PixelFormat::I420) => true,
        _ => {
            let text = format!(
                "hobot encodes pictures of nv12 and i420, not of {:#010x}",
                descriptor.fourcc
            );
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
    };
    let codec = match options.codec {
        Codec::H264 => VideoCodec::H264,
        Codec::H265 => VideoCodec::H265,
        other => {
            let text = format!("hobot makes h264 and h265, not {}", other.name());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
    };
    let profile = match (codec, options.profile) {
        (VideoCodec::H264, Some(Profile::Baseline)) => Some(codec::Profile::Baseline),
        (VideoCodec::H264, Some(Profile::Main)) => Some(codec::Profile::Main),
        (VideoCodec::H264, Some(Profile::High)) => Some(codec::Profile::High),
        (_, None | Some(Profile::Main)) => None,
        _ => {
            let text = "hobot makes H.265 of the profile main only";
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
    };
    let (width, height) = (descriptor.width, descriptor.height);
    let setup = EncoderSetup {
        codec,
        width,
        height,
        fps: options.rate.frames().div_ceil(options.rate.seconds()),
        bitrate_kbps: (options.bits_per_second(width, height) / 1000).max(1),
        gop: options.gop(),
        profile,
        input,
        planar,
        pictures: PICTURES,
        ..EncoderSetup::default()
    };
    // Another encoder may be able to.
    let unsupported =
        |error: framelane_hobot::Error| Error::new(ErrorKind::Unsupported, error.to_string());
    setup.check().map_err(unsupported)?;
    Ok(setup)
}

fn shape(frame: &Frame) -> (u32, u32, u32) {
    let descriptor = frame.descriptor();
    (descriptor.width, descriptor.height, descriptor.fourcc)
}
