//! What the library logs goes to standard error; `FRAMELANE_LOG` chooses how much.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging: warnings, unless `FRAMELANE_LOG` (for instance `debug`) says otherwise.
pub fn start() {
    let chosen = std::env::var("FRAMELANE_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().parse_lossy(if chosen.is_empty() { "warn" } else { &chosen });
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(!plain && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
