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
    /// What it may rise by from each window to the next: what never stops is told from what finds
    /// its size, however little it is.
    rise: Option<u64>,
}

/// Windows of the last three quarters. What fills does not rise in each of them, nor does the heap
/// of a collector, which goes up and down.
const WINDOWS: usize = 6;
/// KiB. Less than half of what one block of 32 bytes, malloc's least, comes to at 30 frames a
/// second in a window of the twenty minutes: 4500 of them, 140 KiB.
const MEMORY_RISE: u64 = 64;

const CLAIMS: &[Claim] = &[
    Claim {
        claim: "memory is flat",
        unit: "KiB",
        all: |seen| &seen.memory,
        slack: 4096,
        rise: Some(MEMORY_RISE),
    },
    Claim {
        claim: "descriptors are flat",
        unit: "open",
        all: |seen| &seen.descriptors,
        slack: 2,
        rise: None,
    },
    Claim {
        claim: "leases are flat",
        unit: "granted",
        all: |seen| &seen.leases,
        slack: 0,
        rise: None,
    },
    Claim {
        claim: "consumers are flat",
        unit: "attached",
        all: |seen| &seen.consumers,
        slack: 0,
        rise: None,
    },
];

/// Runs the demo and holds its last quarter against its second.
pub fn tier() -> Result<Counts> {
    let minutes = env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(MINUTES);
    let time = Duration::from_secs(60 * minutes);
    let (mut counts, sampler) = demo::beside(time, |directory| Sampler::start(directory, PERIOD))?;
    let seen = sampler.stop()?;
    println!("{} looks; at {} no lane could be asked", seen.looks, seen.refused);
    seen.refusal.iter().for_each(|why| println!("the last time: {why}"));
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
    let (mut grown, mut whole) = (false, 0);
    for (name, series) in (claim.all)(seen) {
        let Some((early, late)) = quarters(series, seen.looks) else { continue };
        let rises = claim.rise.is_some_and(|rise| rises(series, seen.looks, rise));
        let grows = rises || late > early + early / 20 + claim.slack;
        let mark = if grows { "GROWN" } else { "" };
        println!("  {name:<40}{early:>9} {late:>9} {} {mark}", claim.unit);
        grown |= grows;
        whole += 1;
    }
    // Who has seen nothing has not seen that nothing grows.
    let against = match (grown, whole) {
        (_, 0) => ": nothing was there to be seen all the while",
        (true, _) => ": it grows",
        _ => "",
    };
    println!("{} {}{against}", if against.is_empty() { "ok    " } else { "FAILED" }, claim.claim);
    if against.is_empty() { Counts::PASSED } else { Counts::FAILED }
}

/// Medians of the second and of the last quarter; none of what was not there all the while. The
/// first is for warming up, and the demo ends within the last: its last looks do not count.
fn quarters(series: &[Option<u64>], looks: usize) -> Option<(u64, u64)> {
    let looks = judged(looks)?;
    Some((median(series, looks / 4, looks / 2)?, median(series, looks * 3 / 4, looks)?))
}

/// Whether it rises by more than this in each window; not of what was not there all the while.
fn rises(series: &[Option<u64>], looks: usize, by: u64) -> bool {
    let Some(looks) = judged(looks) else { return false };
    let edge = |window: usize| looks / 4 + (looks - looks / 4) * window / WINDOWS;
    let medians: Option<Vec<u64>> =
        (0..WINDOWS).map(|window| median(series, edge(window), edge(window + 1))).collect();
    medians.is_some_and(|all| all.windows(2).all(|pair| pair[1] > pair[0] + by))
}

/// Looks that count; none of too few to say anything.
fn judged(looks: usize) -> Option<usize> {
    const ENDING: usize = 5;
    looks.checked_sub(ENDING).filter(|&looks| looks >= 2 * WINDOWS)
}

fn median(series: &[Option<u64>], from: usize, to: usize) -> Option<u64> {
    let mut values: Vec<u64> = series.get(from..to)?.iter().flatten().copied().collect();
    values.sort_unstable();
    // A look may fall on the moment in which something is started or asked.
    let enough = !values.is_empty() && values.len() * 10 >= (to - from) * 9;
    enough.then(|| values[values.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grows(series: Vec<u64>, slack: u64) -> bool {
        rises_or_grows(series, slack, None)
    }

    fn rises_or_grows(series: Vec<u64>, slack: u64, rise: Option<u64>) -> bool {
        let looks = series.len();
        let series: Series = series.into_iter().map(Some).collect();
        let claim = Claim { claim: "flat", unit: "", all: |seen| &seen.memory, slack, rise };
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
    fn a_block_a_frame_is_found_and_a_cache_that_fills_is_not() {
        let found = |kib: fn(u64) -> u64| {
            rises_or_grows((0..600).map(kib).collect(), 4096, Some(MEMORY_RISE))
        };
        // 60 frames a look.
        assert!(found(|look| 10_000 + look * 60 * 32 / 1024 + look % 7 * 20));
        assert!(!found(|look| 10_000 + 2000 * (look / 200)));
        assert!(!found(|look| 10_000 + look % 90 * 20));
        assert!(!found(|look| 13_000 - 3_000 * 100 / (look + 100)));
    }

    #[test]
    fn who_has_seen_nothing_fails() {
        for claim in CLAIMS {
            assert_eq!(judge(claim, &Seen { looks: 600, ..Seen::default() }), Counts::FAILED);
        }
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
