//! placeholder while the core is on its way
use crate::counts::Counts;
/// Options.
#[derive(clap::Args)]
pub struct Options {}
/// Runs.
pub fn run(_: &Options) -> anyhow::Result<bool> {
    anyhow::bail!("later")
}
/// Tier.
pub fn tier() -> anyhow::Result<Counts> {
    anyhow::bail!("later")
}
