//! `framelane shmbuf`: the older byte ring, for programs that have not moved to lanes yet.

mod bridge;
mod messages;
mod recv;
mod send;

use crate::interrupt::Interrupt;
use crate::output;
use anyhow::Context;
use framelane::ErrorKind;
use framelane::shmbuf::{Receiver, ReceiverOptions};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How soon a signal is noticed while nothing moves.
const SLICE: Duration = Duration::from_millis(50);
/// Between two attempts to attach.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Folder of the segment [default: that of POSIX shared memory]
    #[arg(long, value_name = "DIR", global = true)]
    directory: Option<PathBuf>,
    /// Wake the other side and be woken, where that asks for the same; upstream programs do not
    #[arg(long, global = true)]
    bell: bool,
    /// Print one JSON object at the end
    #[arg(long, global = true)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Send the messages of a file
    Send(send::Args),
    /// Receive messages into a file
    Recv(recv::Args),
    /// Publish each message as a frame of a lane
    Bridge(bridge::Args),
    /// Remove a segment that a program has left
    Rm(RmArgs),
}

#[derive(clap::Args)]
struct RmArgs {
    /// Name of the segment, with or without a slash in front
    name: String,
}

#[derive(Serialize)]
struct Removed<'a> {
    name: &'a str,
    removed: bool,
}

impl Args {
    /// The lane that the command is about.
    pub fn lane(&self) -> Option<&str> {
        match &self.command {
            Command::Bridge(bridge) => Some(&bridge.lane),
            _ => None,
        }
    }
}

/// Marks errors of a segment, for which there is other advice than for lanes.
#[derive(Debug)]
pub struct Shmbuf;

impl fmt::Display for Shmbuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("shmbuf")
    }
}

/// What all three share.
struct Setting<'a> {
    args: &'a Args,
    interrupt: Interrupt,
    start: Instant,
}

impl Setting<'_> {
    fn elapsed_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// One JSON object, or a sentence.
    fn tell(&self, summary: &impl Serialize, text: &str) -> anyhow::Result<()> {
        if self.args.json {
            return output::print_json(summary);
        }
        eprintln!("{text}");
        Ok(())
    }

    /// Attaches, waiting for a sender; None when interrupted.
    fn open(
        &self,
        name: &str,
        reattach: bool,
        deadline: Option<Instant>,
    ) -> anyhow::Result<Option<Receiver>> {
        let options = ReceiverOptions::new().reattach(reattach).bell(self.args.bell);
        let options = options.directory(self.args.directory.clone()).wait_for_sender(SLICE);
        loop {
            match Receiver::open(name, options.clone()) {
                Ok(receiver) => return Ok(Some(receiver)),
                Err(_) if self.interrupt.asked() => return Ok(None),
                Err(error) if may_pass(error.kind()) && !is_passed(deadline) => {
                    // A folder that is not there is told at once.
                    std::thread::sleep(PAUSE);
                }
                Err(error) => return Err(error).context(Shmbuf),
            }
        }
    }
}

/// Whether attaching may work later: no segment, no header, or another receiver for now.
fn may_pass(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::TimedOut | ErrorKind::TooMany)
}

/// When a time is over; None: never.
fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|time| Instant::now().checked_add(time))
}

fn is_passed(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let setting = Setting { args, interrupt, start: Instant::now() };
    match &args.command {
        Command::Send(send) => send::run(send, &setting)?,
        Command::Recv(recv) => recv::run(recv, &setting)?,
        Command::Bridge(bridge) => bridge::run(bridge, &setting)?,
        Command::Rm(rm) => remove(&rm.name, &setting)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(name: &str, setting: &Setting<'_>) -> anyhow::Result<()> {
    let directory = setting.args.directory.as_deref();
    let removed = framelane::shmbuf::remove(name, directory).context(Shmbuf)?;
    let text = if removed { "removed" } else { "there was none" };
    setting.tell(&Removed { name, removed }, &format!("{name}: {text}"))
}
