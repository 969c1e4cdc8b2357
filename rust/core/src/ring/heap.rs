//! The words of a lane or of a page in ordinary memory, for tests of the ring alone.

use super::words::{AtomicU32, AtomicU64, FrameWords, LaneWords, PageWords};

/// Lane memory or a consumer page on the heap.
#[derive(Debug)]
pub(crate) struct Words {
    u64s: Vec<AtomicU64>,
    u32s: [AtomicU32; 3],
}

impl Words {
    /// Words of 64 bits in it.
    pub(crate) const COUNT: usize = 1 + 64 + 64;

    /// All zero.
    pub(crate) fn new() -> Self {
        Self::filled(|| 0)
    }

    /// Each word as the function has it next.
    pub(crate) fn filled(mut next: impl FnMut() -> u64) -> Self {
        let u64s = (0..Self::COUNT).map(|_| AtomicU64::new(next())).collect();
        Words { u64s, u32s: Default::default() }
    }
}

impl LaneWords for Words {
    fn head(&self) -> &AtomicU64 {
        &self.u64s[0]
    }
    fn wake(&self) -> &AtomicU32 {
        &self.u32s[0]
    }
    fn closed(&self) -> &AtomicU32 {
        &self.u32s[1]
    }
    fn release_wanted(&self) -> &AtomicU32 {
        &self.u32s[2]
    }
}

impl FrameWords for Words {
    fn recent(&self, index: usize) -> &AtomicU64 {
        &self.u64s[1 + index]
    }
    fn state(&self, slot: usize) -> &AtomicU64 {
        &self.u64s[65 + slot]
    }
}

impl PageWords for Words {
    fn cell(&self, index: usize) -> &AtomicU64 {
        &self.u64s[1 + index]
    }
    fn cursor(&self) -> &AtomicU64 {
        &self.u64s[0]
    }
    fn waiting(&self) -> &AtomicU32 {
        &self.u32s[0]
    }
    fn arm_ticket(&self) -> &AtomicU32 {
        &self.u32s[1]
    }
    fn key_frame_requests(&self) -> &AtomicU32 {
        &self.u32s[2]
    }
}
