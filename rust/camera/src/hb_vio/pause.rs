//! How long to rest before a camera is started again.

use std::time::Duration;

/// Doubled from try to try, up to the longest.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// Ever longer until the camera delivers.
pub struct Pause(Duration);

impl Pause {
    pub fn new() -> Self {
        Pause(FIRST)
    }

    /// The camera has delivered: what comes next is a new fault.
    pub fn delivered(&mut self) {
        self.0 = FIRST;
    }

    /// How long to rest now.
    pub fn take(&mut self) -> Duration {
        let now = self.0;
        self.0 = LONGEST.min(now * 2);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_longest_and_begins_anew_after_a_frame() {
        let mut pause = Pause::new();
        let rests: Vec<u128> = (0..9).map(|_| pause.take().as_millis()).collect();
        assert_eq!(rests, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        pause.delivered();
        assert_eq!(pause.take(), FIRST);
    }
}
