//! The `framelane` command.

mod interrupt;
mod ledger;
mod watch;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "framelane", about = "Share camera frames between processes", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read a lane and keep the books: rate, missed, torn, latency
    Watch(watch::Args),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Watch(args) => watch::run(&args),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("framelane: {error:#}");
        ExitCode::FAILURE
    })
}
