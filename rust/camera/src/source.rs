//! What every source offers.

use crate::color::Color;
use crate::error::Result;
use crate::rate::Rate;
use framelane::{Error, ErrorKind, FrameDescriptor, FrameLayout};

/// What all pictures of a source have in common.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceInfo {
    /// What it shows, for people: `pattern`, `y4m:clip.y4m`.
    pub label: String,
    /// Geometry of each picture.
    pub layout: FrameLayout,
    /// Rate it is meant to be shown at.
    pub rate: Rate,
    /// What its numbers mean.
    pub color: Color,
}

/// What became of a call to fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The picture is complete.
    Picture,
    /// There is no picture any more; nothing was written.
    End,
}

/// Fills frames whose memory belongs to somebody else: a claimed slot, a vector in a test.
///
/// A device that brings its own buffers will announce that in a provided method of this trait,
/// answered by `None` here; neither the sources nor their callers of today change for it.
pub trait FrameSource: Send {
    /// Geometry, rate and colour. The same for the life of the source.
    fn info(&self) -> &SourceInfo;

    /// Fills picture `index` into `payload`, which holds at least the layout's bytes.
    ///
    /// The caller has put geometry, camera id, capture id and capture time into the descriptor; a
    /// source adds what it knows better. Calls come with growing indices from 0 on. An index left
    /// out is a picture that nobody saw: a source that moves shows what belongs to the index.
    ///
    /// # Errors
    /// `InvalidArgument` naming the file and what is wrong with it, `System` when it cannot be
    /// read, `TooLarge` for a payload that is too small.
    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> Result<Filled>;
}

impl<S: FrameSource + ?Sized> FrameSource for Box<S> {
    fn info(&self) -> &SourceInfo {
        (**self).info()
    }

    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> Result<Filled> {
        (**self).fill(index, descriptor, payload)
    }
}

/// Largest width and height that a source paints; bounds the memory it takes for that.
const LARGEST_SIDE: u32 = 16384;

/// Refuses pictures that nobody can mean.
pub(crate) fn check_size(width: u32, height: u32) -> Result<()> {
    if width.max(height) <= LARGEST_SIDE {
        return Ok(());
    }
    let text = format!("{width}x{height}: sources paint up to {LARGEST_SIDE} pixels a side");
    Err(Error::new(ErrorKind::TooLarge, text))
}
