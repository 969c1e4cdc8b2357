//! One camera: opened, read, and opened again when it fails.

use super::device::Device;
use super::feed::{Lane, Saying};
use super::format::Picture;
use super::stream::{Next, Stream};
use super::{Buffers, Config, Mode, REST, Stats};
use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for a picture without looking whether to stop.
const SLICE: Duration = Duration::from_millis(50);
/// First pause before a camera is opened again, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why a camera is no longer read.
enum Ended {
    /// Somebody asked, or enough frames have come.
    Told,
    /// Its pictures are of another format from now on.
    Changed,
}

/// A camera with its lane.
pub struct Camera {
    config: Config,
    session: Option<(Arc<Stream>, String)>,
    lane: Option<Lane>,
    capture_id: u64,
    stats: Stats,
}

impl Camera {
    /// Opens the camera, starts it and makes its lane; readers can attach.
    ///
    /// # Errors
    /// `NotFound` where there is no such device; `Unsupported` for what it cannot do, with all
    /// that was tried; `PermissionDenied`; what making a lane fails with.
    pub fn open(config: Config) -> Result<Self> {
        let mut camera =
            Camera { config, session: None, lane: None, capture_id: 0, stats: Stats::default() };
        camera.start()?;
        Ok(camera)
    }

    /// What it gives.
    pub fn picture(&self) -> Option<&Picture> {
        self.session.as_ref().map(|(stream, _)| &stream.picture)
    }

    /// How pictures come to readers, and why so.
    pub fn how(&self) -> &str {
        self.session.as_ref().map_or("", |(_, how)| how)
    }

    /// What became of its frames so far.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats.clone();
        stats.copied_bytes += self.lane.as_ref().map_or(0, Lane::copied_bytes);
        if let Some((stream, how)) = &self.session {
            stats.most_out = stats.most_out.max(stream.out().1);
            stats.how.clone_from(how);
        }
        stats
    }

    /// Publishes until `stop` says so or enough frames are published. A camera that fails is
    /// opened again, in growing intervals; its readers stay.
    ///
    /// # Errors
    /// What cannot mend itself: a camera that gives something the SDK does not know, a lane that
    /// cannot be made.
    pub fn run(&mut self, stop: &dyn Fn() -> bool) -> Result<Stats> {
        let mut pause = FIRST_PAUSE;
        loop {
            let before = self.stats.published;
            let error = match self.read(stop) {
                Ok(Ended::Told) => return Ok(self.stats()),
                Ok(Ended::Changed) => {
                    let path = self.config.device.display();
                    tracing::info!("{path} has another format from now on");
                    self.stats.changes += 1;
                    // Nothing has failed: there is nothing to wait for, once it shows something.
                    if self.stats.published > before {
                        pause = Duration::ZERO;
                    }
                    if !self.start_again(&mut pause, stop)? {
                        return Ok(self.stats());
                    }
                    continue;
                }
                Err(error) if is_permanent(&error) => return Err(error),
                Err(error) => error,
            };
            let path = self.config.device.display();
            tracing::warn!(%error, "{path} is opened again in {pause:?}");
            self.stats.last_error = error.to_string();
            if self.stats.published > before {
                pause = FIRST_PAUSE;
            }
            if !self.start_again(&mut pause, stop)? {
                return Ok(self.stats());
            }
        }
    }

    /// Opens it until that works; false when it was told to stop.
    fn start_again(&mut self, pause: &mut Duration, stop: &dyn Fn() -> bool) -> Result<bool> {
        self.stats = self.stats();
        // Its descriptor has to go before the node can be had again, and frames in its buffers
        // keep it. What readers hold stays readable, and says that it no longer counts.
        self.session = None;
        match self.lane.take() {
            Some(Lane::Device(producer)) => drop(producer),
            other => self.lane = other,
        }
        self.stats.copied_bytes -= self.lane.as_ref().map_or(0, Lane::copied_bytes);
        loop {
            let until = Instant::now() + *pause;
            while Instant::now() < until {
                if stop() {
                    return Ok(false);
                }
                std::thread::sleep(SLICE.min(until - Instant::now()));
            }
            *pause = (*pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            self.stats.restarts += 1;
            match self.start() {
                Ok(()) => return Ok(true),
                Err(error) if is_permanent(&error) && !is_settling(&error) => return Err(error),
                Err(error) => {
                    tracing::debug!(%error, "not yet");
                    self.stats.last_error = error.to_string();
                }
            }
        }
    }

    fn start(&mut self) -> Result<()> {
        let (mode, stream, how) = begin(&self.config)?;
        let stream = Arc::new(stream);
        if !self.lane.as_ref().is_some_and(|lane| lane.fits(&stream)) {
            if let Some(old) = self.lane.take() {
                self.stats.copied_bytes += old.copied_bytes();
                drop(old); // the name is free from here on
                tracing::info!(lane = self.config.lane, "readers attach to new buffers");
            }
            self.lane = Some(Lane::create(&self.config, mode, &stream)?);
        }
        let (picture, path) = (&stream.picture, stream.device().path().display());
        tracing::info!(
            "lane {}: {path} ({}) as {} {}x{}, {} buffers, {how}",
            self.config.lane,
            stream.device().card(),
            super::format::name(picture.pixel_format),
            picture.width,
            picture.height,
            stream.buffers()
        );
        self.session = Some((stream, how));
        Ok(())
    }

    /// Hands pictures on until told to stop, or until they are others.
    fn read(&mut self, stop: &dyn Fn() -> bool) -> Result<Ended> {
        let (Some((stream, how)), Some(lane)) = (&self.session, &self.lane) else {
            return Ok(Ended::Told);
        };
        let mut heard = Instant::now();
        let mut last: Option<u32> = None;
        while !stop() && self.config.frames.is_none_or(|most| self.stats.published < most) {
            let filled = match stream.next(SLICE)? {
                Next::Filled(filled) => filled,
                Next::Changed => return Ok(Ended::Changed),
                // The driver has buffers all the time, so it is the camera that is silent: no
                // driver tells of that.
                Next::Nothing if heard.elapsed() < self.config.stall => continue,
                Next::Nothing => {
                    self.stats.stalls += 1;
                    let text = format!("nothing came for {:?}", self.config.stall);
                    return Err(Error::new(ErrorKind::TimedOut, text));
                }
            };
            heard = Instant::now();
            // Drivers repeat a number now and then, and start again at 0.
            let step = last.map_or(1, |last| filled.sequence.saturating_sub(last).max(1));
            let missed = u64::from(step - 1);
            self.capture_id += 1 + missed;
            self.stats.missed += missed;
            self.stats.corrupt += u64::from(filled.corrupt);
            let gap = missed > 0 || (last.is_none() && self.stats.published > 0);
            last = Some(filled.sequence);
            let saying = Saying { how, gap, capture_id: self.capture_id };
            lane.take(stream, filled, &saying, self.config.camera_id, &mut self.stats)?;
        }
        Ok(Ended::Told)
    }
}

/// Opens the device and has it stream, in the wanted way or the best that works.
fn begin(config: &Config) -> Result<(Mode, Stream, String)> {
    let modes = match config.buffers {
        Buffers::Auto => &Mode::ALL[..],
        Buffers::Only(Mode::Export) => &Mode::ALL[..1],
        Buffers::Only(Mode::Import) => &Mode::ALL[1..2],
        Buffers::Only(Mode::Copy) => &Mode::ALL[2..],
    };
    let mut refusals = Vec::new();
    for &mode in modes {
        let (device, picture) = prepare(config)?;
        let coded = matches!(picture.content, super::format::Content::Coded(_));
        let (mode, why) = match coded {
            true => (Mode::Copy, "records of a stream are copied"),
            false => (mode, mode.why()),
        };
        match Stream::start(device, picture, mode, config.buffer_count()) {
            Ok(stream) => {
                let refused: String =
                    refusals.iter().map(|(_, text)| format!("; {text}")).collect();
                return Ok((mode, stream, format!("{}: {why}{refused}", mode.name())));
            }
            // A camera that is gone is not one that cannot do this.
            Err(error) if error.kind() == ErrorKind::Disconnected => return Err(error),
            Err(error) => {
                let text = format!("{} fails: {error}", mode.name());
                refusals.push((error.kind(), text));
            }
        }
    }
    Err(none_works(&refusals))
}

/// Why there is no way: one that cannot be, or one that may come, as when another program lets go.
fn none_works(refusals: &[(ErrorKind, String)]) -> Error {
    let never = refusals.iter().all(|(kind, _)| *kind == ErrorKind::Unsupported);
    let kind = if never { ErrorKind::Unsupported } else { ErrorKind::System };
    let texts: Vec<&str> = refusals.iter().map(|(_, text)| text.as_str()).collect();
    Error::new(kind, texts.join("; "))
}

fn prepare(config: &Config) -> Result<(Device, Picture)> {
    let device = Device::open(&config.device)?;
    device.follow_signal()?;
    let picture = device.set_format(config.content, config.size)?;
    if let Some((width, height)) = config.size
        && (picture.width, picture.height) != (width, height)
    {
        let (w, h, path) = (picture.width, picture.height, device.path().display());
        return Err(invalid(format!("{path} has no {width}x{height}; the nearest is {w}x{h}")));
    }
    device.set_rate(config.rate)?;
    for (name, value) in &config.controls {
        device.set_control(name, *value)?;
    }
    Ok((device, picture))
}

/// Errors that waiting does not mend.
fn is_permanent(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Disconnected | ErrorKind::NotFound | ErrorKind::TimedOut | ErrorKind::System
    )
}

/// A camera that was just plugged in again is root's alone until its rules are applied.
fn is_settling(error: &Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
}

impl Config {
    /// Buffers to ask for: what readers may hold, the newest, those before it, and the driver's.
    fn buffer_count(&self) -> u32 {
        (self.leases + 1 + self.history + 1 + REST).min(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_is_root_s_for_a_moment_is_waited_for_once_it_was_open() {
        let denied = Error::new(ErrorKind::PermissionDenied, "opening it");
        assert!(is_permanent(&denied) && is_settling(&denied));
        let unsupported = Error::new(ErrorKind::Unsupported, "it is no camera");
        assert!(is_permanent(&unsupported) && !is_settling(&unsupported));
    }

    #[test]
    fn what_no_way_can_do_is_unsupported_and_else_may_mend_itself() {
        let refused = |kinds: &[ErrorKind]| {
            let texts: Vec<_> = kinds.iter().map(|kind| (*kind, kind.name().to_owned())).collect();
            none_works(&texts)
        };
        let error = refused(&[ErrorKind::Unsupported; 3]);
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(is_permanent(&error));
        let error = refused(&[ErrorKind::Unsupported, ErrorKind::System]);
        assert_eq!(error.kind(), ErrorKind::System);
        assert!(error.to_string().contains(ErrorKind::Unsupported.name()), "{error}");
    }
}
