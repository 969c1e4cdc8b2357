//! The frame lane protocol: hazard pointers over a pool of slots.
//!
//! A *token* is `sequence << 6 | slot`. It stands in `head`, in `recent[sequence % 64]` and in the
//! lease cells. A slot's *state* is `sequence << 2 | READY, RETIRED or REVOKED`, and 0 while it is
//! free or being filled. A sequence is given at publish and never comes twice in an epoch, so no
//! comparison can be fooled by reuse.
//!
//! - **Publish n**: state READY(n), recent, head, wake word; frame n - 1 - history goes RETIRED;
//!   one SeqCst fence; then the waiting words are read and bells rung.
//! - **Claim**: read every granted cell exactly once; take a slot that is not READY and that no
//!   cell names with the sequence it holds now. Nothing is ever un-published speculatively, so
//!   there is no restore and no second scan: with slots = leases + claims + 1 + history a claim
//!   always succeeds, whatever consumers do to their cells.
//! - **Borrow**: read head (or recent), store the token into an own cell, fence, look at the state:
//!   READY with that sequence means it is yours. Otherwise clear the cell and try again.
//! - **check**: fence, then the state still has that sequence and is READY or RETIRED.
//! - **Release**: check if wanted, then clear the cell; where the lane says so, fence and ring the
//!   producer when it waits.
//!
//! Stream lanes have a protocol of their own, in [`stream`], and so have switches, in [`switch`];
//! waking and waiting are the same.
//!
//! Every ordering is one end of a named edge in [`edge`]. There is no `unsafe` and no system call
//! in this folder, and loom runs exactly this code.

pub mod consumer;
pub mod edge;
#[cfg(all(any(test, feature = "fuzzing"), not(loom)))]
pub mod heap;
pub mod producer;
pub mod stream;
pub mod switch;
pub mod token;
pub mod waiting;
pub mod words;

#[cfg(all(test, loom))]
mod model;
#[cfg(all(test, not(loom)))]
mod properties;
