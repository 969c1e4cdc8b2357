//! Planes that can be read like any memory: in place, or copied out of a device's.

use crate::error::Result;
use framelane::{ErrorKind, Frame};

/// Copies of planes in device memory, one after the other; none of an inline frame.
#[derive(Default)]
pub(super) struct Readable {
    bytes: Vec<u8>,
    /// Where each plane ends.
    ends: Vec<usize>,
}

impl Readable {
    /// Makes the first planes of a frame readable; the number of bytes copied for that.
    ///
    /// # Errors
    /// What reading the frame fails with.
    pub fn take(&mut self, frame: &Frame, planes: usize) -> Result<u64> {
        self.ends.clear();
        let mut start = 0;
        for index in 0..planes {
            let plane = match frame.revocable_plane(index) {
                Ok(plane) => plane,
                // Inline: read in place.
                Err(error) if index == 0 && error.kind() == ErrorKind::Unsupported => break,
                Err(error) => return Err(error),
            };
            // Its true size is known now, so that a lie makes us reserve nothing.
            let end = start + plane.len;
            if self.bytes.len() < end {
                self.bytes.resize(end, 0);
            }
            frame.copy_to(index, &mut self.bytes[start..end])?;
            self.ends.push(end);
            start = end;
        }
        Ok(start as u64)
    }

    /// One plane of the frame that was taken.
    ///
    /// # Errors
    /// What reading the frame fails with.
    pub fn plane<'a>(&'a self, frame: &'a Frame, index: usize) -> Result<&'a [u8]> {
        match self.ends.get(index) {
            Some(&end) => {
                let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
                Ok(&self.bytes[start..end])
            }
            None => frame.plane(index),
        }
    }
}
