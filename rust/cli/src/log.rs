//! What the library logs goes to standard error; `FRAMELANE_LOG` chooses how much.

use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Warnings, and what a camera has to say: it runs for long, often as a service.
const USUAL: &str = "warn,framelane::camera=info,framelane::encode=info,framelane_camera=info,\
                     framelane_hobot=info";

/// Starts logging: the usual, unless `FRAMELANE_LOG` (for instance `debug`) says otherwise.
pub fn start() {
    let chosen = std::env::var("FRAMELANE_LOG").unwrap_or_default();
    let filter = EnvFilter::builder().parse_lossy(if chosen.is_empty() { USUAL } else { &chosen });
    // It complains of each byte that belongs to no start code; what is damaged we tell ourselves.
    let filter = match "h264_reader=off".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(!plain && std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .without_time()
        .init();
}
