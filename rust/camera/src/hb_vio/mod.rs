//! The cameras of an RDK X5: frames stay in the memory the hardware wrote them to.
//!
//! One thread for each channel takes frames and publishes them; a buffer goes back to the hardware
//! when the last reader has let go of it, and at the latest when its lease is over. One buffer of
//! every ring always stays with the hardware, so that no reader can stop a camera: a frame for
//! which there is no other buffer left is given back unseen, and counted. A camera that stops to
//! deliver is started again, and its lanes and their readers stay.

mod camera;
pub mod config;
mod exposures;
mod feed;
mod flight;

pub use config::{Config, Transport};

use crate::error::Result;
use camera::Camera;
use framelane_hobot::vio::Vio;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Makes the lanes, starts the cameras and publishes until `stop` says so.
///
/// # Errors
/// `InvalidArgument` for a configuration that cannot work, before anything is started;
/// `Unsupported` where a library is missing; what making a lane fails with; what a camera fails
/// with that cannot be started even once.
pub fn run(
    config: &Config,
    places: &Places,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Vec<CameraStats>> {
    config.check()?;
    let vio = Vio::open(places.libraries.as_deref()).map_err(framelane::Error::from)?;
    let cameras = config.cameras.iter().enumerate();
    let mut cameras = cameras
        .map(|(index, camera)| Camera::open(&vio, index, camera, places))
        .collect::<Result<Vec<_>>>()?;
    let failed = AtomicBool::new(false);
    let ended = || stop() || failed.load(Ordering::Acquire);
    let results: Vec<Result<CameraStats>> = std::thread::scope(|scope| {
        let run = |camera| {
            let (failed, ended) = (&failed, &ended);
            scope.spawn(move || {
                let camera: &mut Camera = camera;
                camera.run(ended).inspect_err(|_| failed.store(true, Ordering::Release))
            })
        };
        let threads: Vec<_> = cameras.iter_mut().map(run).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect()
    });
    results.into_iter().collect()
}
