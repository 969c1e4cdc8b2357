//! Prometheus text of lanes, from any long-running command.
//!
//! A command takes [`Options`] among its arguments and keeps what [`Options::serve`] returns:
//!
//! ```ignore
//! #[command(flatten)]
//! metrics: metrics::Options,
//! ...
//! let _metrics = args.metrics.serve(Watched::lane(producer.name(), producer.directory()))?;
//! ```
//!
//! The figures are what the lanes' producers answer, asked at each scrape: the command's own work
//! is not touched by how often somebody looks. Counters of a command's own go into the registry
//! that [`Options::serve_with`] hands out.

mod address;
mod command;
mod families;
mod http;
mod process;
mod server;
mod watched;

pub use address::Address;
pub use command::{Args, run};
pub use watched::Watched;

use prometheus_client::registry::Registry;
use server::Server;

/// What is put in front of every name.
const PREFIX: &str = "framelane";

#[derive(clap::Args)]
#[command(next_help_heading = "Metrics")]
pub struct Options {
    /// Serve Prometheus metrics at 127.0.0.1:9464, [::1]:9464, or a Unix socket /run/x.sock
    #[arg(long, value_name = "ADDR:PORT|PATH")]
    metrics: Option<Address>,
}

impl Options {
    /// Serves what is known of these lanes until the result is dropped; nothing unless asked for.
    ///
    /// # Errors
    /// An address that cannot be had, in use for instance.
    pub fn serve(&self, watched: Watched) -> anyhow::Result<Option<Server>> {
        self.serve_with(watched, |_| {})
    }

    /// The same beside counters of the command's own, which get the prefix `framelane_`.
    pub fn serve_with(
        &self,
        watched: Watched,
        own: impl FnOnce(&mut Registry),
    ) -> anyhow::Result<Option<Server>> {
        let Some(address) = &self.metrics else { return Ok(None) };
        let server = Server::start(address, registry(watched, own))?;
        tracing::info!("metrics at {}", server.place());
        Ok(Some(server))
    }
}

fn registry(watched: Watched, own: impl FnOnce(&mut Registry)) -> Registry {
    let mut registry = Registry::default();
    own(registry.sub_registry_with_prefix(PREFIX));
    registry.register_collector(Box::new(watched));
    registry.register_collector(Box::new(process::Process));
    registry
}
