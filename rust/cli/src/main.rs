//! The `framelane` command.

mod args;
mod bench;
mod camera;
mod capture;
mod completions;
mod doctor;
mod encode;
mod failure;
mod hz;
mod info;
mod interrupt;
mod lanes;
mod latency;
mod ledger;
mod log;
mod ls;
mod metrics;
mod notify;
mod numbers;
mod output;
mod play;
mod rate;
mod reader;
mod record;
mod render;
mod ring;
mod schema;
mod shmbuf;
mod snapshot;
mod switch;
mod table;
mod top;
mod units;
mod watch;
mod who;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    log::start();
    framelane_hobot::register();
    let command = args::Cli::parse().command;
    let lane = command.lane().map(str::to_owned);
    command.run().unwrap_or_else(|error| failure::report(&error, lane.as_deref()))
}
