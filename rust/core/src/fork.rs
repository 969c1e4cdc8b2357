//! Noticing that this process is a fork of the one that made a handle.
//!
//! A page that the kernel wipes in children holds a generation number. Handles remember the
//! generation they were made in; a destructor that finds another one touches nothing shared.
//! Comparing costs one load, where getpid would be a system call.
#![allow(unsafe_code, reason = "a page that is wiped on fork")]

use std::ffi::c_void;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Generation of this process, made up on first use after a start or fork.
pub(crate) fn generation() -> u64 {
    let word = word();
    let now = word.load(Ordering::Relaxed);
    if now != 0 {
        return now;
    }
    let fresh = crate::random::nonzero_u64();
    match word.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => fresh,
        Err(other) => other,
    }
}

/// Whether `generation` is not this process's: its handles belong to the parent.
#[inline]
pub(crate) fn is_foreign(generation: u64) -> bool {
    word().load(Ordering::Relaxed) != generation
}

#[inline]
fn word() -> &'static AtomicU64 {
    static WORD: OnceLock<&'static AtomicU64> = OnceLock::new();
    match WORD.get() {
        Some(word) => word,
        None => WORD.get_or_init(wiped_on_fork),
    }
}

#[cold]
fn wiped_on_fork() -> &'static AtomicU64 {
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};
    let bytes = rustix::param::page_size();
    let protection = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a fresh private anonymous page at an address of the kernel's choice.
    let page =
        unsafe { mmap_anonymous(std::ptr::null_mut(), bytes, protection, MapFlags::PRIVATE) }
            .expect("one page of anonymous memory");
    // SAFETY: the page was just made, holds only the word below, and zero is a valid value of it.
    unsafe { madvise(page.cast::<c_void>(), bytes, Advice::LinuxWipeOnFork) }
        .expect("MADV_WIPEONFORK, Linux 4.14 and later");
    // SAFETY: page-aligned, zero-initialised, never unmapped, and only ever used as this atomic.
    unsafe { &*page.cast::<AtomicU64>() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_stable_and_its_own() {
        let mine = generation();
        assert_ne!(mine, 0);
        assert_eq!(generation(), mine);
        assert!(!is_foreign(mine));
        assert!(is_foreign(mine ^ 1));
    }
}
