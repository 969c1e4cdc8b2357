//! Ctrl-C and SIGTERM end a running command in order, with its summary.

use crate::units;
use framelane::monotonic_ns;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Whether somebody asked this process to stop.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen. A second signal ends the process at once, with 130.
    pub fn listen() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register_conditional_shutdown(signal, 130, asked.clone())?;
            flag::register(signal, asked.clone())?;
        }
        Ok(Interrupt(asked))
    }

    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// From now on until that, or until the time is over.
    pub fn within(&self, duration: Option<Duration>) -> Span<'_> {
        let limit_ns = duration.map_or(u64::MAX, units::nanoseconds);
        Span { interrupt: self, start_ns: monotonic_ns(), limit_ns }
    }
}

/// How long a command runs.
pub struct Span<'a> {
    interrupt: &'a Interrupt,
    start_ns: u64,
    limit_ns: u64,
}

impl Span<'_> {
    pub fn is_over(&self) -> bool {
        self.interrupt.asked() || self.elapsed_ns() >= self.limit_ns
    }

    pub fn elapsed_ns(&self) -> u64 {
        monotonic_ns() - self.start_ns
    }
}
