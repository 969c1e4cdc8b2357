//! `cargo xtask demo`: the whole pet camera. Two cameras of an RDK X5, on the stand-in or on a
//! board, behind switches, or another source; an encoder, a streaming server, a detector, a web
//! monitor, a meter and a watchdog read it in five languages, all kept running. In the end it says
//! what it measured.

mod act;
pub mod board;
mod books;
mod cameras;
mod evidence;
mod keeper;
pub mod kit;
mod report;
pub mod source;
mod status;
mod turn;

use crate::counts::Counts;
use crate::workspace;
use anyhow::{Context, Result};
use framelane_standin_ion::Place;
use kit::{Kit, Wanted};
use source::Source;
use std::fs;
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
    /// hb_vio (the stand-in), hb_vio:FILE.toml (cameras of this board), pattern, clip,
    /// clip:FILE.y4m, v4l2, v4l2:NODE or command:PROGRAM
    #[arg(long, value_name = "SOURCE", default_value = "hb_vio")]
    source: Source,
    /// Build optimised programs, for the figures: takes some minutes the first time
    #[arg(long)]
    optimised: bool,
    /// Frames of the stand-in are taken back from readers after so long: 66 is the board's
    /// [default: 30000, so that a loaded machine is not blamed]
    #[arg(long, value_name = "N")]
    lease_ms: Option<u64>,
    /// Keep the private runtime directory
    #[arg(long)]
    keep: bool,
}

/// Runs the demo; whether all it promises held.
pub fn run(options: &Options) -> Result<bool> {
    let live = !options.headless && stdout().is_terminal();
    let seconds = options.seconds.unwrap_or(if live { WATCHED } else { UNWATCHED });
    let time = (seconds > 0).then(|| Duration::from_secs(seconds));
    let &Options { optimised, keep, lease_ms, .. } = options;
    let (source, libraries) = (options.source.clone(), None);
    let kit = Kit::build(&Wanted { source, optimised, keep, lease_ms, libraries })?;
    println!("runtime directory: {}", kit.directory().display());
    match time {
        Some(_) => println!("it ends after {seconds} s, or at Ctrl-C, with a report"),
        None => println!("it goes on until Ctrl-C, and ends with a report"),
    }
    Ok(play(&kit, time, live)?.is_some_and(|counts| counts.failed == 0))
}

/// The demo as a test: each promise counts as one.
pub fn tier() -> Result<Counts> {
    let kit = Kit::build(&Wanted::default())?;
    play(&kit, Some(Duration::from_secs(6)), false)?.context("interrupted")
}

/// As on a board: cameras by the guide's file, and libraries that somebody else has put there. Its
/// leases would be those of a board, too, but the machine may be any.
pub fn board_tier() -> Result<Counts> {
    kit::build_stand_ins()?;
    let scratch = tempfile::Builder::new().prefix("framelane-board-").tempdir()?;
    let place = Place::new(&scratch.path().join("lib"))?;
    let guide = fs::read_to_string(workspace::root().join("docs/board/demo.toml"))?;
    let file = scratch.path().join("cameras.toml");
    fs::write(&file, guide.replace("\nleases =", "\nlease_ms = 30000\nleases ="))?;
    let libraries = Some(place.folder().to_owned());
    let kit = Kit::build(&Wanted { source: Source::Board(file), libraries, ..Wanted::default() })?;
    play(&kit, Some(Duration::from_secs(6)), false)?.context("interrupted")
}

/// Plays for so long beside somebody who begins to look at its runtime directory before it begins.
pub fn beside<T>(time: Duration, look: impl FnOnce(&Path) -> T) -> Result<(Counts, T)> {
    let kit = Kit::build(&Wanted::default())?;
    let looking = look(kit.directory());
    Ok((play(&kit, Some(time), false)?.context("interrupted")?, looking))
}

/// None where it was interrupted before there was anything to judge.
fn play(kit: &Kit, time: Option<Duration>, live: bool) -> Result<Option<Counts>> {
    let Some(evidence) = act::perform(kit, time, live)? else {
        println!("interrupted before all were at work: there is nothing to report");
        return Ok(None);
    };
    let verdicts = evidence::judge(&evidence);
    println!("\n{}", report::print(&evidence, &verdicts));
    let mut counts = Counts::default();
    for verdict in &verdicts {
        counts += if verdict.against.is_empty() { Counts::PASSED } else { Counts::FAILED };
    }
    Ok(Some(counts))
}
