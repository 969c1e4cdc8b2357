//! What the cameras see.

use serde::{Deserialize, Serialize};

/// What stands before one camera, and what becomes of its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// Mean luma that its statistics tell of.
    pub brightness: u32,
    /// Delivers nothing, without a word.
    pub frozen: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Scene { brightness: 100, frozen: false }
    }
}

/// The luma all over a picture; chroma is one more. No two pictures in a row have the same.
pub fn luma(camera: u32, channel: u32, frame_id: u32) -> u8 {
    (frame_id.wrapping_mul(7).wrapping_add(camera * 101 + channel * 29) % 200 + 20) as u8
}

/// What stands in a buffer that the hardware has and has not finished: whoever still reads there
/// sees it.
pub const UNFINISHED: u8 = 0xEE;
