//! `cargo xtask demo`: the whole pet camera. Two cameras of an RDK X5 on the stand-in, behind
//! switches, or another source; an encoder, a streaming server, a detector, a web monitor, a meter
//! and a watchdog read it in five languages, all kept running. In the end it says what it measured.

mod act;
pub mod board;
mod books;
pub mod child;
mod evidence;
mod http;
mod keeper;
pub mod kit;
mod report;
pub mod source;
mod status;

use crate::counts::Counts;
use anyhow::Result;
use kit::Kit;
use source::Source;
use std::io::{IsTerminal, stdout};
use std::path::Path;
use std::time::Duration;

/// Seconds where nobody says how many: time to open the page, or to prove what is promised.
const WATCHED: u64 = 60;
const UNWATCHED: u64 = 15;

/// How to run the demo.
#[derive(clap::Args)]
pub struct Options {
    /// How long it goes on, 0: until Ctrl-C [default: 60 on a terminal, else 15]
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Nobody looks: no live status
    #[arg(long)]
    headless: bool,
    /// hb_vio, pattern, clip, clip:FILE.y4m, v4l2, v4l2:NODE or command:PROGRAM
    #[arg(long, value_name = "SOURCE", default_value = "hb_vio")]
    source: Source,
    /// Build optimised programs, for the figures: takes some minutes the first time
    #[arg(long)]
    optimised: bool,
    /// Keep the private runtime directory
    #[arg(long)]
    keep: bool,
}

/// Runs the demo; whether all it promises held.
pub fn run(options: &Options) -> Result<bool> {
    let live = !options.headless && stdout().is_terminal();
    let seconds = options.seconds.unwrap_or(if live { WATCHED } else { UNWATCHED });
    let time = (seconds > 0).then(|| Duration::from_secs(seconds));
    let kit = Kit::build(&options.source, options.optimised, options.keep)?;
    println!("runtime directory: {}", kit.directory().display());
    match time {
        Some(_) => println!("it ends after {seconds} s, or at Ctrl-C, with a report"),
        None => println!("it goes on until Ctrl-C, and ends with a report"),
    }
    Ok(play(&kit, time, live)?.failed == 0)
}

/// The demo as a test: each promise counts as one.
pub fn tier() -> Result<Counts> {
    let kit = Kit::build(&Source::HbVio, false, false)?;
    play(&kit, Some(Duration::from_secs(6)), false)
}

/// Plays for so long beside somebody who begins to look at its runtime directory before it begins.
pub fn beside<T>(time: Duration, look: impl FnOnce(&Path) -> T) -> Result<(Counts, T)> {
    let kit = Kit::build(&Source::HbVio, false, false)?;
    let looking = look(kit.directory());
    Ok((play(&kit, Some(time), false)?, looking))
}

fn play(kit: &Kit, time: Option<Duration>, live: bool) -> Result<Counts> {
    let evidence = act::perform(kit, time, live)?;
    let verdicts = evidence::judge(&evidence);
    println!("\n{}", report::print(&evidence, &verdicts));
    let mut counts = Counts::default();
    for verdict in &verdicts {
        counts += if verdict.against.is_empty() { Counts::PASSED } else { Counts::FAILED };
    }
    Ok(counts)
}
