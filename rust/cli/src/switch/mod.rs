//! `framelane switch`: a name behind which several lanes stand.

mod create;
pub mod facts;
mod select;

use crate::{lanes, output};
use facts::Switch;
use framelane::{Error, ErrorKind};
use std::process::ExitCode;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON object, at the end of `create`
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Own a switch until Ctrl-C
    Create(create::Args),
    /// Make another lane of a switch active
    Select(select::Args),
    /// Show which lane of a switch is active
    Status(StatusArgs),
}

#[derive(clap::Args)]
struct StatusArgs {
    /// Name of the switch
    name: String,
}

impl Args {
    /// The switch that the command is about.
    pub fn switch(&self) -> &str {
        match &self.command {
            Command::Create(args) => &args.name,
            Command::Select(args) => &args.name,
            Command::Status(args) => &args.name,
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Create(create) => create::run(create, args.json),
        Command::Select(select) => select::run(select, args.json),
        Command::Status(status) => {
            let found = find(&status.name)?;
            if args.json {
                output::print_json(&found)?;
            } else {
                output::print(&found.text())?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A switch and its lanes.
fn find(name: &str) -> anyhow::Result<Switch> {
    let found = lanes::find(name)?;
    let switch = Switch::of(&found.report).ok_or_else(|| {
        let text = format!("lane {name:?} is no switch: see framelane info {name}");
        Error::new(ErrorKind::Unsupported, text)
    })?;
    Ok(switch.with_lanes(name, &found.directory))
}
