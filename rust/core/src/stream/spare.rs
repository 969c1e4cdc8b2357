//! Memory of live records, used again: a fresh piece would be paid for with page faults.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex};

/// As many as are kept: one for the record that is read next while another is still in use.
const KEPT: usize = 2;
/// Pieces grow by this, so that records of nearly the same size fit each other's.
const GRAIN: usize = 4096;

/// Pieces of dropped records, for those to come. It is never waited for: a child that was forked
/// while its lock was held, or a thread that comes at the same time, goes without.
#[derive(Default)]
pub(super) struct Spares(Mutex<Vec<Box<[u8]>>>);

/// A piece in use; it comes back when it is dropped, on whatever thread.
pub(super) struct Piece {
    memory: Box<[u8]>,
    length: usize,
    home: Arc<Spares>,
}

impl Spares {
    /// A piece with room for `length` bytes, of any contents.
    pub(super) fn take(self: &Arc<Self>, length: usize) -> Piece {
        let mut memory = Box::default();
        if let Ok(mut kept) = self.0.try_lock()
            && let Some(at) = kept.iter().position(|memory| memory.len() >= length)
        {
            memory = kept.swap_remove(at);
        }
        if memory.len() < length {
            memory = vec![0; length.next_multiple_of(GRAIN)].into();
        }
        Piece { memory, length, home: self.clone() }
    }

    /// Keeps the largest.
    fn put(&self, memory: Box<[u8]>) {
        let Ok(mut kept) = self.0.try_lock() else { return };
        if kept.len() < KEPT {
            kept.push(memory);
        } else if let Some(least) = kept.iter_mut().min_by_key(|kept| kept.len())
            && least.len() < memory.len()
        {
            *least = memory;
        }
    }
}

impl Deref for Piece {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

impl DerefMut for Piece {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        if !self.memory.is_empty() {
            self.home.put(std::mem::take(&mut self.memory));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_is_used_again_and_two_are_kept() {
        let spares = Arc::new(Spares::default());
        let kept =
            || spares.0.lock().unwrap().iter().map(|memory| memory.len()).collect::<Vec<_>>();
        let first = spares.take(5000);
        assert_eq!((first.len(), first.memory.len()), (5000, 8192));
        let at = first.as_ptr();
        drop(first);
        let again = spares.take(100);
        assert_eq!((again.as_ptr(), again.len()), (at, 100));
        let others = [spares.take(1), spares.take(20_000), spares.take(0)];
        assert_eq!(others[2].memory.len(), 0, "nothing needs no memory");
        drop((again, others));
        assert_eq!(kept(), [8192, 20_480], "the smallest goes");
    }

    #[test]
    fn a_lock_that_is_held_is_not_waited_for() {
        let spares = Arc::new(Spares::default());
        let piece = spares.take(10);
        let held = spares.0.lock().unwrap();
        drop(piece);
        assert_eq!(spares.take(10).len(), 10);
        assert!(held.is_empty());
    }
}
