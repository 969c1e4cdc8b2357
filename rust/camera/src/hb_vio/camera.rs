//! One camera: started, read by a thread for each channel, and started again when it falls silent.

use super::config;
use super::exposures::Exposures;
use super::feed::Feed;
use super::{CameraStats, Places};
use crate::error::Result;
use framelane_hobot::vio::{CameraSetup, Pipeline, Vio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a thread waits for a frame without looking whether to stop.
const SLICE: Duration = Duration::from_millis(100);

/// First pause before a camera is started again, doubled up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// One camera with its lanes.
pub struct Camera {
    vio: Arc<Vio>,
    setup: CameraSetup,
    silence: Duration,
    exposures: Exposures,
    feeds: Vec<Feed>,
    stats: CameraStats,
}

impl Camera {
    /// Makes the lanes; the camera is started by `run`.
    pub fn open(
        vio: &Arc<Vio>,
        index: usize,
        config: &config::Camera,
        places: &Places,
    ) -> Result<Self> {
        let camera_id = config.id_of(index);
        let open = |channel| Feed::open(vio, camera_id, config, channel, places);
        Ok(Camera {
            vio: vio.clone(),
            setup: config.setup(),
            silence: config.silence(),
            exposures: Exposures::default(),
            feeds: config.channels.iter().map(open).collect::<Result<_>>()?,
            stats: CameraStats { camera_id, ..CameraStats::default() },
        })
    }

    /// Publishes until `stop` says so.
    pub fn run(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Result<CameraStats> {
        let (mut pause, mut tried) = (FIRST_PAUSE, false);
        while !stop() {
            match Pipeline::start(&self.vio, &self.setup) {
                Ok(pipeline) => {
                    let delivered = self.read(&pipeline, stop)?;
                    pipeline.stop();
                    let back = self.feeds.iter().all(Feed::settle);
                    drop(pipeline);
                    if !back {
                        tracing::warn!("buffers are still out; the camera cannot be closed yet");
                    }
                    if delivered {
                        pause = FIRST_PAUSE;
                    }
                }
                // A camera that never worked is a mistake to tell of, not a fault to wait out.
                Err(error) if !tried => return Err(error.into()),
                Err(error) => tracing::warn!(%error, "the camera cannot be started"),
            }
            tried = true;
            if stop() {
                break;
            }
            self.stats.restarts += 1;
            let camera = self.stats.camera_id;
            tracing::warn!(camera, "the camera is silent; it is started again in {pause:?}");
            rest(pause, stop);
            pause = LONGEST_PAUSE.min(pause * 2);
            self.exposures.restarted();
        }
        self.stats.channels = self.feeds.iter().map(Feed::stats).collect();
        Ok(self.stats.clone())
    }

    /// Reads every channel until `stop` says so or one of them is silent; whether anything came.
    fn read(&mut self, pipeline: &Pipeline, stop: &(dyn Fn() -> bool + Sync)) -> Result<bool> {
        let over = AtomicBool::new(false);
        let (exposures, silence) = (&self.exposures, self.silence);
        let results: Vec<Result<bool>> = std::thread::scope(|scope| {
            let start = |feed| {
                let over = &over;
                scope.spawn(move || {
                    let ended = || over.load(Ordering::Acquire) || stop();
                    let result = read_channel(feed, pipeline, exposures, silence, &ended);
                    over.store(true, Ordering::Release);
                    result
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

fn read_channel(
    feed: &mut Feed,
    pipeline: &Pipeline,
    exposures: &Exposures,
    silence: Duration,
    ended: &dyn Fn() -> bool,
) -> Result<bool> {
    let (mut last, mut any) = (Instant::now(), false);
    while !ended() {
        match pipeline.get(feed.number(), SLICE) {
            Ok(frame) => {
                let brightness = || pipeline.brightness().unwrap_or(-1.0);
                let exposure = exposures.of(frame.frame_id(), brightness);
                feed.take(frame, exposure)?;
                (last, any) = (Instant::now(), true);
            }
            Err(error) if !error.is_transient() => {
                tracing::warn!(%error, channel = feed.number(), "the camera fails");
                break;
            }
            Err(_) if last.elapsed() >= silence => break,
            // The library may answer at once where it should wait.
            Err(_) => rest(Duration::from_millis(1), ended),
        }
    }
    Ok(any)
}

/// Waits, but not after it is over.
fn rest(time: Duration, over: &(impl Fn() -> bool + ?Sized)) {
    let deadline = Instant::now() + time;
    while !over() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(20)));
    }
}
