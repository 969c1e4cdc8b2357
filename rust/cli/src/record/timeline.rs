//! From the times of records to those of a file, which begin at 0 and never go back.

use framelane::RecordInfo;
use framelane_camera::mp4::TIMESCALE;

/// Times that go back by more than this are those of another clock, not of pictures in another
/// order.
const REORDERED_NS: i128 = 1_000_000_000;
/// Times that run ahead of the clock of the lane by more than this are so too.
const AHEAD_NS: i128 = 10_000_000_000;

/// Where a record stands in its file, in [`TIMESCALE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    pub dts: u64,
    pub offset: i32,
}

/// The clock of one file.
#[derive(Debug, Default)]
pub struct Timeline {
    last: Option<Last>,
    /// Added to the times of records.
    shift_ns: i128,
}

#[derive(Debug)]
struct Last {
    /// In the file, in nanoseconds and in units.
    file_ns: i128,
    dts: u64,
    publish_ns: u64,
}

impl Timeline {
    /// Where a record goes. `restarted` says that its writer is another than that of the one
    /// before.
    pub fn place(&mut self, info: &RecordInfo, restarted: bool) -> Spot {
        let known = info.dts().or(info.pts());
        let raw = i128::from(known.unwrap_or(info.publish_ns as i64));
        let shown = i128::from(info.pts().unwrap_or(raw as i64));
        let file_ns = match &self.last {
            None => {
                self.shift_ns = -raw;
                0
            }
            Some(last) => {
                let passed = i128::from(info.publish_ns.saturating_sub(last.publish_ns));
                let step = raw + self.shift_ns - last.file_ns;
                let back = match info.dts() {
                    Some(_) => step < 0,
                    None => step < -REORDERED_NS,
                };
                if restarted || back || step > passed + AHEAD_NS {
                    self.shift_ns = last.file_ns + passed - raw;
                }
                (raw + self.shift_ns).max(last.file_ns)
            }
        };
        let least = self.last.as_ref().map_or(0, |last| last.dts + 1);
        let dts = units(file_ns).max(0) as u64;
        let dts = dts.max(least);
        let offset = units(shown + self.shift_ns) - i128::from(dts);
        let offset = offset.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        // The first picture is shown when the file begins, or later, never before.
        let offset = if self.last.is_none() { offset.max(0) } else { offset };
        self.last = Some(Last { file_ns, dts, publish_ns: info.publish_ns });
        Spot { dts, offset }
    }
}

fn units(ns: i128) -> i128 {
    // To the nearest: times that come from such units are found again.
    let unit = 1_000_000_000 / i128::from(TIMESCALE);
    (ns + unit / 2).div_euclid(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn info(pts: Option<i64>, dts: Option<i64>, publish_ms: u64) -> RecordInfo {
        let mut info = RecordInfo::new();
        info.pts_ns = pts.map_or(info.pts_ns, |ms| ms * MS);
        info.dts_ns = dts.map_or(info.dts_ns, |ms| ms * MS);
        RecordInfo { publish_ns: publish_ms * MS as u64, ..info }
    }

    fn spots(records: &[(RecordInfo, bool)]) -> Vec<(u64, i32)> {
        let mut timeline = Timeline::default();
        let place = |(info, restarted): &(RecordInfo, bool)| {
            let spot = timeline.place(info, *restarted);
            (spot.dts / 1000, spot.offset / 1000)
        };
        records.iter().map(place).collect()
    }

    #[test]
    fn known_times_are_kept_from_the_first_on() {
        let record = |n: i64| (info(Some(500 + n * 40), None, 7000 + n as u64), false);
        assert_eq!(spots(&[record(0), record(1), record(2)]), [(0, 0), (40, 0), (80, 0)]);
        let reordered = |pts, dts| (info(Some(pts), Some(dts), 1), false);
        let all = [reordered(80, 0), reordered(240, 40), reordered(160, 80)];
        assert_eq!(spots(&all), [(0, 80), (40, 200), (80, 80)]);
    }

    #[test]
    fn without_times_those_of_the_lane_are_taken() {
        let record = |ms| (info(None, None, ms), false);
        assert_eq!(spots(&[record(100), record(133), record(200)]), [(0, 0), (33, 0), (100, 0)]);
    }

    #[test]
    fn pictures_in_another_order_without_decoding_times_stay_in_order() {
        let record = |pts| (info(Some(pts), None, 1), false);
        let found = spots(&[record(0), record(120), record(40), record(80), record(240)]);
        let shown: Vec<i64> = found.iter().map(|&(dts, by)| dts as i64 + i64::from(by)).collect();
        assert_eq!(shown, [0, 120, 40, 80, 240]);
        assert!(found.is_sorted_by_key(|&(dts, _)| dts), "{found:?}");
    }

    #[test]
    fn another_clock_goes_on_where_the_lane_is() {
        let before = (info(Some(90_000), Some(90_000), 1000), false);
        let restarted = (info(Some(0), Some(0), 1500), true);
        let after = (info(Some(40), Some(40), 1540), false);
        assert_eq!(spots(&[before, restarted, after]), [(0, 0), (500, 0), (540, 0)]);
        let back = (info(Some(0), Some(0), 1500), false);
        assert_eq!(spots(&[before, back, after]), [(0, 0), (500, 0), (540, 0)]);
        let ahead = (info(Some(990_000), Some(990_000), 1500), false);
        assert_eq!(spots(&[before, ahead]), [(0, 0), (500, 0)]);
    }
}
