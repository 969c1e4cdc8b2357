//! The cameras of an RDK X5: frames stay in the memory the hardware wrote them to.
//!
//! One thread for each channel takes frames and publishes them; a buffer goes back to the hardware
//! when the last reader has let go of it, and at the latest when its lease is over. One buffer of
//! every ring always stays with the hardware, so that no reader can stop a camera: a frame for
//! which there is no other buffer left is given back unseen, and counted. A camera that stops to
//! deliver is started again, and its lanes and their readers stay.
//!
//! Two cameras can stand behind switches, one for each channel that both have: readers of a switch
//! see the one that is active, by the brightness or by whoever selects.

mod camera;
pub mod config;
mod duty;
mod exposures;
mod feed;
mod flight;
mod light;
mod pause;
mod switching;

pub use config::{Config, Readers, Transport};

use crate::error::Result;
use camera::{Camera, FirstStarts};
use framelane_hobot::vio::Vio;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ScopedJoinHandle;
use switching::Switching;

/// Where things are, for tests and unusual machines.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// Folder of the vendor's libraries; None searches.
    pub libraries: Option<PathBuf>,
    /// Runtime directory of the lanes; None searches.
    pub lanes: Option<PathBuf>,
}

/// What became of one channel's frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChannelStats {
    /// Its lane.
    pub lane: String,
    /// How frames reach readers: `zero-copy` or `copy`.
    pub transport: &'static str,
    /// Frames published.
    pub published: u64,
    /// Frames given back unseen because readers held all buffers but one.
    pub starved: u64,
    /// Frames taken from readers that overstayed the lease.
    pub revoked: u64,
    /// Bytes of frames that were copied, on all of its lanes.
    pub copied_bytes: u64,
    /// Most buffers that were out at once.
    pub most_in_flight: u32,
}

/// What became of one camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CameraStats {
    /// Number in its frames.
    pub camera_id: u32,
    /// Times it was started again.
    pub restarts: u64,
    /// Its channels.
    pub channels: Vec<ChannelStats>,
}

/// What became of a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SwitchStats {
    /// Its name.
    pub switch: String,
    /// The lane that was active at the end.
    pub active: String,
    /// How often another camera became active.
    pub switched: u64,
}

/// What became of all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Of each camera.
    pub cameras: Vec<CameraStats>,
    /// Of each switch.
    pub switches: Vec<SwitchStats>,
}

/// Cameras whose lanes are open.
pub struct Cameras {
    cameras: Vec<Camera>,
    switching: Option<Switching>,
}

impl Cameras {
    /// Makes the lanes and switches; readers can attach.
    ///
    /// # Errors
    /// `InvalidArgument` for a configuration that cannot work, before anything is opened;
    /// `Unsupported` where a library is missing; what making a lane or switch fails with.
    pub fn open(config: &Config, places: &Places) -> Result<Self> {
        config.check()?;
        let vio = Vio::open(places.libraries.as_deref()).map_err(framelane::Error::from)?;
        let open = |index| Camera::open(&vio, index, config, places);
        let cameras = (0..config.cameras.len()).map(open).collect::<Result<_>>()?;
        Ok(Cameras { cameras, switching: Switching::open(config, places)? })
    }

    /// Starts the cameras and publishes until `stop` says so.
    ///
    /// # Errors
    /// What a camera fails with that cannot be started even once, unless another one behind the
    /// same switches can.
    pub fn run(self, stop: &(dyn Fn() -> bool + Sync)) -> Result<Stats> {
        let Cameras { mut cameras, mut switching } = self;
        let starts = &FirstStarts::of(cameras.len(), switching.is_some());
        let failed = &AtomicBool::new(false);
        let ended = &|| stop() || failed.load(Ordering::Acquire);
        let fail = |_: &framelane::Error| failed.store(true, Ordering::Release);
        std::thread::scope(|scope| {
            let (runners, duties): (Vec<_>, Vec<_>) = cameras.iter_mut().map(Camera::split).unzip();
            let run = |mut runner: camera::Runner<'_>| runner.run(starts, ended).inspect_err(fail);
            let threads: Vec<_> =
                runners.into_iter().map(|runner| scope.spawn(move || run(runner))).collect();
            let switches = switching.as_mut().map(|switching| {
                scope.spawn(move || switching.run(&duties, ended).inspect_err(fail))
            });
            let cameras: Result<_> = threads.into_iter().map(join).collect();
            let switches = switches.map_or(Ok(Vec::new()), join);
            Ok(Stats { cameras: cameras?, switches: switches? })
        })
    }
}

/// What a thread came to.
fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
