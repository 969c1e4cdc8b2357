//! Whose memory the codec reads, until it has read it.

use framelane_hobot_sys::codec::MediaBuffer;
use std::any::Any;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// Whoever a picture belongs to; dropped when the codec has consumed it, on whatever thread.
pub type Owner = Box<dyn Any + Send>;

/// Owners of the pictures in the codec, by ticket.
#[derive(Default)]
pub(super) struct Held(Mutex<BTreeMap<u64, Owner>>);

impl Held {
    pub fn hold(&self, ticket: u64, owner: Owner) {
        self.change(|all| all.insert(ticket, owner));
    }

    /// Takes one back that the codec did not take.
    pub fn take(&self, ticket: u64) -> Option<Owner> {
        self.change(|all| all.remove(&ticket))
    }

    /// The codec is done with this one and, since it goes in order, all before.
    pub fn release_to(&self, ticket: u64) {
        let done = self.change(|all| {
            let after = all.split_off(&(ticket + 1));
            std::mem::replace(all, after)
        });
        drop(done); // not under the mutex
    }

    pub fn release_all(&self) {
        drop(self.change(std::mem::take));
    }

    pub fn count(&self) -> usize {
        self.change(|all| all.len())
    }

    fn change<R>(&self, change: impl FnOnce(&mut BTreeMap<u64, Owner>) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the library calls on a thread of its own when it has read a picture.
///
/// # Safety
/// `held` is a [`Held`] that lives until the codec is released, `buffer` is NULL or a buffer.
pub(super) unsafe extern "C" fn consumed(held: *mut c_void, buffer: *mut MediaBuffer) {
    let told = catch_unwind(AssertUnwindSafe(|| {
        if buffer.is_null() || held.is_null() {
            return;
        }
        // SAFETY: promised by the library, which was given it, and by whoever gave it.
        let (held, ticket) = unsafe { (&*held.cast::<Held>(), (*buffer).user_ptr) };
        held.release_to(ticket);
    }));
    if told.is_err() {
        tracing::error!("the owner of a picture panicked");
    }
}
