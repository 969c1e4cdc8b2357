//! The `framelane` command.

mod ledger;
mod stop;
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
    Watch(watch::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Watch(options) => watch::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("framelane: {error:#}");
            ExitCode::FAILURE
        }
    }
}
