//! Ctrl-C and SIGTERM: remembered, so that loops end in order and leave nothing behind.

use anyhow::{Result, bail};
use signal_hook::SigId;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
/// Of a process that somebody insisted should end.
const CODE: i32 = 130;

static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// What ends the process at once; empty when a thread waits for the second signal instead.
static ABRUPT: Mutex<Vec<SigId>> = Mutex::new(Vec::new());
static WILL: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Starts to listen. A second signal ends the process at once, after its last will.
pub fn listen() -> Result<()> {
    for signal in SIGNALS {
        let abrupt = Arc::clone(&REQUESTED);
        let id = signal_hook::flag::register_conditional_shutdown(signal, CODE, abrupt)?;
        lock(&ABRUPT).push(id);
        signal_hook::flag::register(signal, Arc::clone(&REQUESTED))?;
    }
    Ok(())
}

/// Whether somebody has asked us to stop.
pub fn asked() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Fails once somebody has asked us to stop.
pub fn check() -> Result<()> {
    if asked() {
        bail!("interrupted");
    }
    Ok(())
}

/// Until this is dropped, a second signal does what it was given before it ends the process.
pub struct Will(());

/// Leaves a will: for what nobody else does when a second signal comes.
pub fn will(what: impl FnOnce() + Send + 'static) -> Result<Will> {
    *lock(&WILL) = Some(Box::new(what));
    // By whatever has to be done a handler of a signal is overtaxed: from now on a thread does it.
    let abrupt: Vec<SigId> = lock(&ABRUPT).drain(..).collect();
    if !abrupt.is_empty() {
        let mut insists = asked();
        let mut signals = Signals::new(SIGNALS)?;
        std::thread::spawn(move || {
            for _ in &mut signals {
                if insists {
                    let will = lock(&WILL).take();
                    if let Some(will) = will {
                        will();
                    }
                    exit(CODE);
                }
                insists = true;
            }
        });
        abrupt.into_iter().for_each(|id| _ = signal_hook::low_level::unregister(id));
    }
    Ok(Will(()))
}

impl Drop for Will {
    fn drop(&mut self) {
        lock(&WILL).take();
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
