//! What there is to say about how far back a recording goes.

use crate::units::time;
use framelane::{Record, Report, query};
use std::time::Duration;

const ANSWER: Duration = Duration::from_secs(1);

/// A remark where a file begins later than asked, or much earlier; it names what would help.
pub fn remark(lane: &str, first: &Record, pre_ns: u64, asked_ns: u64) -> Option<String> {
    if asked_ns == 0 {
        return None;
    }
    let (found, asked) = (time(pre_ns), time(asked_ns));
    if pre_ns < asked_ns {
        let why = query(lane, None, ANSWER).ok().map(|report| why(&report, first, asked_ns));
        let why = why.unwrap_or_else(|| "the lane has no older key record".into());
        return Some(format!("begins {found} before the event, {asked} were asked for: {why}"));
    }
    if pre_ns - asked_ns > asked_ns.max(1_000_000_000) {
        return Some(format!(
            "begins {found} before the event, {asked} were asked for: key records are more than \
             {} apart; a shorter GOP brings it closer",
            time(pre_ns - asked_ns)
        ));
    }
    None
}

fn why(report: &Report, first: &Record, asked_ns: u64) -> String {
    let stream = &report.stream;
    let held_ns = report.now_ns.saturating_sub(stream.oldest_publish_ns);
    let behind = report.now_ns.saturating_sub(first.info().publish_ns);
    if stream.oldest <= 1 {
        return "the stream began only then".into();
    }
    // The oldest record may have gone since.
    if held_ns > asked_ns || held_ns > behind + behind / 4 {
        let held = time(held_ns);
        return format!(
            "the ring holds {held}, but no older key record; ask the writer for a shorter GOP or \
             a larger ring"
        );
    }
    let size = crate::units::size(stream.data_bytes);
    format!("the ring of {size} holds no more; ask the writer for a larger one")
}
