//! Fuzz targets of the core, seeded from its golden images.

use crate::counts::Counts;
use crate::process::Program;
use crate::{interrupt, tools, workspace};
use anyhow::{Result, bail};
use std::fs;
use std::time::Duration;

const FOLDER: &str = "rust/core/fuzz";
const VERSION: &str = "0.13.2";

/// Each target for five seconds.
pub fn short() -> Result<Counts> {
    run(Duration::from_secs(5))
}

/// Each target for five minutes.
pub fn long() -> Result<Counts> {
    run(Duration::from_secs(300))
}

fn run(time: Duration) -> Result<Counts> {
    tools::cargo_program("cargo-fuzz", VERSION)?;
    let targets = fuzz(&["list"]).quiet().check()?;
    let targets: Vec<&str> = targets.lines().filter(|line| !line.is_empty()).collect();
    if targets.is_empty() {
        bail!("{FOLDER} has no targets");
    }
    let mut counts = Counts::default();
    for target in targets {
        interrupt::check()?;
        println!("fuzzing {target} for {time:?}");
        // The first folder takes what the fuzzer finds, the others are only read.
        let mut corpus = vec![workspace::target().join("fuzz-corpus").join(target)];
        fs::create_dir_all(&corpus[0])?;
        let seeds = workspace::root().join(FOLDER).join("seeds").join(target);
        corpus.extend(seeds.is_dir().then_some(seeds));
        corpus.push(workspace::root().join("schema/golden/v1"));
        let seconds = format!("-max_total_time={}", time.as_secs());
        let words = workspace::root().join(FOLDER).join("words.dict");
        let outcome = fuzz(&["run", target])
            .args(corpus)
            .args(["--", &seconds, "-timeout=10", "-print_final_stats=1"])
            .args([format!("-dict={}", words.display())])
            .limit(time + Duration::from_secs(900))
            .run()?;
        counts += if outcome.success() { Counts::PASSED } else { Counts::FAILED };
    }
    Ok(counts)
}

fn fuzz(args: &[&str]) -> Program {
    let program = workspace::target().join("tools/cargo/bin/cargo-fuzz");
    let (command, rest) = args.split_first().expect("a fuzz command");
    Program::new(program)
        .args(["fuzz", command, "--fuzz-dir", FOLDER])
        .args(rest)
        // Sanitizer and coverage flags are unstable; the compiler is the pinned stable one.
        .env("RUSTC_BOOTSTRAP", "1")
}
