//! `framelane metrics`: all lanes of this machine.

use super::address::Address;
use super::server::{self, Server};
use super::watched::Watched;
use crate::interrupt::Interrupt;
use crate::{notify, output};
use anyhow::Context;
use std::process::ExitCode;
use std::time::Duration;

/// How soon a signal is noticed.
const SLICE: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
Without --listen it prints what there is and ends, for the textfile collector of a node exporter.
With it, it serves GET /metrics until Ctrl-C. A Unix socket is for this user alone.")]
pub struct Args {
    /// Serve at 127.0.0.1:9464, [::1]:9464, or a Unix socket /run/x.sock
    #[arg(long, value_name = "ADDR:PORT|PATH")]
    listen: Option<Address>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let registry = super::registry(Watched::All, |_| {});
    let Some(address) = &args.listen else {
        output::print(&server::text(&registry).context("writing the metrics")?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let interrupt = Interrupt::listen()?;
    let server = Server::start(address, registry)?;
    tracing::info!("metrics of all lanes at {}", server.place());
    notify::ready();
    while !interrupt.asked() {
        std::thread::sleep(SLICE);
    }
    Ok(ExitCode::SUCCESS)
}
