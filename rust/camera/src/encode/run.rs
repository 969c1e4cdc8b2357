//! From a frame lane into a stream lane.

use super::{EncodedUnit, Encoder, EncoderKind, EncoderOptions};
use crate::annexb;
use crate::error::Result;
use framelane::layout::RecordFlag;
use framelane::{Error, ErrorKind, Frame, RecordInfo, StreamWriter, monotonic_ns};
use std::time::Duration;

/// Longest wait without looking whether to stop.
const SLICE: Duration = Duration::from_millis(50);
/// The same while an encoder works by itself, which may have something ready at any time.
const WORKING: Duration = Duration::from_millis(4);
/// How long the encoder may take for what it is still working at when the stream ends.
const LAST: Duration = Duration::from_secs(2);

/// How to encode a lane.
#[derive(Clone, Copy, Debug)]
pub struct EncodeOptions {
    /// Which encoder.
    pub kind: EncoderKind,
    /// How it encodes.
    pub encoder: EncoderOptions,
    /// Encode nothing while nobody reads the stream.
    pub idle_when_unread: bool,
    /// End after so many access units.
    pub units: Option<u64>,
}

/// What became of the frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncodeStats {
    /// Frames read.
    pub frames: u64,
    /// Frames that passed unread.
    pub missed: u64,
    /// Frames left alone because nobody read the stream.
    pub unread: u64,
    /// Frames the encoder did not take.
    pub refused: u64,
    /// Access units written.
    pub units: u64,
    /// Key pictures among them.
    pub keys: u64,
    /// Access units too large for the ring.
    pub too_large: u64,
    /// Their bytes, all together.
    pub bytes: u64,
    /// Key pictures that readers asked for.
    pub key_requests: u64,
    /// Times the source lane was restarted.
    pub source_restarts: u64,
    /// Times another lane of the source, a switch, became active.
    pub switches: u64,
    /// Encoders that were opened: one for each size and format.
    pub encoders: u64,
    /// Time in the encoder, all frames together and the slowest.
    pub encode_ns: u64,
    /// The slowest.
    pub encode_max_ns: u64,
    /// Bytes of pictures copied or converted for the encoder.
    pub copied_bytes: u64,
}

/// Reads the next frame, waiting for it so long.
pub type NextFrame<'a> = dyn FnMut(Duration) -> Result<Option<Frame>> + 'a;

/// Encodes the frames that `next` reads, of a lane or of a switch, into the stream of `writer`
/// until `stop` says so or enough are encoded. Each picture is encoded once, however many read it.
///
/// The stream's config is told before the first picture, and again when the frames change their
/// size or come from another camera; a restart of the source lane and a switch to another one are
/// followed, and start with a key picture that is flagged as discontinuous.
///
/// # Errors
/// What reading the lane, the encoder and writing the stream fail with.
pub fn run(
    next: &mut NextFrame<'_>,
    writer: &StreamWriter,
    options: &EncodeOptions,
    stop: &dyn Fn() -> bool,
) -> Result<EncodeStats> {
    let mut run = Run { writer, options, open: None, idle: false, stats: EncodeStats::default() };
    while !stop() && options.units.is_none_or(|enough| run.stats.units < enough) {
        match next(run.patience())? {
            Some(frame) => run.take(frame)?,
            None => run.drain(Duration::ZERO)?,
        }
    }
    run.end_encoder()?;
    Ok(run.stats)
}

struct Run<'a> {
    writer: &'a StreamWriter,
    options: &'a EncodeOptions,
    open: Option<Open>,
    /// Frames were left alone just before.
    idle: bool,
    stats: EncodeStats,
}

/// The encoder that is at work, and the frames it is for.
struct Open {
    encoder: Box<dyn Encoder>,
    shape: (u32, u32, u32),
    /// Something is missing before the next access unit.
    gap: bool,
}

impl Run<'_> {
    /// How long to wait for a frame before looking at the encoder.
    fn patience(&self) -> Duration {
        let works_alone = self.open.as_ref().is_some_and(|open| open.encoder.frames_held() > 1);
        if works_alone { WORKING } else { SLICE }
    }

    fn take(&mut self, frame: Frame) -> Result<()> {
        self.stats.frames += 1;
        self.stats.missed += frame.missed();
        let switched = frame.switched();
        let restarted = frame.new_epoch() && !switched;
        self.stats.source_restarts += u64::from(restarted);
        self.stats.switches += u64::from(switched);
        if self.options.idle_when_unread && self.writer.readers() == 0 {
            self.stats.unread += 1;
            self.idle = true;
            return Ok(());
        }
        let resumed = std::mem::take(&mut self.idle);
        let wanted = self.writer.key_frame_wanted();
        self.stats.key_requests += u64::from(wanted);
        if restarted || switched {
            // A key picture is that of the next frame only where no earlier one is at work.
            self.drain(LAST)?;
        }
        let open = self.encoder_for(&frame)?;
        open.gap |= resumed || restarted;
        if wanted || resumed || restarted || switched {
            open.encoder.request_key_frame();
        }
        let start_ns = monotonic_ns();
        let patience = open.encoder.patience();
        match open.encoder.submit(frame) {
            Ok(()) => {}
            // It costs this frame: the next ones may do.
            Err(error) if matches!(error.kind(), ErrorKind::NoFreeSlot | ErrorKind::Revoked) => {
                tracing::debug!("a frame is not encoded: {error}");
                open.gap = true;
                self.stats.refused += 1;
            }
            Err(error) => return Err(error),
        }
        let took_ns = monotonic_ns() - start_ns;
        self.stats.encode_ns += took_ns;
        self.stats.encode_max_ns = self.stats.encode_max_ns.max(took_ns);
        self.drain(patience)
    }

    /// The encoder for frames like this one; a new one where their size or format has changed.
    fn encoder_for(&mut self, frame: &Frame) -> Result<&mut Open> {
        let descriptor = frame.descriptor();
        let shape = (descriptor.width, descriptor.height, descriptor.fourcc);
        if self.open.as_ref().is_none_or(|open| open.shape != shape) {
            self.end_encoder()?;
            let encoder = self.options.kind.open(frame, &self.options.encoder)?;
            let (width, height, _) = shape;
            tracing::info!("{} encodes pictures of {width}x{height}", encoder.name());
            let gap = self.stats.encoders > 0;
            self.stats.encoders += 1;
            self.open = Some(Open { encoder, shape, gap });
        }
        let missing = || Error::new(ErrorKind::Internal, "no encoder was opened");
        self.open.as_mut().ok_or_else(missing)
    }

    /// Writes what the encoder has ready.
    fn drain(&mut self, mut timeout: Duration) -> Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let Open { encoder, gap, .. } = open;
        let (writer, options, stats) = (self.writer, self.options, &mut self.stats);
        let mut lost = false;
        loop {
            let mut sink = |unit: &EncodedUnit<'_>| {
                lost |= !write(writer, options, gap, unit, stats)?;
                Ok(())
            };
            if !encoder.receive(timeout, &mut sink)? {
                break;
            }
            timeout = timeout.min(SLICE);
        }
        if lost {
            // What comes after it cannot be decoded without it.
            encoder.request_key_frame();
        }
        Ok(())
    }

    fn end_encoder(&mut self) -> Result<()> {
        if let Some(open) = &mut self.open {
            open.encoder.finish()?;
            self.drain(LAST)?;
        }
        if let Some(open) = self.open.take() {
            self.stats.copied_bytes += open.encoder.copied_bytes();
        }
        Ok(())
    }
}

/// Writes one access unit, after the config that it brings; whether there was room for it.
fn write(
    writer: &StreamWriter,
    options: &EncodeOptions,
    gap: &mut bool,
    unit: &EncodedUnit<'_>,
    stats: &mut EncodeStats,
) -> Result<bool> {
    if unit.key && unit.carries_parameters {
        tell_config(writer, &options.encoder, unit)?;
    }
    let mut info = RecordInfo::new();
    info.pts_ns = unit.stamp.pts_ns;
    info.dts_ns = unit.dts_ns.unwrap_or(info.dts_ns);
    info.capture_id = unit.stamp.capture_id;
    let flags = [
        (unit.key, RecordFlag::KEY),
        (unit.carries_parameters, RecordFlag::CONFIG),
        (*gap || unit.stamp.gap, RecordFlag::DISCONTINUITY),
    ];
    info.flags = flags.into_iter().filter_map(|(set, bit)| set.then_some(bit)).sum();
    match writer.write(&info, unit.pieces) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::RecordTooLarge => {
            tracing::warn!("an access unit is given up: {error}; make the ring larger");
            (*gap, stats.too_large) = (true, stats.too_large + 1);
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    *gap = false;
    stats.units += 1;
    stats.keys += u64::from(unit.key);
    stats.bytes += unit.pieces.iter().map(|piece| piece.len() as u64).sum::<u64>();
    Ok(true)
}

/// Says what the pictures are from here on, as their own parameter sets have it.
fn tell_config(
    writer: &StreamWriter,
    options: &EncoderOptions,
    unit: &EncodedUnit<'_>,
) -> Result<()> {
    let Some(parameters) = annexb::parameters(options.codec, &unit.bytes()) else {
        let text = "the encoder's key picture has no parameter sets that can be read";
        return Err(Error::new(ErrorKind::Internal, text));
    };
    let mut config = parameters.config()?.fps(options.rate.frames(), options.rate.seconds());
    config.camera_id = unit.stamp.camera_id;
    config.bits_per_second = options.bits_per_second(parameters.width, parameters.height).into();
    writer.set_config(&config)?;
    Ok(())
}
