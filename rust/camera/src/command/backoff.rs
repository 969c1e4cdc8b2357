//! How long to wait before a program is started again.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(30);

/// Doubles from one failure to the next, and begins anew after a run that worked.
#[derive(Default)]
pub(super) struct Backoff(Duration);

impl Backoff {
    /// The pause after a run that has just ended, and that worked or not.
    pub fn after(&mut self, worked: bool) -> Duration {
        self.0 = if worked { FIRST } else { (self.0 * 2).clamp(FIRST, LONGEST) };
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_a_limit_and_begins_anew() {
        let mut backoff = Backoff::default();
        let mut pause = |worked| backoff.after(worked).as_millis();
        assert_eq!([(); 3].map(|()| pause(false)), [250, 500, 1000]);
        assert_eq!([(); 9].map(|()| pause(false))[5..], [30_000; 4]);
        assert_eq!([pause(true), pause(true), pause(false)], [250, 250, 500]);
    }
}
