//! When pictures were taken.

use crate::rate::Rate;

/// Times of the pictures of one run of a program.
#[derive(Default)]
pub(super) struct Times {
    /// When the first picture came, and how many have come since.
    anchor: Option<(u64, u64)>,
}

impl Times {
    /// When a picture was taken: when it came, or with a rate so long after the first.
    pub fn next(&mut self, came_ns: u64, rate: Option<Rate>) -> u64 {
        let (first_ns, index) = self.anchor.get_or_insert((came_ns, 0));
        let time = match rate {
            Some(rate) => first_ns.saturating_add(rate.time_ns(*index)),
            None => came_ns,
        };
        *index += 1;
        time
    }
}
