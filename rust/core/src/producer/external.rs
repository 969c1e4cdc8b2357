//! Frames in device memory: whose buffer each is, and giving it back.
//!
//! An owner is taken once, under the producer's mutex, and run outside it: on the return thread or
//! in the source's own loop, never on the service thread, whose job is to notice deaths.

use super::options::Reclaim;
use crate::error::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

/// Why and of which frame a buffer came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Sequence of the frame that was in the buffer.
    pub sequence: u64,
    /// Whether it was taken from a consumer that overstayed the lease.
    pub revoked: bool,
}

/// Runs when the buffer of an external frame may be used again.
pub type Owner = Box<dyn FnOnce(Returned) + Send>;

/// An owner with what it will be told.
pub(crate) struct Return {
    owner: Owner,
    returned: Returned,
}

impl Return {
    fn run(self) {
        (self.owner)(self.returned);
    }
}

/// A published external frame.
pub(crate) struct Held {
    pub(crate) owner: Owner,
    /// 0: never revoked.
    pub(crate) deadline_ns: u64,
    /// Its deadline has passed while nobody held it: nothing more to do until it retires.
    pub(crate) expired: bool,
}

impl Held {
    pub(crate) fn into_return(self, sequence: u64, revoked: bool) -> Return {
        Return { owner: self.owner, returned: Returned { sequence, revoked } }
    }
}

/// Where returns go.
pub(crate) enum Returns {
    Thread(Mutex<Option<Sender<Return>>>),
    Pump(Mutex<Vec<Return>>),
}

impl Returns {
    /// The place for returns, and the thread that runs them if there is one.
    pub(crate) fn new(reclaim: Reclaim, lane: &str) -> Result<(Self, Option<JoinHandle<()>>)> {
        if reclaim == Reclaim::Pump {
            return Ok((Returns::Pump(Mutex::default()), None));
        }
        let (sender, receiver) = channel::<Return>();
        let thread = crate::signals::spawn_without_signals(format!("fl-ret {lane}"), move || {
            for item in receiver {
                // One that panics must not take the thread from the others: what is left would
                // run wherever it is found, on the service thread for instance.
                if catch_unwind(AssertUnwindSafe(|| item.run())).is_err() {
                    tracing::error!("the owner of a returned buffer panicked");
                }
            }
        })
        .map_err(|error| Error::io("starting the return thread", error))?;
        Ok((Returns::Thread(Mutex::new(Some(sender))), Some(thread)))
    }

    /// Hands returns over. Not called under the producer's mutex.
    pub(crate) fn hand_over(&self, items: Vec<Return>) {
        if items.is_empty() {
            return;
        }
        match self {
            Returns::Pump(waiting) => lock(waiting).extend(items),
            Returns::Thread(sender) => {
                let sender = lock(sender).clone();
                for item in items {
                    match &sender {
                        Some(sender) => {
                            if let Err(unsent) = sender.send(item) {
                                unsent.0.run();
                            }
                        }
                        None => item.run(),
                    }
                }
            }
        }
    }

    /// Runs what waits for the pump; the number of owners run.
    pub(crate) fn run_waiting(&self) -> usize {
        let Returns::Pump(waiting) = self else { return 0 };
        let items = std::mem::take(&mut *lock(waiting));
        let count = items.len();
        items.into_iter().for_each(Return::run);
        count
    }

    /// Lets the return thread end once it has run everything.
    pub(crate) fn finish(&self) {
        if let Returns::Thread(sender) = self {
            lock(sender).take();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
