//! The C header, printed from the C ABI's sources and committed.

use crate::workspace;
use anyhow::{Context, Result, bail};
use clap::Args;

const CRATE: &str = "rust/ffi";
const HEADER: &str = "rust/ffi/include/framelane.h";

/// Options of `cargo xtask header`.
#[derive(Args)]
pub struct Options {
    /// Only say whether the committed header is up to date
    #[arg(long)]
    check: bool,
}

/// Prints the header, or compares it with the committed one.
pub fn run(options: &Options) -> Result<bool> {
    let path = workspace::root().join(HEADER);
    let printed = print()?;
    if !options.check {
        std::fs::write(&path, printed).with_context(|| format!("writing {HEADER}"))?;
        return Ok(true);
    }
    let committed = std::fs::read_to_string(&path).with_context(|| format!("reading {HEADER}"))?;
    if committed != printed {
        bail!("{HEADER} is stale: run `cargo xtask header`");
    }
    Ok(true)
}

fn print() -> Result<String> {
    let folder = workspace::root().join(CRATE);
    let config = cbindgen::Config::from_file(folder.join("cbindgen.toml"))
        .map_err(|error| anyhow::anyhow!("{CRATE}/cbindgen.toml: {error}"))?;
    let bindings = cbindgen::generate_with_config(&folder, config)
        .with_context(|| format!("reading the sources of {CRATE}"))?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    String::from_utf8(header).context("the header is text")
}
