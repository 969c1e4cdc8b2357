//! How many buffers of a ring are out with readers.

use framelane_hobot::vio::VioFrame;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Out {
    now: u32,
    most: u32,
}

/// The buffers of one channel that are out.
#[derive(Default)]
pub struct Flight {
    out: Mutex<Out>,
    back: Condvar,
    revoked: AtomicU64,
}

/// One of them; it is back with the hardware when this is dropped.
pub struct Ticket {
    frame: Option<VioFrame>,
    flight: Arc<Flight>,
}

impl Flight {
    /// Sends a frame out.
    pub fn start(self: &Arc<Self>, frame: VioFrame) -> Ticket {
        let mut out = self.lock();
        out.now += 1;
        out.most = out.most.max(out.now);
        Ticket { frame: Some(frame), flight: self.clone() }
    }

    /// Whether less than `limit` are out.
    pub fn has_room(&self, limit: u32) -> bool {
        self.lock().now < limit
    }

    /// Waits a little until less than `limit` are out; whether they are.
    pub fn wait_for_room(&self, limit: u32, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut out = self.lock();
        while out.now >= limit {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let woken = self.back.wait_timeout(out, left);
            out = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Most that were out at once.
    pub fn most(&self) -> u32 {
        self.lock().most
    }

    /// Frames taken from readers.
    pub fn revoked(&self) -> u64 {
        self.revoked.load(Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Out> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Comes back, from a reader that overstayed or not.
    pub fn returned(self, revoked: bool) {
        self.flight.revoked.fetch_add(revoked.into(), Relaxed);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        drop(self.frame.take()); // first the hardware has it, then it counts as back
        self.flight.lock().now -= 1;
        self.flight.back.notify_all();
    }
}
