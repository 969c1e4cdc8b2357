//! The selection of a switch: one word that says which lane is active, and for the how many-th time
//! one was chosen.
//!
//! - **Select**: `head` (Release), the wake word, one SeqCst fence; then the waiting words are read
//!   and bells rung, as at a publish.
//! - **Read**: load the selection, borrow from the lane it names, load the selection again. The
//!   word carries all there is, so no edge of its own is needed: a frame that was published after
//!   the select brings the select with it (`HEAD`), and the second load then finds it.

use super::edge;
use super::words::LaneWords;
use crate::failpoint::step;
use crate::layout::selection::{INDEX_BITS, INDEX_MASK};

/// The selection of a lane by its index, at a switch epoch.
pub fn selection(epoch: u64, index: usize) -> u64 {
    epoch << INDEX_BITS | (index as u64 & INDEX_MASK)
}

/// Which lane a selection names; there may be no such lane.
pub fn index_of(selection: u64) -> usize {
    (selection & INDEX_MASK) as usize
}

/// The switch epoch of a selection.
pub fn epoch_of(selection: u64) -> u64 {
    selection >> INDEX_BITS
}

/// Makes a selection known. The caller reads the waiting words afterwards.
pub fn select(words: &impl LaneWords, selection: u64) {
    // edge HEAD: what the controller did before comes with its selection.
    words.head().store(selection, edge::HEAD.release());
    step("select.stored");
    // edge WAKE: whoever sleeps on this value has seen the selection.
    words.wake().store(epoch_of(selection) as u32, edge::WAKE.release());
    step("select.wake");
    // edge SLEEP: the selection before any later look at waiting counters and tickets.
    edge::SLEEP.fence_first();
    step("select.fenced");
}

/// The selection of now; 0 where there is none.
#[inline]
pub fn selected(words: &impl LaneWords) -> u64 {
    // edge HEAD: what the controller did before the select.
    words.head().load(edge::HEAD.acquire())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_an_epoch_and_an_index() {
        for (epoch, index) in [(1, 0), (1, 15), (7, 255), ((1 << 56) - 1, 255)] {
            let word = selection(epoch, index);
            assert_eq!((epoch_of(word), index_of(word)), (epoch, index));
        }
        assert_eq!(selection(1, 256), selection(1, 0), "an index never reaches the epoch");
    }
}
