//! Threads of the SDK's own take no signals: the application's handlers run on its own threads.
#![allow(unsafe_code, reason = "pthread_sigmask")]

use std::thread::{Builder, JoinHandle};

/// Spawns a named thread with every signal blocked from its first instruction on.
pub(crate) fn spawn_without_signals(
    name: String,
    body: impl FnOnce() + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let before = block_all();
    let spawned = Builder::new().name(name).spawn(body);
    restore(&before);
    spawned
}

/// Raises a signal at this very instruction. A signal sent to the process may be taken by another
/// thread, and this one would then run past the step at which it was to stop.
#[cfg(feature = "failpoints")]
pub(crate) fn raise_here(signal: libc::c_int) {
    // SAFETY: raise takes a number and touches no memory of ours.
    unsafe { libc::raise(signal) };
}

fn block_all() -> libc::sigset_t {
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set it is given.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: both pointers are to sets of this frame; the call fills `before`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    // SAFETY: filled by the call above, which cannot fail with a valid `how`.
    unsafe { before.assume_init() }
}

fn restore(mask: &libc::sigset_t) {
    // SAFETY: the mask was filled by block_all on this thread; no old mask is asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}
