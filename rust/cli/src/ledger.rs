//! Keeps the books of one reader: what came, what was missed, what was wrong.

use serde_json::{Value, json};

/// Latencies kept for the percentiles.
const WINDOW: usize = 4096;

/// What a frame's strip says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// It was not looked at.
    Unread,
    /// It is whole and carries this number.
    Whole(u64),
    /// There is none, or its checksum is wrong.
    Broken,
}

/// One frame as the books need it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Producer incarnation.
    pub epoch: u64,
    /// Number within the epoch.
    pub sequence: u64,
    /// Frames the lane says were skipped before this one.
    pub missed: u64,
    /// The first of another selection of a switch: what passed of its lane before does not count.
    pub switched: bool,
    /// What stands in the picture itself.
    pub strip: Strip,
    /// Time from publication, if the frame says when that was.
    pub latency_ns: Option<u64>,
}

/// The books.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Frames received.
    pub received: u64,
    /// Frames the lane admits were skipped.
    pub missed: u64,
    /// Frames whose strip is not whole.
    pub torn: u64,
    /// Frames not newer than the one before, by sequence or by strip.
    pub out_of_order: u64,
    /// Frames that are neither received nor admitted as missed, or the other way round.
    pub unaccounted: u64,
    /// Producer incarnations seen.
    pub epochs: u64,
    last: Option<Arrival>,
    latencies: Vec<u64>,
    next_latency: usize,
}

impl Ledger {
    /// Enters a frame.
    pub fn enter(&mut self, now: Arrival) {
        self.received += 1;
        self.missed += now.missed;
        self.torn += u64::from(now.strip == Strip::Broken);
        match self.last {
            Some(before) if before.epoch == now.epoch => {
                if !now.switched {
                    self.compare(before, now);
                }
            }
            _ => self.epochs += 1,
        }
        if let Some(latency) = now.latency_ns {
            self.note_latency(latency);
        }
        self.last = Some(now);
    }

    fn compare(&mut self, before: Arrival, now: Arrival) {
        let Some(step) = now.sequence.checked_sub(before.sequence).filter(|&step| step > 0) else {
            self.out_of_order += 1;
            return;
        };
        self.unaccounted += (step - 1).abs_diff(now.missed);
        if let (Strip::Whole(old), Strip::Whole(new)) = (before.strip, now.strip)
            && new.checked_sub(old).is_none_or(|numbers| numbers < step)
        {
            // Each frame in between had a number too, so there must be room for them. A camera
            // may leave numbers out when it is late, the lane may not.
            self.out_of_order += 1;
        }
    }

    fn note_latency(&mut self, latency: u64) {
        if self.latencies.len() < WINDOW {
            self.latencies.push(latency);
        } else {
            self.latencies[self.next_latency] = latency;
        }
        self.next_latency = (self.next_latency + 1) % WINDOW;
    }

    /// The latency below which `percent` of the newest frames stay.
    pub fn latency_ns(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).copied()
    }

    /// Whether everything that the lane promises held.
    pub fn clean(&self) -> bool {
        self.torn == 0 && self.out_of_order == 0 && self.unaccounted == 0
    }

    /// The books as JSON.
    pub fn json(&self) -> Value {
        json!({
            "received": self.received,
            "missed": self.missed,
            "torn": self.torn,
            "out_of_order": self.out_of_order,
            "unaccounted": self.unaccounted,
            "epochs": self.epochs,
            "last_sequence": self.last.map_or(0, |last| last.sequence),
            "latency_p50_ns": self.latency_ns(50),
            "latency_p99_ns": self.latency_ns(99),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(sequence: u64, missed: u64) -> Arrival {
        let strip = Strip::Whole(sequence + 1000);
        Arrival { epoch: 7, sequence, missed, switched: false, strip, latency_ns: Some(sequence) }
    }

    fn books(arrivals: &[Arrival]) -> Ledger {
        let mut ledger = Ledger::default();
        arrivals.iter().for_each(|arrival| ledger.enter(*arrival));
        ledger
    }

    #[test]
    fn skips_that_the_lane_admits_are_clean() {
        let ledger = books(&[arrival(5, 0), arrival(6, 0), arrival(9, 2)]);
        assert!(ledger.clean());
        assert_eq!((ledger.received, ledger.missed, ledger.epochs), (3, 2, 1));
    }

    #[test]
    fn a_silent_skip_is_unaccounted_for() {
        assert_eq!(books(&[arrival(5, 0), arrival(9, 1)]).unaccounted, 2);
        assert_eq!(books(&[arrival(5, 0), arrival(6, 1)]).unaccounted, 1);
    }

    #[test]
    fn a_repeated_or_older_frame_is_out_of_order() {
        assert_eq!(books(&[arrival(5, 0), arrival(5, 0)]).out_of_order, 1);
        assert_eq!(books(&[arrival(5, 0), arrival(4, 0)]).out_of_order, 1);
        assert!(!books(&[arrival(5, 0), arrival(4, 0)]).clean());
    }

    #[test]
    fn a_picture_under_the_wrong_number_is_out_of_order() {
        let swapped = Arrival { strip: Strip::Whole(1005), ..arrival(6, 0) };
        assert_eq!(books(&[arrival(5, 0), swapped]).out_of_order, 1);
        let squeezed = Arrival { strip: Strip::Whole(1007), ..arrival(8, 2) };
        assert_eq!(books(&[arrival(5, 0), squeezed]).out_of_order, 1);
        let late = Arrival { strip: Strip::Whole(1009), ..arrival(6, 0) };
        assert!(books(&[arrival(5, 0), late]).clean());
    }

    #[test]
    fn a_broken_strip_is_torn() {
        let broken = Arrival { strip: Strip::Broken, ..arrival(6, 0) };
        let ledger = books(&[arrival(5, 0), broken, arrival(7, 0)]);
        assert_eq!((ledger.torn, ledger.out_of_order), (1, 0));
        assert!(!ledger.clean());
    }

    #[test]
    fn a_new_epoch_starts_afresh() {
        let switched = Arrival { switched: true, ..arrival(90, 0) };
        let mut after_a_switch = Ledger::default();
        after_a_switch.enter(arrival(1, 0));
        after_a_switch.enter(switched);
        assert!(after_a_switch.clean(), "nobody read its lane meanwhile");
        let restarted = Arrival { epoch: 8, strip: Strip::Whole(0), ..arrival(1, 0) };
        let ledger = books(&[arrival(90, 0), restarted]);
        assert!(ledger.clean());
        assert_eq!(ledger.epochs, 2);
    }

    #[test]
    fn percentiles_come_from_the_newest_frames() {
        let arrivals: Vec<Arrival> = (1..=WINDOW as u64 + 100).map(|n| arrival(n, 0)).collect();
        let ledger = books(&arrivals);
        assert_eq!(ledger.latency_ns(0), Some(101));
        assert_eq!(ledger.latency_ns(99), Some(100 + 1 + WINDOW as u64 * 99 / 100));
        assert_eq!(Ledger::default().latency_ns(50), None);
    }
}
