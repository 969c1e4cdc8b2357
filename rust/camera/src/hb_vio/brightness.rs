//! Day or night by how bright it is, slow enough not to flicker.

use std::time::{Duration, Instant};

/// When it is night, and when it is day again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Night begins below this mean luma ...
    pub dark: f32,
    /// ... once that has lasted.
    pub dark_hold: Duration,
    /// Day begins above this one; the room between the two decides nothing.
    pub bright: f32,
    /// As for the night.
    pub bright_hold: Duration,
}

/// What the rule has come to.
#[derive(Clone, Debug)]
pub struct Brightness {
    rule: Rule,
    night: bool,
    /// Since when what is seen speaks against it.
    against: Option<Instant>,
}

impl Brightness {
    /// Begins by day or by night.
    pub fn new(rule: Rule, night: bool) -> Self {
        Brightness { rule, night, against: None }
    }

    /// Whether it is night, now that this was seen; nothing seen decides nothing.
    pub fn is_night(&mut self, seen: Option<f32>, now: Instant) -> bool {
        let speaks_against = seen.is_some_and(|luma| match self.night {
            true => luma > self.rule.bright,
            false => luma < self.rule.dark,
        });
        if !speaks_against {
            self.against = None;
            return self.night;
        }
        let since = *self.against.get_or_insert(now);
        let hold = if self.night { self.rule.bright_hold } else { self.rule.dark_hold };
        if now.saturating_duration_since(since) >= hold {
            self.night = !self.night;
            self.against = None;
        }
        self.night
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it is at each time, in ms, given what is seen then.
    fn nights(seen: &[(u64, Option<f32>)]) -> Vec<bool> {
        let rule = Rule {
            dark: 50.0,
            dark_hold: Duration::from_millis(500),
            bright: 60.0,
            bright_hold: Duration::from_secs(3),
        };
        let (start, mut brightness) = (Instant::now(), Brightness::new(rule, false));
        let mut is_night = |&(ms, luma): &(u64, Option<f32>)| {
            brightness.is_night(luma, start + Duration::from_millis(ms))
        };
        seen.iter().map(&mut is_night).collect()
    }

    #[test]
    fn it_is_night_once_it_was_dark_for_long_enough() {
        let dark = Some(20.0);
        assert_eq!(nights(&[(0, dark), (499, dark), (500, dark)]), [false, false, true]);
    }

    #[test]
    fn a_light_in_between_or_no_picture_begins_the_time_anew() {
        let dark = Some(20.0);
        for other in [Some(50.0), None] {
            let seen = [(0, dark), (400, other), (500, dark), (999, dark), (1000, dark)];
            assert_eq!(nights(&seen), [false, false, false, false, true]);
        }
    }

    #[test]
    fn between_the_thresholds_it_stays_what_it_was() {
        let (dark, between, bright) = (Some(20.0), Some(55.0), Some(70.0));
        let day = [(0, between), (9000, between)];
        assert_eq!(nights(&day), [false, false]);
        let night = [(0, dark), (500, dark), (9000, between), (10_000, bright), (12_999, bright)];
        assert_eq!(nights(&night), [false, true, true, true, true]);
        let dawn = [(0, dark), (500, dark), (1000, bright), (4000, bright), (4001, between)];
        assert_eq!(nights(&dawn), [false, true, true, false, false]);
    }
}
