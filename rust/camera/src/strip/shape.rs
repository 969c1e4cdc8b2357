//! A picture as the strip sees it: rows of planes, pixels of the top rows.

use super::error::StripError;
use super::grid::{BITS, Grid};
use super::{BLACK, NEUTRAL, WHITE};
use framelane::{FrameDescriptor, FrameLayout, PixelFormat};

/// Rows of one plane, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub stride: usize,
    /// Without padding.
    pub row_bytes: usize,
    pub rows: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub format: PixelFormat,
    pub grid: Grid,
    pub planes: Vec<Place>,
}

impl Shape {
    pub(super) fn of_layout(layout: &FrameLayout) -> Result<Self, StripError> {
        let mut shape = Shape::tight(layout.fourcc, layout.width, layout.height)?;
        for (place, plane) in shape.planes.iter_mut().zip(&layout.planes) {
            place.stride = plane.stride_bytes as usize;
        }
        Ok(shape)
    }

    /// Believes nothing of the descriptor that the planes do not bear out.
    pub(super) fn of_descriptor(
        descriptor: &FrameDescriptor,
        planes: &[&[u8]],
    ) -> Result<Self, StripError> {
        let mut shape = Shape::tight(descriptor.fourcc, descriptor.width, descriptor.height)?;
        let count = shape.planes.len();
        if count != planes.len() || count != usize::from(descriptor.plane_count) {
            let (given, said) = (planes.len(), descriptor.plane_count);
            let text = format!("{given} given, {said} described, {count} in this format");
            return Err(StripError::Planes(text));
        }
        for (index, place) in shape.planes.iter_mut().enumerate() {
            place.stride = descriptor.planes[index].stride_bytes as usize;
            let above = place.stride.checked_mul(place.rows - 1);
            let needed = above.and_then(|bytes| bytes.checked_add(place.row_bytes));
            let enough = needed.is_some_and(|needed| needed <= planes[index].len());
            if place.stride < place.row_bytes || !enough {
                return Err(StripError::Planes(format!(
                    "plane {index} has {} bytes and stride {}, {} rows of {} are needed",
                    planes[index].len(),
                    place.stride,
                    place.rows,
                    place.row_bytes
                )));
            }
        }
        Ok(shape)
    }

    fn tight(fourcc: u32, width: u32, height: u32) -> Result<Self, StripError> {
        let format = PixelFormat::from_number(fourcc).ok_or(StripError::Format { fourcc })?;
        let grid = Grid::new(width, height)?;
        let layout = FrameLayout::new(format, width, height).map_err(StripError::Frame)?;
        let place = |plane: &framelane::Plane| {
            let row_bytes = plane.stride_bytes as usize;
            Place { stride: row_bytes, row_bytes, rows: plane.rows as usize }
        };
        let planes = layout.planes[..layout.plane_count.into()].iter().map(place).collect();
        Ok(Shape { format, grid, planes })
    }

    /// Checksum of everything outside the strip.
    pub(super) fn checksum(&self, planes: &[&[u8]]) -> u32 {
        let mut crc = crc32fast::Hasher::new();
        let first_rows = std::iter::once(self.grid.rows()).chain(std::iter::repeat(0));
        for ((place, plane), skip) in self.planes.iter().zip(planes).zip(first_rows) {
            if place.stride == place.row_bytes {
                crc.update(&plane[skip * place.stride..place.rows * place.stride]);
                continue;
            }
            for row in skip..place.rows {
                crc.update(&plane[row * place.stride..][..place.row_bytes]);
            }
        }
        crc.finalize()
    }

    /// What the message makes of one row of pixels in the given row of cells.
    pub(super) fn paint(&self, message: &[u8; 28], cell_row: usize, row: &mut [u8]) {
        let pixel_bytes = self.pixel_bytes();
        let paint = |bytes: &mut [u8], value: u8| match self.format {
            PixelFormat::Yuyv => {
                bytes
                    .chunks_exact_mut(2)
                    .for_each(|pixel| pixel.copy_from_slice(&[value, NEUTRAL]));
            }
            _ => bytes.fill(value),
        };
        paint(row, BLACK);
        let cells = row.chunks_exact_mut(self.grid.cell * pixel_bytes).take(self.grid.columns);
        for (column, cell) in cells.enumerate() {
            if bit(message, cell_row * self.grid.columns + column) {
                paint(cell, WHITE);
            }
        }
    }

    /// Reads the message by the means of the cells' middles.
    pub(super) fn scan(&self, plane: &[u8]) -> [u8; 28] {
        let Grid { cell, columns, .. } = self.grid;
        let margin = cell / 4;
        let middle = cell - 2 * margin;
        let (pixel_bytes, value_bytes) = (self.pixel_bytes(), self.value_bytes());
        let mut message = [0; 28];
        for index in 0..BITS {
            let left = (index % columns * cell + margin) * pixel_bytes;
            let top = index / columns * cell + margin;
            let sum: usize = (top..top + middle)
                .map(|row| &plane[row * self.planes[0].stride + left..][..middle * pixel_bytes])
                .flat_map(|row| row.chunks_exact(pixel_bytes).flat_map(|px| &px[..value_bytes]))
                .map(|&value| usize::from(value))
                .sum();
            if sum >= 126 * middle * middle * value_bytes {
                message[index / 8] |= 0x80 >> (index % 8);
            }
        }
        message
    }

    fn pixel_bytes(&self) -> usize {
        match self.format {
            PixelFormat::Rgb24 | PixelFormat::Bgr24 => 3,
            PixelFormat::Yuyv => 2,
            PixelFormat::Grey | PixelFormat::Nv12 | PixelFormat::I420 => 1,
        }
    }

    /// Bytes of a pixel that carry its lightness.
    fn value_bytes(&self) -> usize {
        if self.format == PixelFormat::Yuyv { 1 } else { self.pixel_bytes() }
    }
}

fn bit(message: &[u8; 28], index: usize) -> bool {
    index < BITS && message[index / 8] & 0x80 >> (index % 8) != 0
}
