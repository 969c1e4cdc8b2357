//! What the SDK has to say goes to Python's `logging`.
//!
//! It is said on threads that must neither wait for the interpreter nor run code of the
//! application. So it is kept, and passed on by the next call that comes from Python; a call that
//! waits passes on too.

use pyo3::prelude::*;
use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// More than that are dropped, the oldest first.
const KEPT: usize = 256;

static PENDING: AtomicBool = AtomicBool::new(false);
static KEEPER: Mutex<VecDeque<(u8, String)>> = Mutex::new(VecDeque::new());

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, what: &Metadata<'_>) -> bool {
        what.target().starts_with("framelane") && *what.level() <= Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        // Not waited for: in a forked child whoever had it may be gone.
        if let Ok(mut kept) = KEEPER.try_lock() {
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back((number(*event.metadata().level()), text.message + &text.fields));
            PENDING.store(true, SeqCst);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Python's number of a level.
fn number(level: Level) -> u8 {
    match level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        _ => 10,
    }
}

/// `message field=value ...`
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

/// From now on events are kept.
pub fn collect() {
    // It fails where it was done before.
    let _ = tracing::subscriber::set_global_default(Collector);
}

/// Hands what was kept to Python's logging.
#[inline]
pub fn pass_on(py: Python<'_>) {
    if PENDING.load(SeqCst) {
        pass_on_all(py);
    }
}

#[cold]
fn pass_on_all(py: Python<'_>) {
    PENDING.store(false, SeqCst);
    let kept = match KEEPER.try_lock() {
        Ok(mut kept) => std::mem::take(&mut *kept),
        Err(_) => return,
    };
    let tell = || {
        let log = py.import("framelane._log")?.getattr("from_native")?;
        for (level, text) in kept {
            log.call1((level, text))?;
        }
        Ok(())
    };
    if let Err::<(), PyErr>(error) = tell() {
        error.write_unraisable(py, None);
    }
}
