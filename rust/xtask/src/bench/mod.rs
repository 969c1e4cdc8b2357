//! `cargo xtask bench`: framelane beside its peers, or its languages beside each other.

mod languages;
mod peers;
mod pet_camera;
pub(crate) mod viewers;

use crate::python;
use anyhow::{Result, ensure};
use std::ffi::OsString;

/// What is passed on. `--help` among it tells what there is.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Options {
    /// What a frame costs in each language, side by side in one run
    #[arg(long)]
    languages: bool,
    /// What taking a frame costs in Python, beside iceoryx2 and shared memory with a queue
    #[arg(long, conflicts_with = "languages")]
    python: bool,
    /// Records of stream lanes, and the shmbuf ring, beside their rivals
    #[arg(long, conflicts_with_all = ["languages", "python"])]
    streams: bool,
    /// Fifty viewers of the pet camera's server, and what the capture notices of them
    #[arg(long, conflicts_with_all = ["languages", "python", "streams"])]
    viewers: bool,
    /// The pet camera with frames copied, and not: bytes, CPU and latencies by path
    #[arg(long, conflicts_with_all = ["languages", "python", "streams", "viewers"])]
    pet_camera: bool,
    /// Arguments of the bench: --quick, --only ROW, --json, --save FILE
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

/// Runs the bench to its end. A missed goal is a finding, not a failure.
pub fn run(options: &Options) -> Result<bool> {
    let own = [options.languages, options.python, options.viewers, options.pet_camera];
    if !own.contains(&true) {
        let rows: &[&str] = match options.streams {
            true => &["--only", "records", "--only", "shmbuf"],
            false => &[],
        };
        let rows = rows.iter().map(OsString::from);
        let arguments: Vec<OsString> = rows.chain(options.arguments.iter().cloned()).collect();
        return peers::run(&arguments);
    }
    ensure!(options.arguments.is_empty(), "no further arguments are taken");
    if options.viewers {
        return viewers::run();
    }
    if options.pet_camera {
        return pet_camera::run();
    }
    if options.python { python::peers() } else { languages::run() }
}
