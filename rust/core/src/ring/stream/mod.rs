//! The stream lane protocol: a ring of bytes that is overwritten under its readers.
//!
//! Record n has an entry in the index at n % capacity and its bytes, in one piece, at offset %
//! data bytes; config c stands at c % configs. The writer overwrites all three without asking a
//! live reader. One word, `oldest`, covers them: it names the oldest record that is whole.
//!
//! - **Begin**: `oldest` moves past every record whose bytes, entry or config the coming one can
//!   overwrite, were it as large as was asked for.
//! - **Append**: Release fence, on the thread that stores; only then bytes.
//! - **Commit**: Release fence, the entry, then `head` (Release), the wake word, one SeqCst fence;
//!   then the waiting words are read and bells rung. What was asked for and not used stays free.
//! - **Abandon**: nothing but `oldest` has moved.
//! - **Read**: load `head` (Acquire), copy the entry, Acquire fence, look at `oldest`; believe the
//!   entry only now; copy the bytes, fence, look again. A record that is no longer whole was
//!   overtaken: its reader chooses a key record and goes on there.
//! - **Lossless**: the record is read in place, and the reader's cursor, the lowest record that it
//!   has not released, holds `oldest` back.
//!
//! A record begins on a multiple of 8 and is padded to the ring's start where it would not fit
//! before its end. At half of the ring or less it never meets itself.

pub mod reader;
pub mod track;
pub mod writer;

#[cfg(all(any(test, feature = "fuzzing"), not(loom)))]
pub mod heap;

/// Records begin on multiples of this.
pub const ALIGN: u64 = 8;

/// Sizes of a stream lane, constant for its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the data ring, a multiple of [`ALIGN`].
    pub data_bytes: u64,
    /// Largest record, at most half of them.
    pub record_limit: u64,
    /// Entries of the index, a power of two.
    pub index_capacity: u64,
    /// Configs kept.
    pub configs: u64,
}

impl Shape {
    /// Where the entry of a record stands.
    #[inline]
    pub fn entry_at(&self, sequence: u64) -> usize {
        (sequence & (self.index_capacity - 1)) as usize
    }

    /// Where a config stands.
    pub fn config_at(&self, id: u32) -> usize {
        (u64::from(id) % self.configs) as usize
    }

    /// Where a position lies in the data ring.
    #[inline]
    pub fn data_at(&self, offset: u64) -> usize {
        (offset % self.data_bytes) as usize
    }
}
