//! One number, time and brightness for each exposure of a camera, whichever channel it comes by.

use framelane::monotonic_ns;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How far behind the foremost channel another may be.
const REMEMBERED: usize = 64;

/// What is known of an exposure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exposure {
    /// From 1, and over restarts of the camera.
    pub capture_id: u64,
    /// When its first frame was there.
    pub capture_ns: u64,
    /// Mean luma, negative where unknown.
    pub brightness: f32,
}

#[derive(Default)]
struct Known {
    /// The frame id of the newest exposure, unless the camera has just been started.
    newest_id: Option<u32>,
    newest: u64,
    recent: VecDeque<Exposure>,
}

/// The exposures of one camera.
#[derive(Default)]
pub struct Exposures(Mutex<Known>);

impl Exposures {
    /// The exposure of a frame; `brightness` is asked once for each.
    pub fn of(&self, frame_id: u32, brightness: impl FnOnce() -> f32) -> Exposure {
        let mut known = self.lock();
        // The hardware's number may run over.
        let ahead = known.newest_id.map_or(1, |newest| frame_id.wrapping_sub(newest) as i32);
        if ahead > 0 {
            known.newest_id = Some(frame_id);
            known.newest += ahead as u64;
            let (capture_id, capture_ns) = (known.newest, monotonic_ns());
            let exposure = Exposure { capture_id, capture_ns, brightness: brightness() };
            if known.recent.len() == REMEMBERED {
                known.recent.pop_front();
            }
            known.recent.push_back(exposure);
            return exposure;
        }
        let capture_id = known.newest.saturating_sub(u64::from(ahead.unsigned_abs()));
        let found = known.recent.iter().find(|exposure| exposure.capture_id == capture_id);
        // One that only this channel has, for the foremost left it out.
        let unknown = Exposure { capture_id, capture_ns: monotonic_ns(), brightness: -1.0 };
        found.copied().unwrap_or(unknown)
    }

    /// The camera was started again, and its hardware counts from the start.
    pub fn restarted(&self) {
        self.lock().newest_id = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_agree_on_an_exposure_and_ask_for_its_brightness_once() {
        let exposures = Exposures::default();
        let first = exposures.of(7, || 50.0);
        assert_eq!((first.capture_id, first.brightness), (1, 50.0));
        assert_eq!(exposures.of(7, || panic!("known")), first);
        let third = exposures.of(9, || 60.0);
        assert_eq!(third.capture_id, 3, "one was left out");
        assert_eq!(exposures.of(7, || panic!("known")), first, "a channel that is behind");
        let second = exposures.of(8, || panic!("over"));
        assert_eq!((second.capture_id, second.brightness), (2, -1.0));
    }

    #[test]
    fn numbers_go_on_when_the_hardware_starts_or_runs_over() {
        let exposures = Exposures::default();
        let id = |frame_id| exposures.of(frame_id, || 0.0).capture_id;
        assert_eq!([id(u32::MAX), id(0), id(1)], [1, 2, 3]);
        exposures.restarted();
        assert_eq!([id(1), id(2)], [4, 5]);
    }
}
