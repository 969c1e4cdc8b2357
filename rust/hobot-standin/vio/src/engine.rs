//! The hardware at work: one exposure after the other into every output of a flow.

use crate::entry::board;
use crate::ring::Ring;
use framelane_hobot_sys::{FrameInfo, TimeVal};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Runs until it is dropped.
pub struct Engine {
    rings: Vec<Arc<Ring>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    pub fn start(host: u32, fps: u32, rings: Vec<Arc<Ring>>) -> Self {
        let (stop, stopped) = channel::<()>();
        let outputs = rings.clone();
        let thread = std::thread::spawn(move || {
            let period = Duration::from_secs(1) / fps;
            let mut next = Instant::now() + period;
            for frame_id in 1.. {
                let wait = next.saturating_duration_since(Instant::now());
                if stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                next = (next + period).max(Instant::now());
                if !is_frozen(host) {
                    let info = info(frame_id);
                    outputs.iter().for_each(|ring| ring.expose(host, info));
                }
            }
        });
        Engine { rings, stop: Some(stop), thread: Some(thread) }
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

fn is_frozen(host: u32) -> bool {
    let Ok(board) = board() else { return true };
    board.ion.scene(host).map_or(true, |scene| scene.frozen)
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
