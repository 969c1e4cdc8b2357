//! Whether a camera is awake, and what is known of it.
//!
//! A camera that sleeps runs on: its hardware fills the ring once and then has no buffer more, so
//! that it costs no memory traffic and no processor. Only its statistics are looked at.

use framelane::monotonic_ns;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long what was seen of the brightness counts.
const FRESH: Duration = Duration::from_secs(2);

/// What was seen of the brightness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sight {
    /// From 1.
    pub number: u64,
    /// Mean luma.
    pub luma: f32,
    /// When.
    pub time_ns: u64,
}

#[derive(Default)]
struct State {
    awake: bool,
    /// How often it was woken.
    turn: u32,
    /// Channels that are warm in this turn.
    warm: usize,
    sight: Option<Sight>,
    last_frame: Option<Instant>,
}

/// One camera's duty.
pub struct Duty {
    channels: usize,
    /// Fresh frames that nobody sees after it was woken: the exposure has to settle.
    warm_up: u32,
    state: Mutex<State>,
    news: Condvar,
}

/// One channel's way from being woken to being warm.
#[derive(Default)]
pub struct Warming {
    turn: u32,
    left: u32,
}

impl Duty {
    /// Of a camera that starts awake, or asleep.
    pub fn new(channels: usize, warm_up: u32, awake: bool) -> Self {
        let state = State { awake, warm: if awake { channels } else { 0 }, ..State::default() };
        Duty { channels, warm_up, state: Mutex::new(state), news: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is to deliver.
    pub fn wake(&self) {
        let mut state = self.lock();
        if !state.awake {
            (state.awake, state.warm) = (true, 0);
            state.turn += 1;
            self.news.notify_all();
        }
    }

    /// From now on it is not.
    pub fn sleep(&self) {
        self.lock().awake = false;
    }

    /// Waits until it is awake; whether it is.
    pub fn is_awake_within(&self, time: Duration) -> bool {
        let state = self.lock();
        let woken = self.news.wait_timeout_while(state, time, |state| !state.awake);
        woken.unwrap_or_else(PoisonError::into_inner).0.awake
    }

    /// Says what was seen of the brightness; negative is nothing.
    pub fn saw(&self, luma: f32) {
        if luma >= 0.0 {
            let mut state = self.lock();
            let number = state.sight.map_or(0, |sight| sight.number) + 1;
            state.sight = Some(Sight { number, luma, time_ns: monotonic_ns() });
        }
    }

    /// What was seen last, if that was just now.
    pub fn sight(&self) -> Option<Sight> {
        let fresh = |sight: &Sight| {
            u128::from(monotonic_ns().saturating_sub(sight.time_ns)) < FRESH.as_nanos()
        };
        self.lock().sight.filter(fresh)
    }

    /// Whether it is awake, warm, and has had a frame not longer ago than this.
    pub fn delivers(&self, within: Duration) -> bool {
        let state = self.lock();
        let frame = state.last_frame.is_some_and(|when| when.elapsed() < within);
        state.awake && state.warm >= self.channels && frame
    }

    /// A channel has a frame; whether it is to be shown. Of a ring of `buffers` so many may be from
    /// before it was woken.
    pub fn admits(&self, warming: &mut Warming, buffers: u32) -> bool {
        let mut state = self.lock();
        state.last_frame = Some(Instant::now());
        if warming.turn != state.turn {
            *warming = Warming { turn: state.turn, left: buffers + self.warm_up };
        }
        if warming.left == 0 {
            return state.awake;
        }
        warming.left -= 1;
        state.warm += usize::from(warming.left == 0);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn who_is_woken_shows_nothing_before_every_channel_is_warm() {
        let duty = Duty::new(2, 1, false);
        assert!(!duty.is_awake_within(Duration::ZERO));
        duty.wake();
        assert!(duty.is_awake_within(Duration::ZERO));
        let [mut one, mut two] = [Warming::default(), Warming::default()];
        let shown: Vec<bool> = (0..5).map(|_| duty.admits(&mut one, 3)).collect();
        assert_eq!(shown, [false, false, false, false, true], "3 old ones and 1 to warm up");
        assert!(!duty.delivers(LONG), "the other channel is not warm");
        (0..4).for_each(|_| assert!(!duty.admits(&mut two, 3)));
        assert!(duty.delivers(LONG) && duty.admits(&mut two, 3));
        duty.sleep();
        assert!(!duty.delivers(LONG) && !duty.admits(&mut one, 3));
        duty.wake();
        assert!(!duty.delivers(LONG) && !duty.admits(&mut one, 3), "and again from the start");
    }

    #[test]
    fn who_starts_awake_is_warm_but_has_to_deliver() {
        let duty = Duty::new(1, 15, true);
        assert!(!duty.delivers(LONG), "no frame yet");
        assert!(duty.admits(&mut Warming::default(), 3));
        assert!(duty.delivers(LONG) && !duty.delivers(Duration::ZERO));
        duty.saw(-1.0);
        assert_eq!(duty.sight(), None);
        duty.saw(42.0);
        assert_eq!(duty.sight().map(|sight| (sight.number, sight.luma)), Some((1, 42.0)));
    }
}
