//! When the exposures were that the records of a stream are about.

use crate::capture;
use crate::reader::Reader;
use framelane::{ConsumerOptions, Frame, Mode, Result};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How soon its end is noticed.
const SLICE: Duration = Duration::from_millis(50);
/// Exposures that are remembered: four seconds at 60 a second.
const REMEMBERED: u64 = 240;
/// A record that comes later is about another exposure of that number.
const LONGEST_NS: u64 = 10_000_000_000;

/// When each exposure was, by its capture id: the newest of that id, as each camera counts its own.
#[derive(Default)]
struct Times {
    /// Time of capture, and which read that was.
    by_id: HashMap<u64, (u64, u64)>,
    reads: u64,
}

/// Reads a lane or a switch beside whoever measures.
pub struct Exposures {
    times: Arc<Mutex<Times>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Exposures {
    /// Of this lane or switch, from now on.
    ///
    /// # Errors
    /// As opening it.
    pub fn of(lane: &str) -> Result<Self> {
        let mut reader = Reader::open(lane, ConsumerOptions::new(Mode::Latest))?;
        let (times, stop) = (Arc::<Mutex<Times>>::default(), Arc::<AtomicBool>::default());
        let (shared, stopped) = (Arc::clone(&times), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                match reader.next(SLICE) {
                    Ok(Some(frame)) => {
                        shared.lock().unwrap_or_else(PoisonError::into_inner).note(&frame)
                    }
                    Ok(None) => {}
                    Err(error) => {
                        tracing::warn!("captures are not told from here on: {error}");
                        return;
                    }
                }
            }
        });
        Ok(Exposures { times, stop, thread: Some(thread) })
    }

    /// Time from the capture of this exposure to then; None where it was not seen.
    pub fn since(&self, capture_id: u64, then_ns: u64) -> Option<u64> {
        locked(&self.times).since(capture_id, then_ns)
    }
}

fn locked(times: &Mutex<Times>) -> MutexGuard<'_, Times> {
    times.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Exposures {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Times {
    fn note(&mut self, frame: &Frame) {
        if frame.switched() || frame.new_epoch() {
            // What is remembered of these numbers is another camera's, or of a run before.
            self.by_id.clear();
        }
        let descriptor = frame.descriptor();
        if let Ok(age_ns) = capture::since(descriptor, descriptor.publish_ns) {
            self.enter(descriptor.capture_id, descriptor.publish_ns.saturating_sub(age_ns));
        }
    }

    fn enter(&mut self, capture_id: u64, captured_ns: u64) {
        self.reads += 1;
        self.by_id.insert(capture_id, (captured_ns, self.reads));
        if self.by_id.len() as u64 > 2 * REMEMBERED {
            let oldest = self.reads - REMEMBERED;
            self.by_id.retain(|_, (_, read)| *read > oldest);
        }
    }

    fn since(&self, capture_id: u64, then_ns: u64) -> Option<u64> {
        let (captured_ns, _) = self.by_id.get(&capture_id)?;
        then_ns.checked_sub(*captured_ns).filter(|span| *span <= LONGEST_NS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_exposure_of_an_id_counts_and_old_ones_are_forgotten() {
        let mut times = Times::default();
        times.enter(7, 1_000);
        times.enter(7, 5_000);
        assert_eq!((times.since(7, 6_000), times.since(8, 6_000)), (Some(1_000), None));
        assert_eq!(times.since(7, 4_000), None, "a record cannot come before its exposure");
        assert_eq!(times.since(7, 5_001 + LONGEST_NS), None);
        (100..100 + 2 * REMEMBERED).for_each(|id| times.enter(id, id));
        assert!(times.since(7, 6_000).is_none() && times.by_id.len() as u64 <= 2 * REMEMBERED);
        assert_eq!(times.since(99 + 2 * REMEMBERED, 99 + 2 * REMEMBERED), Some(0));
    }
}
