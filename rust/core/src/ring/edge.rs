//! The happens-before edges of the lane protocol, each with a name that stands at both ends.
//!
//! | edge | first side | second side | what it orders |
//! |---|---|---|---|
//! | `HEAD` | publish stores head (Release) | borrow loads head (Acquire) | payload, descriptor, READY and `recent` before any reader: none takes a token newer than the head it has read |
//! | `LEASE` | publish fences after head and RETIRED, then claims read cells | borrow stores its cell, fences, then reads head or state and moves its cursor | either the borrow sees the retirement or the claim sees the cell; who has read the cursor sees the cell |
//! | `REUSE` | release clears the cell (Release) | claim loads the cell (Acquire) | reads of the old frame before it is overwritten |
//! | `MOVE` | borrow stores the next token into the cell (Release) | claim loads the cell (Acquire) | the same, for a claim that never saw the cell empty |
//! | `OVERWRITE` | claim stores FREE, fences, then the slot is filled | check fences, then loads the state | a reader that saw new bytes sees the state that announced them |
//! | `REVOKE` | revoke stores REVOKED, fences, then the buffer goes back | check fences, then loads the state | the same, for device memory |
//! | `SLEEP` | publish fences after head, then reads the waiting words | a waiter announces itself, fences, then reads head | either the waiter sees the frame or the publisher sees the waiter |
//! | `WAKE` | publish stores head, then the wake word (Release); close likewise | a waiter reads the wake word, then fences, then reads head | a word that is already new comes with its head, so nobody sleeps on it |
//! | `RECORD` | commit stores head (Release) | a stream reader loads head (Acquire) | bytes, entry and config before any reader: none looks for a record newer than the head it has read |
//! | `LAP` | the writer stores oldest, fences, then overwrites bytes, entries and configs | a stream reader copies, fences, then loads oldest | a reader that copied anything newer sees the announcement that it was coming |
//! | `DONE` | a lossless stream reader moves its cursor (Release) | the writer loads the cursor (Acquire) | reads of what lies below the cursor before it is overwritten |
//! | `WANTED` | the producer stores release_wanted, fences, then reads cells and cursors | release stores its cell or cursor, fences, then reads release_wanted | either the producer sees the release or the consumer rings |
//!
//! `LEASE` and `SLEEP` share the one SeqCst fence of a publish, `SLEEP` and `WAKE` that of a
//! waiter,
//! `OVERWRITE` and `REVOKE` the one Acquire fence of a check. A SeqCst or Release *store* would not
//! do: on ARM it lets later stores pass, so a fence stands wherever something is overwritten, given
//! back or looked at afterwards.
//!
//! States and cursors need no ordering of their own. A reader takes only tokens up to a head it has
//! read (`HEAD`); its state then merely says whether the frame is still there, and what `LEASE`
//! promises of it is the work of fences. A frame whose cursor step a claim has read is retired by a
//! later publish, whose fence then comes after the borrow's (`LEASE`), so the scan sees the cell.
//!
//! Under loom each side can be weakened by name (`FRAMELANE_WEAKEN=lease.borrow`), and the
//! mutation run demands that some model then fails.

#[cfg(all(test, loom))]
use super::model::fence as full;
use std::sync::atomic::Ordering;
#[cfg(not(all(test, loom)))]
use std::sync::atomic::fence as full;

/// One named edge. The first side is the one whose effects must become visible.
pub struct Edge {
    first: &'static str,
    second: &'static str,
}

macro_rules! edges {
    ($($name:ident = $first:literal, $second:literal);+ $(;)?) => {
        $(
            #[doc = concat!("From `", $first, "` to `", $second, "`, see the table above.")]
            pub const $name: Edge = Edge { first: $first, second: $second };
        )+
        /// Both sides of every edge, for the mutation run.
        #[cfg(all(test, loom))]
        pub const SIDES: &[&str] = &[$($first, $second),+];
    };
}

edges! {
    HEAD = "head.publish", "head.borrow";
    LEASE = "publish.fence", "lease.borrow";
    SLEEP = "publish.fence", "sleep.announce";
    WAKE = "wake.publish", "sleep.announce";
    REUSE = "reuse.clear", "reuse.claim";
    MOVE = "move.borrow", "reuse.claim";
    OVERWRITE = "overwrite.claim", "check.fence";
    REVOKE = "revoke.fence", "check.fence";
    RECORD = "record.commit", "record.read";
    LAP = "lap.announce", "lap.check";
    DONE = "done.advance", "done.begin";
    WANTED = "wanted.producer", "wanted.release";
}

impl Edge {
    /// Ordering of the store on the first side.
    #[inline(always)]
    pub fn release(&self) -> Ordering {
        if weakened(self.first) { Ordering::Relaxed } else { Ordering::Release }
    }

    /// Ordering of the load on the second side.
    #[inline(always)]
    pub fn acquire(&self) -> Ordering {
        if weakened(self.second) { Ordering::Relaxed } else { Ordering::Acquire }
    }

    /// Fence of the first side that orders its stores before its later stores.
    #[inline(always)]
    pub fn fence_release(&self) {
        if !weakened(self.first) {
            full(Ordering::Release);
        }
    }

    /// Fence of the second side that orders its loads before its later loads.
    #[inline(always)]
    pub fn fence_acquire(&self) {
        if !weakened(self.second) {
            full(Ordering::Acquire);
        }
    }

    /// Full fence of the first side: stores before later loads.
    #[inline(always)]
    pub fn fence_first(&self) {
        if !weakened(self.first) {
            full(Ordering::SeqCst);
        }
    }

    /// Full fence of the second side.
    #[inline(always)]
    pub fn fence_second(&self) {
        if !weakened(self.second) {
            full(Ordering::SeqCst);
        }
    }
}

#[cfg(not(loom))]
#[inline(always)]
fn weakened(_side: &str) -> bool {
    false
}

#[cfg(loom)]
fn weakened(side: &str) -> bool {
    static WEAK: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    WEAK.get_or_init(|| std::env::var("FRAMELANE_WEAKEN").ok()).as_deref() == Some(side)
}
