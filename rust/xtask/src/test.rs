//! `cargo xtask test`: runs tiers, adds up their counts, says what was not run.

use crate::counts::Counts;
use crate::tiers::{TIERS, Tier, When};
use crate::{interrupt, tools};
use anyhow::{Result, bail};
use std::fmt::Write;
use std::time::{Duration, Instant};

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Also run the long tiers
    #[arg(long)]
    all: bool,
    /// Run only this tier (may be given several times)
    #[arg(long = "tier", value_name = "NAME", conflicts_with = "all")]
    tiers: Vec<String>,
    /// Only list the tiers
    #[arg(long)]
    list: bool,
}

struct Done {
    tier: &'static Tier,
    counts: Counts,
    time: Duration,
}

/// Runs the chosen tiers and says whether all is well. The sum is the last line it prints.
pub fn run(options: &Options) -> Result<bool> {
    let chosen = choose(options)?;
    if options.list {
        print!("{}", list());
        return Ok(true);
    }
    let mut done = Vec::new();
    for tier in TIERS.iter().filter(|tier| chosen.contains(&tier.name)) {
        println!("\n── {}: {}", tier.name, tier.about);
        let start = Instant::now();
        let counts = run_tier(tier);
        interrupt::check()?;
        let time = start.elapsed();
        println!("── {}: {counts} in {}", tier.name, seconds(time));
        done.push(Done { tier, counts, time });
    }
    print!("{}", summary(&done));
    Ok(done.iter().all(|done| done.counts.failed == 0))
}

fn choose(options: &Options) -> Result<Vec<&'static str>> {
    for name in &options.tiers {
        if !TIERS.iter().any(|tier| tier.name == name) {
            bail!("there is no tier {name}; the tiers are\n{}", list());
        }
    }
    let wanted = |tier: &&Tier| match options.tiers.is_empty() {
        true => options.all || tier.when == When::Ci,
        false => options.tiers.iter().any(|name| name == tier.name),
    };
    Ok(TIERS.iter().filter(wanted).map(|tier| tier.name).collect())
}

fn run_tier(tier: &Tier) -> Counts {
    let needs = tier.needs.iter().try_for_each(|(path, line)| tools::require(path, line));
    match needs.and_then(|()| (tier.run)()) {
        Ok(counts) => counts,
        Err(error) => {
            println!("{}: {error:#}", tier.name);
            Counts::FAILED
        }
    }
}

fn summary(done: &[Done]) -> String {
    let mut text = String::from("\n");
    let mut total = Counts::default();
    for Done { tier, counts, time } in done {
        let mark = if counts.failed > 0 { "FAILED" } else { "ok" };
        let _ = writeln!(text, "{mark:<8}{:<18}{counts} in {}", tier.name, seconds(*time));
        total += *counts;
    }
    let ran = |tier: &&Tier| done.iter().any(|done| done.tier.name == tier.name);
    let left: Vec<&str> = TIERS.iter().filter(|tier| !ran(tier)).map(|tier| tier.name).collect();
    if !left.is_empty() {
        let flags: String = left.iter().map(|name| format!(" --tier {name}")).collect();
        let _ = writeln!(text, "\nnot run: {}", left.join(", "));
        let _ = writeln!(text, "they run with: cargo xtask test{flags}");
        let _ = writeln!(text, "everything runs with: cargo xtask test --all");
    }
    let _ = writeln!(text, "\n{total}");
    text
}

fn list() -> String {
    TIERS.iter().fold(String::new(), |mut text, tier| {
        let when = if tier.when == When::Ci { "ci" } else { "long" };
        let _ = writeln!(text, "{:<18}{when:<6}{}", tier.name, tier.about);
        text
    })
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        whole @ 0..100 => format!("{whole} s"),
        whole => format!("{} min {} s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(index: usize, passed: u64, failed: u64) -> Done {
        let counts = Counts { passed, failed, skipped: 0 };
        Done { tier: &TIERS[index], counts, time: Duration::from_secs(1) }
    }

    #[test]
    fn the_summary_ends_with_the_sum_alone_on_its_line() {
        let text = summary(&[done(0, 1, 0), done(1, 2, 3)]);
        assert_eq!(text.lines().last(), Some("3 passed, 3 failed"));
        assert!(text.contains(&format!("FAILED  {}", TIERS[1].name)), "{text}");
    }

    #[test]
    fn the_summary_names_what_was_not_run_and_how_to_run_it() {
        let text = summary(&[done(0, 1, 0)]);
        for tier in &TIERS[1..] {
            assert!(text.contains(&format!(" --tier {}", tier.name)), "{text}");
        }
        assert!(!text.contains(&format!(" --tier {}\n", TIERS[0].name)), "{text}");
    }

    #[test]
    fn names_are_unique_and_unknown_ones_refused() {
        for (index, tier) in TIERS.iter().enumerate() {
            assert!(TIERS[..index].iter().all(|other| other.name != tier.name), "{}", tier.name);
        }
        let options = Options { all: false, tiers: vec!["no-such".into()], list: false };
        assert!(choose(&options).unwrap_err().to_string().contains("no-such"));
    }
}
