//! A strip on the pictures of any source.

use crate::error::Result;
use crate::source::{Filled, FrameSource, SourceInfo};
use crate::strip::{self, Mark};
use framelane::FrameDescriptor;

/// Another source whose pictures carry the strip of their descriptors.
pub struct Stamped<S> {
    source: S,
}

impl<S: FrameSource> Stamped<S> {
    /// Stamps the pictures of `source`.
    ///
    /// # Errors
    /// `InvalidArgument` when they are too small for a strip.
    pub fn new(source: S) -> Result<Self> {
        let layout = source.info().layout;
        strip::rows(layout.width, layout.height)?;
        Ok(Stamped { source })
    }
}

impl<S: FrameSource> FrameSource for Stamped<S> {
    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> Result<Filled> {
        let filled = self.source.fill(index, descriptor, payload)?;
        if filled == Filled::Picture {
            strip::write(&self.source.info().layout, payload, &Mark::of(descriptor))?;
        }
        Ok(filled)
    }
}
