//! The hardware at work: one exposure after the other into every output of a flow.

use crate::clip::Clip;
use crate::entry::{Answer, board};
use crate::picture::Picture;
use crate::ring::{Ring, Shown};
use crate::status::UNKNOWN;
use framelane_hobot_sys::{AeStatistics, FrameInfo, TimeVal};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Runs until it is dropped.
pub struct Engine {
    rings: Vec<Arc<Ring>>,
    seen: Arc<Mutex<Seen>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The last exposure.
#[derive(Clone, Default)]
pub struct Seen {
    frame_id: u32,
    /// Of a clip.
    picture: Option<Arc<Picture>>,
}

impl Engine {
    /// Of a camera, which sees a clip or the pattern.
    pub fn start(host: u32, fps: u32, rings: Vec<Arc<Ring>>, mut clip: Option<Clip>) -> Self {
        let (stop, stopped) = channel::<()>();
        // What is before the lens is there before its first exposure; what fails is told then.
        let first = clip.as_mut().and_then(|clip| clip.next().ok()).map(Arc::new);
        let seen = Arc::new(Mutex::new(Seen { frame_id: 0, picture: first.clone() }));
        let sensor = Sensor { host, clip, first, rings: rings.clone(), seen: Arc::clone(&seen) };
        let thread = std::thread::spawn(move || sensor.run(fps, &stopped));
        Engine { rings, seen, stop: Some(stop), thread: Some(thread) }
    }

    /// Of a scaler that programs send pictures to.
    pub fn fed(rings: Vec<Arc<Ring>>) -> Self {
        Engine { rings, seen: Arc::default(), stop: None, thread: None }
    }

    /// The outputs of a scaler that programs send pictures to.
    pub fn to_feed(&self) -> Option<Vec<Arc<Ring>>> {
        self.thread.is_none().then(|| self.rings.clone())
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop = None;
        self.rings.iter().for_each(|ring| ring.stop());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Seen {
    /// What an ISP tells of it in the light there is now.
    pub fn statistics(&self, host: u32) -> Answer<AeStatistics> {
        let scene = board()?.ion.scene_at(host, self.frame_id).map_err(|_| UNKNOWN)?;
        let mut told = AeStatistics::zeroed();
        told.frame_id = self.frame_id;
        told.exposure = match &self.picture {
            Some(picture) => picture.zones(scene.brightness),
            None => [scene.brightness; 4096],
        };
        Ok(told)
    }
}

/// What one camera sees, and where it goes.
struct Sensor {
    host: u32,
    clip: Option<Clip>,
    /// The first picture of the clip, until it is exposed.
    first: Option<Arc<Picture>>,
    rings: Vec<Arc<Ring>>,
    seen: Arc<Mutex<Seen>>,
}

impl Sensor {
    fn run(mut self, fps: u32, stopped: &Receiver<()>) {
        let period = Duration::from_secs(1) / fps;
        let mut next = Instant::now() + period;
        for frame_id in 1.. {
            let wait = next.saturating_duration_since(Instant::now());
            if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            next = (next + period).max(Instant::now());
            if let Err(error) = self.expose(frame_id) {
                eprintln!("stand-in camera {}: {error}; it delivers no more", self.host);
                return;
            }
        }
    }

    /// Shows the clip or the pattern to every output, unless the camera is frozen.
    fn expose(&mut self, frame_id: u32) -> std::io::Result<()> {
        let Ok(board) = board() else { return Ok(()) };
        let scene = board.ion.scene_at(self.host, frame_id)?;
        if scene.frozen {
            return Ok(());
        }
        let picture = match self.first.take() {
            None => self.clip.as_mut().map(Clip::next).transpose()?.map(Arc::new),
            first => first,
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Seen { frame_id, picture: picture.clone() };
        let shown = match &picture {
            Some(picture) => Shown::Picture(picture, scene.brightness),
            None => Shown::Pattern(self.host),
        };
        for ring in &self.rings {
            ring.expose(&shown, info(frame_id));
        }
        Ok(())
    }
}

fn info(frame_id: u32) -> FrameInfo {
    let mut info = FrameInfo::zeroed();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    info.frame_id = frame_id;
    info.timestamps = now.as_nanos() as u64;
    info.tv = TimeVal { seconds: now.as_secs() as i64, microseconds: now.subsec_micros().into() };
    info.trig_tv = info.tv;
    info.frame_done = 1;
    info
}
