//! One camera: started, read by a thread for each channel, and started again when it falls silent.

use super::config::Config;
use super::duty::Duty;
use super::exposures::Exposures;
use super::feed::Feed;
use super::light::Light;
use super::pause::Pause;
use super::{CameraStats, Places};
use crate::error::Result;
use framelane_hobot::vio::{CameraSetup, Pipeline, Vio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a thread waits for a frame without looking whether to stop.
const SLICE: Duration = Duration::from_millis(100);

/// One camera with its lanes.
pub struct Camera {
    vio: Arc<Vio>,
    setup: CameraSetup,
    silence: Duration,
    exposures: Exposures,
    feeds: Vec<Feed>,
    duty: Duty,
    stats: CameraStats,
}

/// Whether cameras could be started the first time.
pub struct FirstStarts {
    /// How many may fail before there is nothing to go on with.
    may_fail: usize,
    failed: AtomicUsize,
}

impl FirstStarts {
    /// Of two behind a switch one may be dead from the beginning.
    pub fn of(cameras: usize, switched: bool) -> Self {
        let may_fail = if switched { cameras - 1 } else { 0 };
        FirstStarts { may_fail, failed: AtomicUsize::new(0) }
    }

    fn may_go_on(&self) -> bool {
        self.failed.fetch_add(1, Ordering::AcqRel) < self.may_fail
    }
}

impl Camera {
    /// Makes the lanes; the camera is started by `run`.
    pub fn open(vio: &Arc<Vio>, index: usize, config: &Config, places: &Places) -> Result<Self> {
        let camera = &config.cameras[index];
        let open = |channel| Feed::open(vio, config, index, channel, places);
        Ok(Camera {
            vio: vio.clone(),
            setup: camera.setup(),
            silence: camera.silence(),
            exposures: Exposures::default(),
            feeds: camera.channels.iter().map(open).collect::<Result<_>>()?,
            duty: config.duty_of(index),
            stats: CameraStats { camera_id: camera.id_of(index), ..CameraStats::default() },
        })
    }

    /// Its channels' side, and its duty for whoever switches.
    pub fn split(&mut self) -> (Runner<'_>, &Duty) {
        let Camera { vio, setup, silence, exposures, feeds, duty, stats } = self;
        let (silence, duty) = (*silence, &*duty);
        (Runner { vio, setup, silence, exposures, feeds, duty, stats }, duty)
    }
}

/// A camera at work.
pub struct Runner<'a> {
    vio: &'a Arc<Vio>,
    setup: &'a CameraSetup,
    silence: Duration,
    exposures: &'a Exposures,
    feeds: &'a mut [Feed],
    duty: &'a Duty,
    stats: &'a mut CameraStats,
}

impl Runner<'_> {
    /// Publishes until `stop` says so.
    pub fn run(
        &mut self,
        starts: &FirstStarts,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Result<CameraStats> {
        let (mut pause, mut tried) = (Pause::new(), false);
        while !stop() {
            match Pipeline::start(self.vio, self.setup) {
                Ok(pipeline) => {
                    let delivered = self.read(&pipeline, stop)?;
                    pipeline.stop();
                    let back = self.feeds.iter().all(Feed::settle);
                    drop(pipeline);
                    if !back {
                        tracing::warn!("buffers are still out; the camera cannot be closed yet");
                    }
                    if delivered {
                        pause.delivered();
                    }
                }
                // A camera that never worked is a mistake to tell of, not a fault to wait out,
                // unless there is another.
                Err(error) if !tried && !starts.may_go_on() => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "the camera cannot be started"),
            }
            tried = true;
            if stop() {
                break;
            }
            self.stats.restarts += 1;
            let (camera, time) = (self.stats.camera_id, pause.take());
            tracing::warn!(camera, "the camera is silent; it is started again in {time:?}");
            rest(time, stop);
            self.exposures.restarted();
        }
        self.stats.channels = self.feeds.iter().map(Feed::stats).collect();
        Ok(self.stats.clone())
    }

    /// Reads every channel until `stop` says so or one of them is silent; whether anything came.
    fn read(&mut self, pipeline: &Pipeline, stop: &(dyn Fn() -> bool + Sync)) -> Result<bool> {
        let over = &AtomicBool::new(false);
        let ended = &|| over.load(Ordering::Acquire) || stop();
        let (exposures, silence, duty) = (self.exposures, self.silence, self.duty);
        let light = &Light::first(pipeline, duty);
        let period = Duration::from_secs(1) / self.setup.sensor.fps;
        let results: Vec<Result<bool>> = std::thread::scope(|scope| {
            scope.spawn(move || light.watch(pipeline, duty, period, ended));
            let start = |feed| {
                scope.spawn(move || {
                    let _ends = Ends(over);
                    Reading { pipeline, exposures, light, duty, silence }.read_channel(feed, ended)
                })
            };
            let threads: Vec<_> = self.feeds.iter_mut().map(start).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect()
        });
        results.into_iter().try_fold(false, |any, result| Ok(any | result?))
    }
}

/// A channel that ends, however it does, is the end for the others.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// What the channels of a running camera share.
struct Reading<'a> {
    pipeline: &'a Pipeline,
    exposures: &'a Exposures,
    light: &'a Light,
    duty: &'a Duty,
    silence: Duration,
}

impl Reading<'_> {
    fn read_channel(&self, feed: &mut Feed, ended: &dyn Fn() -> bool) -> Result<bool> {
        let (mut last, mut any) = (Instant::now(), false);
        while !ended() {
            if !self.duty.is_awake_within(Duration::ZERO) {
                feed.hide();
                self.duty.is_awake_within(SLICE);
                last = Instant::now();
                continue;
            }
            feed.reclaim();
            match self.pipeline.get(feed.number(), SLICE) {
                Ok(frame) => {
                    let exposure = self.exposures.of(frame.frame_id(), || self.light.last());
                    if feed.admits(self.duty) {
                        feed.take(frame, exposure)?;
                    }
                    (last, any) = (Instant::now(), true);
                }
                Err(error) if !error.is_transient() => {
                    tracing::warn!(%error, channel = feed.number(), "the camera fails");
                    break;
                }
                Err(_) if last.elapsed() >= self.silence => break,
                // The library may answer at once where it should wait.
                Err(_) => rest(Duration::from_millis(1), ended),
            }
        }
        Ok(any)
    }
}

/// Waits, but not after it is over.
pub fn rest(time: Duration, over: &(impl Fn() -> bool + ?Sized)) {
    let deadline = Instant::now() + time;
    while !over() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(20)));
    }
}
