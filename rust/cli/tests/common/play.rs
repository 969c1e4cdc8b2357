//! Something that goes on while a command runs.

use super::DEADLINE;
use framelane::Producer;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Does something every few milliseconds while `run` runs.
pub fn meanwhile<T>(step: impl Fn() + Sync, run: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Relaxed) {
                step();
                std::thread::sleep(Duration::from_millis(4));
            }
        });
        let result = catch_unwind(AssertUnwindSafe(run));
        stop.store(true, Relaxed);
        result.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A frame captured just now.
pub fn captured(producer: &Producer) {
    let mut frame = producer.claim().unwrap();
    frame.descriptor_mut().capture_ns = framelane::monotonic_ns();
    frame.publish().unwrap();
}

/// Sends a request to a Unix socket; the whole answer.
pub fn scrape(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
