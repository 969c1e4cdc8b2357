//! The test pattern: bands of colour that drift across the picture, and a ball that bounces over
//! them. Every row changes with every picture, so that a torn one cannot look whole.
//!
//! Rows are copied from tables that are made once: a 4K picture costs little more than writing its
//! bytes.

mod ball;
mod bands;
mod sheet;

use crate::color::Color;
use crate::error::Result;
use crate::planes;
use crate::rate::Rate;
use crate::source::{Filled, FrameSource, SourceInfo, check_size};
use ball::Ball;
use bands::Bands;
use framelane::{FrameDescriptor, FrameLayout, PixelFormat};

/// The test pattern. Wrap it in [`Stamped`](crate::Stamped) for the strip.
pub struct Pattern {
    info: SourceInfo,
    bands: Bands,
    /// None in pictures too small for one.
    ball: Option<Ball>,
}

/// Rows of one plane as the drawing parts see them.
struct Canvas<'a> {
    bytes: &'a mut [u8],
    stride: usize,
    /// Number of the plane.
    plane: usize,
    /// Whether the plane has a row for each row of the picture, not for two of them.
    tall: bool,
}

impl Pattern {
    /// A pattern of any size that the format allows, up to 16384 pixels a side.
    ///
    /// # Errors
    /// `InvalidArgument` for sizes of 0, odd widths of YUYV; `TooLarge`.
    pub fn new(format: PixelFormat, width: u32, height: u32, rate: Rate) -> Result<Self> {
        check_size(width, height)?;
        let layout = FrameLayout::new(format, width, height)?;
        let color = Color::usual(format, height);
        Ok(Pattern {
            info: SourceInfo { label: "pattern".into(), layout, rate, color },
            bands: Bands::new(format, width, color)?,
            ball: Ball::new(format, width, height, color)?,
        })
    }
}

impl FrameSource for Pattern {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> Result<Filled> {
        self.info.color.apply(descriptor);
        let layout = &self.info.layout;
        let planes = planes::split(layout, payload)?.into_iter().zip(&layout.planes);
        for (plane, (bytes, place)) in planes.take(layout.plane_count.into()).enumerate() {
            let tall = place.rows == layout.height;
            let mut canvas = Canvas { bytes, stride: place.stride_bytes as usize, plane, tall };
            self.bands.draw(index, &mut canvas);
            if let Some(ball) = &self.ball {
                ball.draw(index, &mut canvas);
            }
        }
        Ok(Filled::Picture)
    }
}

#[cfg(test)]
mod tests;
