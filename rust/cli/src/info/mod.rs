//! `framelane info`

mod facts;
mod stream;
mod text;

use crate::{lanes, output};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    /// Name of the lane
    pub lane: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let found = lanes::find(&args.lane)?;
    let info = facts::Info::new(&args.lane, &found);
    if args.json {
        output::print_json(&info)?;
    } else {
        output::print(&text::text(&info))?;
    }
    Ok(ExitCode::SUCCESS)
}
