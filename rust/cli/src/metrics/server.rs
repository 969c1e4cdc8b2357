//! A thread that lets scrapers in, and a few that serve them.
//!
//! Whoever is slow is dropped at a deadline, and whoever comes while as many are served as may be
//! is turned away: no scraper costs the command more than a few threads that sleep.

use super::address::{Address, Listener, Visitor};
use super::http::{self, Request};
use anyhow::{Context, Result};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Scrapers that are served at the same time.
const AT_ONCE: usize = 4;
/// Longest time for one of them, from its coming to the last byte of its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Rest after the system had nothing left to accept with.
const REST: Duration = Duration::from_millis(100);
const TEXT: &str = "text/plain; charset=utf-8";

/// Serves until it is dropped.
pub struct Server {
    place: String,
    stop: OwnedFd,
    thread: Option<JoinHandle<()>>,
}

struct Desk {
    /// One scrape at a time asks the lanes.
    registry: Mutex<Registry>,
    served: AtomicUsize,
}

impl Server {
    /// # Errors
    /// An address that cannot be had.
    pub fn start(address: &Address, registry: Registry) -> Result<Self> {
        let listener = Listener::open(address)?;
        let place = listener.to_string();
        let stop = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let told = stop.try_clone()?;
        let desk = Arc::new(Desk { registry: Mutex::new(registry), served: AtomicUsize::new(0) });
        let thread = std::thread::Builder::new()
            .name("metrics".into())
            .spawn(move || listen(&listener, &told, &desk))
            .context("a thread for the metrics")?;
        Ok(Server { place, stop, thread: Some(thread) })
    }

    /// Where it serves.
    pub fn place(&self) -> &str {
        &self.place
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if rustix::io::write(&self.stop, &1u64.to_ne_bytes()).is_err() {
            return;
        }
        if let Some(thread) = self.thread.take() {
            // A panic has been told on standard error.
            let _ = thread.join();
        }
    }
}

fn listen(listener: &Listener, stop: &OwnedFd, desk: &Arc<Desk>) {
    loop {
        let mut polled = [PollFd::new(listener, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut polled, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return tracing::warn!("metrics end: poll: {errno}"),
        }
        if !polled[1].revents().is_empty() {
            return;
        }
        if polled[0].revents().is_empty() {
            continue;
        }
        match listener.accept() {
            Ok(visitor) => admit(visitor, desk),
            Err(error) => {
                // Gone before it was let in; or there are no descriptors left, for now.
                tracing::debug!("metrics: accept: {error}");
                if error.kind() != std::io::ErrorKind::WouldBlock {
                    std::thread::sleep(REST);
                }
            }
        }
    }
}

fn admit(mut visitor: Box<dyn Visitor>, desk: &Arc<Desk>) {
    if desk.served.fetch_add(1, Relaxed) >= AT_ONCE {
        desk.served.fetch_sub(1, Relaxed);
        return; // dropped
    }
    let theirs = desk.clone();
    let started = std::thread::Builder::new().name("metrics-scrape".into()).spawn(move || {
        // Makes room before the visitor sees that it is over.
        let _leaving = Leaving(&theirs.served);
        if let Err(error) = serve(&mut *visitor, &theirs.registry) {
            tracing::debug!("metrics: a scraper: {error}");
        }
    });
    if let Err(error) = started {
        desk.served.fetch_sub(1, Relaxed);
        tracing::warn!("metrics: a thread for a scraper: {error}");
    }
}

/// Makes room again, also after a panic.
struct Leaving<'a>(&'a AtomicUsize);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

fn serve(visitor: &mut dyn Visitor, registry: &Mutex<Registry>) -> std::io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let request = http::read(visitor, deadline)?;
    let told;
    let answer = match request {
        Request::Metrics => match text(&registry.lock().unwrap_or_else(PoisonError::into_inner)) {
            Ok(text) => {
                told = text;
                ("200 OK", prometheus_text::CONTENT_TYPE, &told[..])
            }
            Err(_) => ("500 Internal Server Error", TEXT, "the metrics cannot be written\n"),
        },
        Request::Other(status) => (status, TEXT, "GET /metrics\n"),
    };
    http::answer(visitor, answer, deadline)
}

/// All metrics now.
pub fn text(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    prometheus_text::encode(&mut text, registry)?;
    Ok(text)
}
