//! An object kept alive by one owner and up to 63 numbered guests, at one atomic operation per
//! coming and going.
//!
//! A frame is such a guest: its number is its lease cell, so handing out the cell and counting
//! the reference are the same operation. Each number has a place of its own, fresh for each guest,
//! so that a guest needs no allocation for what it computes once.
#![allow(unsafe_code, reason = "reference counting of a shared heap object")]

use std::cell::UnsafeCell;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering, fence};

const OWNER_GONE: u64 = 1 << 63;

struct Shared<T, P> {
    /// Bit n: guest n is there. Bit 63: the owner has gone.
    guests: AtomicU64,
    value: T,
    places: Box<[UnsafeCell<P>]>,
}

/// The owner's handle.
pub(crate) struct Owner<T, P>(NonNull<Shared<T, P>>);

/// A numbered guest's handle.
pub(crate) struct Guest<T, P> {
    shared: NonNull<Shared<T, P>>,
    number: u8,
}

// SAFETY: handles give shared access to T and P only, and both are dropped by whichever thread
// leaves last: they need to be Send + Sync, and nothing else of a handle is tied to a thread.
unsafe impl<T: Send + Sync, P: Send + Sync> Send for Owner<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Sync for Owner<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Send for Guest<T, P> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync, P: Send + Sync> Sync for Guest<T, P> {}

impl<T, P: Default> Owner<T, P> {
    /// An object with room for `places` guests, at most 63.
    pub(crate) fn new(value: T, places: u32) -> Self {
        assert!(places <= 63, "one word counts at most 63 guests");
        let places = (0..places).map(|_| UnsafeCell::default()).collect();
        let shared = Box::new(Shared { guests: AtomicU64::new(0), value, places });
        Owner(NonNull::from(Box::leak(shared)))
    }

    /// Admits a guest under the lowest number that is free.
    #[inline]
    pub(crate) fn admit(&self) -> Option<Guest<T, P>> {
        let shared = self.shared();
        let word = &shared.guests;
        let all = (1u64 << shared.places.len()) - 1;
        let mut guests = word.load(Ordering::Relaxed);
        loop {
            let free = !guests & all;
            if free == 0 {
                return None;
            }
            let number = free.trailing_zeros() as u8;
            // Acquire: whoever left this place has done with what belongs to it.
            let entered = word.compare_exchange_weak(
                guests,
                guests | 1 << number,
                Ordering::Acquire,
                Ordering::Relaxed,
            );
            match entered {
                Ok(_) => {
                    let place = shared.places[usize::from(number)].get();
                    // SAFETY: the bit just set makes this number ours alone, its last guest has
                    // left (Acquire above, Release in its drop), and nobody else looks at a place.
                    unsafe { *place = P::default() };
                    return Some(Guest { shared: self.0, number });
                }
                Err(now) => guests = now,
            }
        }
    }

    /// How many guests there are.
    pub(crate) fn guests(&self) -> u32 {
        (self.shared().guests.load(Ordering::Acquire) & !OWNER_GONE).count_ones()
    }
}

impl<T, P> Owner<T, P> {
    fn shared(&self) -> &Shared<T, P> {
        // SAFETY: the object lives until the owner and every guest have gone; this owner has not.
        unsafe { self.0.as_ref() }
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
        // SAFETY: the object lives while this guest does, and between this guest's admission and
        // its leaving its place is only ever looked at, through this guest.
        unsafe { &*self.shared.as_ref().places[self.number()].get() }
    }
}

impl<T, P> Deref for Owner<T, P> {
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
        // SAFETY: the object lives until the owner and every guest have gone; this guest has not.
        unsafe { &self.shared.as_ref().value }
    }
}

impl<T, P> Drop for Owner<T, P> {
    fn drop(&mut self) {
        // Release: what this handle did comes before the object's end, whoever brings it about.
        let before = self.shared().guests.fetch_or(OWNER_GONE, Ordering::Release);
        if before == 0 {
            free(self.0);
        }
    }
}

impl<T, P> Drop for Guest<T, P> {
    #[inline]
    fn drop(&mut self) {
        let bit = 1 << self.number;
        // SAFETY: as in deref.
        let word = unsafe { &self.shared.as_ref().guests };
        // Release: as for the owner, and for the next guest of this number.
        let before = word.fetch_and(!bit, Ordering::Release);
        if before == OWNER_GONE | bit {
            free(self.shared);
        }
    }
}

/// Called once, by whoever left last.
#[cold]
fn free<T, P>(shared: NonNull<Shared<T, P>>) {
    fence(Ordering::Acquire); // everything the others did comes before the end
    // SAFETY: the pointer came from Box::leak in `new`, and the word proves that the owner and all
    // guests are gone, so this is the only remaining pointer and it is freed only here.
    drop(unsafe { Box::from_raw(shared.as_ptr()) });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, OnceLock};

    #[test]
    fn the_last_to_leave_frees_whoever_it_is() {
        let witness = Arc::new(());
        let owner = Owner::<_, OnceLock<u32>>::new(witness.clone(), 2);
        let first = owner.admit().unwrap();
        let second = owner.admit().unwrap();
        assert_eq!((first.number(), second.number()), (0, 1));
        assert!(owner.admit().is_none(), "both places are taken");
        assert_eq!(*first.place().get_or_init(|| 7), 7);
        drop(first);
        let again = owner.admit().unwrap();
        assert_eq!(again.number(), 0, "a number is given again");
        assert_eq!(again.place().get(), None, "with a fresh place");
        drop(again);
        drop(owner);
        assert_eq!(Arc::strong_count(&witness), 2, "a guest keeps the object");
        drop(second);
        assert_eq!(Arc::strong_count(&witness), 1);
    }

    #[test]
    fn guests_that_leave_on_other_threads_free_once() {
        for _ in 0..200 {
            let witness = Arc::new(());
            let owner = Owner::<_, ()>::new(witness.clone(), 63);
            let guests: Vec<_> = (0..4).map(|_| owner.admit().unwrap()).collect();
            let threads: Vec<_> =
                guests.into_iter().map(|guest| std::thread::spawn(move || drop(guest))).collect();
            drop(owner);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(Arc::strong_count(&witness), 1);
        }
    }
}
