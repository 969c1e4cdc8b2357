//! Memory shared between processes.
//!
//! Rules of racing memory, kept by the types here: no reference or slice is formed over bytes that
//! another process may be writing, except to atomics; everything else is copied out word by word
//! and validated in the copy. Slices exist in [`view`] for a slot the producer has claimed and for
//! an inline plane under lease, and in [`stream`] for a record that a lossless reader holds.

pub(crate) mod budget;
pub(crate) mod buffer;
pub(crate) mod map;
pub(crate) mod memfd;
pub(crate) mod ring;
pub(crate) mod stream;
pub(crate) mod switch;
pub(crate) mod view;
