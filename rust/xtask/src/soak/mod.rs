//! The whole demo for a long time: nothing may grow.

mod sampler;

use crate::counts::Counts;
use crate::demo;
use anyhow::Result;
use sampler::{Sampler, Seen, Series};
use std::collections::BTreeMap;
use std::env;
use std::time::Duration;

const MINUTES: u64 = 20;
/// Minutes instead, to try it.
const VARIABLE: &str = "FRAMELANE_SOAK_MINUTES";
const PERIOD: Duration = Duration::from_secs(2);
/// Processes of the demo that must have been there all the time, at the least: it is started by
/// more programs than these.
const LEAST: usize = 8;

/// One thing that must not grow.
struct Claim {
    claim: &'static str,
    unit: &'static str,
    all: fn(&Seen) -> &BTreeMap<String, Series>,
    /// What may come on top of a twentieth, as caches fill and buffers find their size.
    slack: u64,
}

const CLAIMS: &[Claim] = &[
    Claim { claim: "memory is flat", unit: "KiB", all: |seen| &seen.memory, slack: 4096 },
    Claim { claim: "descriptors are flat", unit: "open", all: |seen| &seen.descriptors, slack: 2 },
    Claim { claim: "leases are flat", unit: "granted", all: |seen| &seen.leases, slack: 0 },
    Claim { claim: "consumers are flat", unit: "attached", all: |seen| &seen.consumers, slack: 0 },
];

/// Runs the demo and holds its last quarter against its second.
pub fn tier() -> Result<Counts> {
    let minutes = env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(MINUTES);
    let time = Duration::from_secs(60 * minutes);
    let (mut counts, sampler) = demo::beside(time, |directory| Sampler::start(directory, PERIOD))?;
    let seen = sampler.stop()?;
    println!("{} looks", seen.looks);
    for claim in CLAIMS {
        counts += judge(claim, &seen);
    }
    let there = seen.memory.values().filter(|series| quarters(series, seen.looks).is_some());
    let there = there.count();
    println!("{there} processes were there all the time; {LEAST} are expected");
    counts += if there >= LEAST { Counts::PASSED } else { Counts::FAILED };
    Ok(counts)
}

fn judge(claim: &Claim, seen: &Seen) -> Counts {
    let mut grown = false;
    for (name, series) in (claim.all)(seen) {
        let Some((early, late)) = quarters(series, seen.looks) else { continue };
        let grows = late > early + early / 20 + claim.slack;
        let mark = if grows { "GROWN" } else { "" };
        println!("  {name:<40}{early:>9} {late:>9} {} {mark}", claim.unit);
        grown |= grows;
    }
    println!("{} {}", if grown { "FAILED" } else { "ok    " }, claim.claim);
    if grown { Counts::FAILED } else { Counts::PASSED }
}

/// Medians of the second and of the last quarter; none of what was not there all the while. The
/// first is for warming up, and the demo ends within the last: its last looks do not count.
fn quarters(series: &[Option<u64>], looks: usize) -> Option<(u64, u64)> {
    const ENDING: usize = 5;
    let looks = looks.checked_sub(ENDING).filter(|&looks| looks >= 8)?;
    let median = |from: usize, to: usize| {
        let mut values: Vec<u64> = series.get(from..to)?.iter().flatten().copied().collect();
        values.sort_unstable();
        // A look may fall on the moment in which something is started or asked.
        (values.len() * 10 >= (to - from) * 9).then(|| values[values.len() / 2])
    };
    Some((median(looks / 4, looks / 2)?, median(looks * 3 / 4, looks)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grows(series: Vec<u64>, slack: u64) -> bool {
        let looks = series.len();
        let series: Series = series.into_iter().map(Some).collect();
        let claim = Claim { claim: "flat", unit: "", all: |seen| &seen.memory, slack };
        let memory = BTreeMap::from([("it".to_owned(), series)]);
        judge(&claim, &Seen { looks, memory, ..Seen::default() }) == Counts::FAILED
    }

    #[test]
    fn a_leak_is_told_from_warming_up_and_from_noise() {
        assert!(grows((0..600).map(|look| 10_000 + look * 40).collect(), 4096));
        assert!(grows((0..600).map(|look| 10 + look / 100).collect(), 2));
        assert!(!grows((0..600).map(|look| 30_000.min(look * 1000)).collect(), 4096));
        assert!(!grows((0..600).map(|look| 10 + look % 3).collect(), 2));
    }

    #[test]
    fn what_came_or_went_on_the_way_has_no_quarters() {
        let all: Series = (0..100).map(Some).collect();
        assert!(quarters(&all, 100).is_some());
        assert!(quarters(&all[..60], 100).is_none());
        let late: Series = (0..100).map(|look| (look > 50).then_some(look)).collect();
        assert!(quarters(&late, 100).is_none());
        assert!(quarters(&all[..10], 10).is_none(), "too short to say anything");
    }
}
