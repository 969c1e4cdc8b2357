//! The commands there are. A new one is a file with its arguments and `run`, and a line in each
//! of the two lists here.

use crate::failure::EXIT_CODES;
use crate::{
    bench, camera, completions, doctor, encode, hz, info, latency, ls, metrics, play, record,
    render, schema, shmbuf, snapshot, switch, top, watch, who,
};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Share camera frames between processes without copying them.
#[derive(Parser)]
#[command(name = "framelane", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Show pictures of a source in a lane
    Camera(camera::Args),
    /// Encode the frames of a lane into a stream lane
    Encode(encode::Args),
    /// Make a clip for the camera out of pictures
    Render(render::Args),
    /// List the lanes of this machine
    Ls(ls::Args),
    /// Show everything about one lane
    Info(info::Args),
    /// Measure rate, jitter, latency and drops of a lane
    Hz(hz::Args),
    /// Show all lanes and who reads them, again and again
    Top(top::Args),
    /// Measure where the time goes between sensor and reader
    Latency(latency::Args),
    /// Serve what is known of all lanes to Prometheus
    Metrics(metrics::Args),
    /// Write one frame as a picture
    Snapshot(snapshot::Args),
    /// Record a stream lane into files
    Record(record::Args),
    /// Play a file into a lane
    Play(play::Args),
    /// Read a lane and keep the books: rate, missed, torn, latency
    Watch(watch::Args),
    /// Show who reads a lane and which slots they hold
    Who(who::Args),
    /// Measure what a hand-off costs on this machine
    Bench(bench::Args),
    /// Look for what could keep lanes from working here, and say what to do
    Doctor(doctor::Args),
    /// Stand several lanes behind one name, one of them active
    Switch(switch::Args),
    /// Speak the older byte ring of the shmbuf programs
    Shmbuf(shmbuf::Args),
    /// Print the shared memory layout, or compare it with a running lane's
    Schema(schema::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

impl Command {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Command::Camera(args) => camera::run(&args),
            Command::Encode(args) => encode::run(&args),
            Command::Render(args) => render::run(&args),
            Command::Ls(args) => ls::run(&args),
            Command::Info(args) => info::run(&args),
            Command::Hz(args) => hz::run(&args),
            Command::Top(args) => top::run(&args),
            Command::Latency(args) => latency::run(&args),
            Command::Metrics(args) => metrics::run(&args),
            Command::Snapshot(args) => snapshot::run(&args),
            Command::Record(args) => record::run(&args),
            Command::Play(args) => play::run(&args),
            Command::Watch(args) => watch::run(&args),
            Command::Who(args) => who::run(&args),
            Command::Bench(args) => bench::run(&args),
            Command::Doctor(args) => doctor::run(&args),
            Command::Switch(args) => switch::run(&args),
            Command::Shmbuf(args) => shmbuf::run(&args),
            Command::Schema(args) => schema::run(&args),
            Command::Completions(args) => completions::run(&args),
        }
    }

    /// The lane that the command is about, for advice when it fails.
    pub fn lane(&self) -> Option<&str> {
        match self {
            Command::Camera(args) => Some(args.lane()),
            Command::Encode(args) => Some(&args.lane),
            Command::Info(args) => Some(&args.lane),
            Command::Hz(args) => Some(&args.lane),
            Command::Latency(args) => Some(&args.lane),
            Command::Snapshot(args) => Some(&args.lane),
            Command::Record(args) => Some(&args.lane),
            Command::Play(args) => Some(&args.lane),
            Command::Watch(args) => Some(&args.lane),
            Command::Who(args) => Some(&args.lane),
            Command::Schema(args) => args.lane.as_deref(),
            Command::Switch(args) => Some(args.switch()),
            Command::Shmbuf(args) => args.lane(),
            Command::Bench(_)
            | Command::Render(_)
            | Command::Ls(_)
            | Command::Top(_)
            | Command::Metrics(_)
            | Command::Doctor(_)
            | Command::Completions(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
