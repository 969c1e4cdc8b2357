//! An object kept alive by one host and up to 63 numbered guests, at one atomic
//! read-modify-write for a guest's coming and going together.
//!
//! A frame is such a guest: its number is its lease cell. Only the host admits guests, one at a
//! time, so it counts them in private; a guest that leaves, on whatever thread, adds one to a
//! shared word. When the host leaves it subtracts all it ever admitted, so that the word is zero
//! exactly when everybody has gone. Each number has a place of its own, fresh for each guest, so
//! that a guest needs no allocation for what it computes once.
#![allow(unsafe_code, reason = "reference counting of a shared heap object")]

use std::cell::UnsafeCell;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

struct Place<P> {
    taken: AtomicBool,
    value: UnsafeCell<P>,
}

struct Shared<T, P> {
    /// Guests that have left, less all that were ever admitted once the host has left.
    balance: AtomicU64,
    value: T,
    places: Box<[Place<P>]>,
}

/// The host's handle.
pub(crate) struct Host<T, P> {
    shared: NonNull<Shared<T, P>>,
    admitted: u64,
}

/// A numbered guest's handle.
pub(crate) struct Guest<T, P> {
    shared: NonNull<Shared<T, P>>,
    number: u8,
}

// SAFETY: handles give shared access to T and P only, and both are dropped by whichever thread
// leaves last: they need to be Send + Sync, and nothing else of a handle is tied to a thread.
unsafe impl<T: Send + Sync, P: Send + Sync> Send for Host<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Sync for Host<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Send for Guest<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Sync for Guest<T, P> {}

impl<T, P: Default> Host<T, P> {
    /// An object with room for `places` guests, at most 63.
    pub(crate) fn new(value: T, places: u32) -> Self {
        assert!(places <= 63, "a consumer has at most 63 leases");
        let empty = || Place { taken: AtomicBool::new(false), value: UnsafeCell::default() };
        let places = (0..places).map(|_| empty()).collect();
        let shared = Box::new(Shared { balance: AtomicU64::new(0), value, places });
        Host { shared: NonNull::from(Box::leak(shared)), admitted: 0 }
    }

    /// Admits a guest under the lowest number that is free.
    #[inline]
    pub(crate) fn admit(&mut self) -> Option<Guest<T, P>> {
        let places = &self.shared().places;
        // Acquire: whoever left this place has done with what belongs to it.
        let number = places.iter().position(|place| !place.taken.load(Ordering::Acquire))?;
        let place = &places[number];
        place.taken.store(true, Ordering::Relaxed);
        // SAFETY: the place was free, only this host takes places, and it is borrowed mutably:
        // nobody else looks at the value now.
        unsafe { *place.value.get() = P::default() };
        self.admitted += 1;
        Some(Guest { shared: self.shared, number: number as u8 })
    }
}

impl<T, P> Host<T, P> {
    /// How many guests there are.
    pub(crate) fn guests(&self) -> u32 {
        (self.admitted - self.shared().balance.load(Ordering::Acquire)) as u32
    }

    fn shared(&self) -> &Shared<T, P> {
        // SAFETY: the object lives until the host and every guest have gone; this host has not.
        unsafe { self.shared.as_ref() }
    }
}

impl<T, P> Guest<T, P> {
    /// The number this guest was admitted under.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        self.number.into()
    }

    /// This guest's own place.
    pub(crate) fn place(&self) -> &P {
        // SAFETY: the object lives while this guest does, and from this guest's admission to its
        // leaving its place is only ever looked at, through this guest.
        unsafe { &*self.shared().places[self.number()].value.get() }
    }

    #[inline]
    fn shared(&self) -> &Shared<T, P> {
        // SAFETY: the object lives until the host and every guest have gone; this guest has not.
        unsafe { self.shared.as_ref() }
    }
}

impl<T, P> Deref for Host<T, P> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.shared().value
    }
}

impl<T, P> Deref for Guest<T, P> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.shared().value
    }
}

impl<T, P> Drop for Host<T, P> {
    fn drop(&mut self) {
        let admitted = self.admitted;
        // Release: what this handle did comes before the object's end, whoever brings it about.
        let left = self.shared().balance.fetch_sub(admitted, Ordering::Release);
        if left == admitted {
            free(self.shared);
        }
    }
}

impl<T, P> Drop for Guest<T, P> {
    #[inline]
    fn drop(&mut self) {
        let shared = self.shared();
        // Release: for the next guest of this number.
        shared.places[self.number()].taken.store(false, Ordering::Release);
        // Release: as for the host. While the host is there the balance only grows from zero, so
        // it can become zero only after the host left.
        let before = shared.balance.fetch_add(1, Ordering::Release);
        if before == u64::MAX {
            free(self.shared);
        }
    }
}

/// The same count for guests that somebody else admits and numbers, under a mutex of their own:
/// claimed frames of a producer.
#[derive(Default)]
pub(crate) struct Tally(AtomicU64);

impl Tally {
    /// A guest leaves; whether it was the last, after the host. It touches the object no more,
    /// unless it was the last.
    #[inline]
    pub(crate) fn leave(&self) -> bool {
        self.0.fetch_add(1, Ordering::AcqRel) == u64::MAX
    }

    /// The host leaves, having admitted `admitted` guests in all; whether nobody is left.
    pub(crate) fn settle(&self, admitted: u64) -> bool {
        self.0.fetch_sub(admitted, Ordering::AcqRel) == admitted
    }
}

/// Called once, by whoever left last.
#[cold]
fn free<T, P>(shared: NonNull<Shared<T, P>>) {
    // Everything the others did comes before the end. A load, for ThreadSanitizer does not know
    // fences: what it reads ends the release sequence of every departure before it.
    // SAFETY: nobody but the caller can free the object any more, and it has not yet.
    unsafe { shared.as_ref() }.balance.load(Ordering::Acquire);
    // SAFETY: the pointer came from Box::leak in `new`, and the balance proves that the host and
    // all guests are gone, so this is the only remaining pointer and it is freed only here.
    drop(unsafe { Box::from_raw(shared.as_ptr()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, OnceLock};

    #[test]
    fn the_last_to_leave_frees_whoever_it_is() {
        let witness = Arc::new(());
        let mut host = Host::<_, OnceLock<u32>>::new(witness.clone(), 2);
        let first = host.admit().unwrap();
        let second = host.admit().unwrap();
        assert_eq!((first.number(), second.number()), (0, 1));
        assert!(host.admit().is_none(), "both places are taken");
        assert_eq!(*first.place().get_or_init(|| 7), 7);
        drop(first);
        let again = host.admit().unwrap();
        assert_eq!(again.number(), 0, "a number is given again");
        assert_eq!(again.place().get(), None, "with a fresh place");
        drop(again);
        drop(host);
        assert_eq!(Arc::strong_count(&witness), 2, "a guest keeps the object");
        drop(second);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn a_tally_is_settled_by_whoever_leaves_last() {
        let tally = Tally::default();
        assert!(!tally.leave(), "the host is still there");
        assert!(!tally.settle(3), "two guests are");
        assert!(!tally.leave());
        assert!(tally.leave());
        let tally = Tally::default();
        tally.leave();
        assert!(tally.settle(1), "nobody is left");
    }

    #[test]
    fn guests_that_leave_on_other_threads_free_once() {
        for _ in 0..200 {
            let witness = Arc::new(());
            let mut host = Host::<_, ()>::new(witness.clone(), 63);
            let guests: Vec<_> = (0..4).map(|_| host.admit().unwrap()).collect();
            let threads: Vec<_> =
                guests.into_iter().map(|guest| std::thread::spawn(move || drop(guest))).collect();
            drop(host);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(Arc::strong_count(&witness), 1);
        }
    }
}
