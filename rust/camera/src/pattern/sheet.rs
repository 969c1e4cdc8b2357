//! A small picture in the target format, to copy rows and parts of rows from.

use crate::color::Color;
use crate::convert::Converter;
use crate::error::Result;
use framelane::{FrameLayout, PixelFormat};

pub(super) struct Sheet {
    layout: FrameLayout,
    bytes: Vec<u8>,
}

impl Sheet {
    /// Paints each pixel with the R, G, B that `paint` says. The width is even, so that a pair of
    /// pixels is a whole number of bytes in every plane of every format.
    pub(super) fn new(
        format: PixelFormat,
        (width, height): (u32, u32),
        color: Color,
        paint: impl Fn(u32, u32) -> [u8; 3],
    ) -> Result<Self> {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let rgb: Vec<u8> = pixels.flat_map(|(x, y)| paint(x, y)).collect();
        let mut converter = Converter::new(format, width, height, color)?;
        let layout = *converter.layout();
        let mut bytes = vec![0; layout.total_bytes as usize];
        converter.rgb(&rgb, &mut bytes)?;
        Ok(Sheet { layout, bytes })
    }

    /// Bytes that two neighbouring pixels take in a row of a plane.
    pub(super) fn pair_bytes(&self, plane: usize) -> usize {
        self.layout.planes[plane].stride_bytes as usize * 2 / self.layout.width as usize
    }

    pub(super) fn row(&self, plane: usize, row: usize) -> &[u8] {
        let place = &self.layout.planes[plane];
        let stride = place.stride_bytes as usize;
        &self.bytes[place.offset_bytes as usize + row * stride..][..stride]
    }
}
