//! What the cameras see.

use serde::{Deserialize, Serialize};

/// What stands before one camera, and what becomes of its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scene {
    /// Mean luma that its statistics tell of. Of a camera that sees a clip: the light, in percent
    /// of the clip's own, in its pictures and so in its statistics.
    pub brightness: u32,
    /// Delivers nothing, without a word.
    pub frozen: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Scene { brightness: 100, frozen: false }
    }
}

/// The brightness at one exposure, counted from the start of a camera's flow. Between two of them
/// it changes evenly; before the first and after the last it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// Number of the exposure.
    pub exposure: u32,
    /// As in [`Scene`].
    pub brightness: u32,
}

/// What a script, whose exposures ascend, says of one exposure.
pub(crate) fn brightness_at(script: &[Light], exposure: u32) -> Option<u32> {
    let after = script.partition_point(|light| light.exposure <= exposure);
    let Some(before) = after.checked_sub(1).map(|index| script[index]) else {
        return script.first().map(|light| light.brightness);
    };
    let Some(next) = script.get(after) else { return Some(before.brightness) };
    let (from, to) = (i64::from(before.brightness), i64::from(next.brightness));
    let done = i64::from(exposure - before.exposure);
    let whole = i64::from(next.exposure - before.exposure);
    u32::try_from(from + (to - from) * done / whole).ok()
}

/// The luma all over a picture; chroma is one more. No two pictures in a row have the same.
pub fn luma(camera: u32, channel: u32, frame_id: u32) -> u8 {
    (frame_id.wrapping_mul(7).wrapping_add(camera * 101 + channel * 29) % 200 + 20) as u8
}

/// What stands in a buffer that the hardware has and has not finished: whoever still reads there
/// sees it.
pub const UNFINISHED: u8 = 0xEE;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_light_changes_evenly_from_one_word_of_the_script_to_the_next() {
        let light = |exposure, brightness| Light { exposure, brightness };
        let script = [light(10, 100), light(20, 0), light(20, 5), light(30, 25)];
        let at = |exposure| brightness_at(&script, exposure);
        assert_eq!([at(0), at(10), at(15), at(19)].map(Option::unwrap), [100, 100, 50, 10]);
        assert_eq!([at(20), at(25), at(30), at(999)].map(Option::unwrap), [5, 15, 25, 25]);
        assert_eq!(brightness_at(&[], 3), None);
    }
}
