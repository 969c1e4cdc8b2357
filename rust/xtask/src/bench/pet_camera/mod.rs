//! `cargo xtask bench --pet-camera`: two cameras and all who read them, each way in one run: the
//! old way (memcpy into sockets), lanes into which frames are copied, lanes in camera memory. The
//! last twice, for the stand-in's model of a cache copies what the hardware's invalidates.

mod look;
mod stage;
mod table;

use crate::demo::kit;
use crate::{interrupt, python, tools};
use anyhow::Result;
use stage::{Run, Tools};
use std::time::Duration;

/// Each way takes its turn in each round, so that all meet the same weather.
const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(6);

/// How frames get to their readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Through a socket for each reader.
    Sockets,
    /// Through lanes, into which they are copied once.
    Copy,
    /// Where the camera puts them.
    ZeroCopy,
    /// The same in buffers that no cache stands before.
    Uncached,
}

impl Way {
    const ALL: [Way; 4] = [Way::Sockets, Way::Copy, Way::ZeroCopy, Way::Uncached];

    /// In the table.
    fn name(self) -> &'static str {
        match self {
            Way::Sockets => "memcpy and sockets",
            Way::Copy => "lanes, copied into",
            Way::ZeroCopy => "lanes, zero-copy",
            Way::Uncached => "the same, uncached",
        }
    }
}

/// Measures and prints the table.
pub fn run() -> Result<bool> {
    kit::build_stand_ins()?;
    kit::build_command(true)?;
    let python = python::with_package(true)?;
    let tools = Tools { python, search_path: tools::search_path_with("ffmpeg")? };
    let mut runs: Vec<Vec<Run>> = Vec::new();
    for round in 1..=ROUNDS {
        println!("round {round} of {ROUNDS}");
        let mut all = Vec::new();
        for way in Way::ALL {
            interrupt::check()?;
            all.push(stage::measure(&tools, way, SPAN)?);
        }
        runs.push(all);
    }
    print!("{}", table::table(&runs));
    Ok(true)
}
