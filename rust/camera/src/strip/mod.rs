//! A machine-readable mark over the top rows of a picture: number, time, and a checksum of all the
//! rest. Whoever has the bytes can prove that they are whole, belong together and come in order;
//! number and time are also legible after JPEG or H.264, for instance from a browser's canvas.
//!
//! # Format, version 1
//!
//! **Message.** 28 bytes, numbers big-endian:
//!
//! | bytes | content |
//! |---|---|
//! | 0–1 | `F1 A5` |
//! | 2–3 | camera: low 16 bits of the descriptor's `camera_id` |
//! | 4–11 | number: the descriptor's `capture_id` |
//! | 12–19 | time: the descriptor's `capture_ns` |
//! | 20–23 | checksum of the picture |
//! | 24–27 | checksum of bytes 0–23 |
//!
//! Checksums are CRC-32 as in zlib, gzip and PNG (Python: `zlib.crc32`).
//!
//! **Cells.** The message is 224 bits, each byte from its highest bit down. Bit *i* is the square
//! cell in column `i % columns` and cell row `i / columns` of a grid that starts at the top left,
//! where, in whole numbers rounded down:
//!
//! ```text
//! columns   = width / cell
//! cell rows = (224 + columns - 1) / columns
//! cell      = the first of 8, 4, 2 for which cell rows * cell <= height / 3, else 1
//! ```
//!
//! The strip is the picture's first `cell rows * cell` rows. A picture in which they do not fit
//! with cells of 1 pixel has no strip: 224 pixels in whole rows are the least, for instance 16x14.
//!
//! **Pixels.** A 1 is white, a 0 and every pixel of the strip outside the cells is black. White is
//! 235 and black is 16: in each luma byte of plane 0, in each byte of RGB and BGR. U and V of YUYV
//! are 128 in the strip. The rows of separate chroma planes that lie under the strip are set to
//! 128 too, but count as picture.
//!
//! **Checksum of the picture.** Over plane after plane, row after row from the top, each without
//! its padding; in plane 0 the rows of the strip are left out.
//!
//! **Reading.** In exact bytes compare every byte of the strip with what the message makes of it.
//! In a decoded picture take the mean of the middle of a cell: 126 or more is a 1. Then check the
//! first two bytes and the last checksum; the picture's checksum means nothing there.

mod error;
mod grid;
mod message;
mod shape;

pub use error::StripError;
pub use message::{Mark, StripReading};

use crate::error::Result;
use framelane::{Frame, FrameDescriptor, FrameLayout, PixelFormat};
use grid::Grid;
use shape::Shape;

const BLACK: u8 = 16;
const WHITE: u8 = 235;
const NEUTRAL: u8 = 128;

/// Rows that the strip takes of a picture of this size.
///
/// # Errors
/// `TooSmall` for fewer than 224 pixels in whole rows.
pub fn rows(width: u32, height: u32) -> Result<u32, StripError> {
    Ok(Grid::new(width, height)?.rows() as u32)
}

/// Stamps `mark` over the top of a finished picture and seals the rest with its checksum.
///
/// # Errors
/// `InvalidArgument` for a picture too small for a strip, or of a format the SDK does not lay out.
pub fn write(layout: &FrameLayout, payload: &mut [u8], mark: &Mark) -> Result<()> {
    let mut planes = crate::planes::split(layout, payload)?;
    let shape = Shape::of_layout(layout)?;
    if matches!(shape.format, PixelFormat::Nv12 | PixelFormat::I420) {
        let rows = shape.grid.rows().div_ceil(2);
        for (plane, place) in planes.iter_mut().zip(&shape.planes).skip(1) {
            plane[..rows * place.stride].fill(NEUTRAL);
        }
    }
    let shared = planes.each_ref().map(|plane| &**plane);
    let picture_crc = shape.checksum(&shared);
    let message = message::encode(&StripReading { mark: *mark, picture_crc });
    let place = shape.planes[0];
    let mut image = vec![0; place.row_bytes];
    let rows = planes[0].chunks_mut(place.stride).take(shape.grid.rows());
    for (row, bytes) in rows.enumerate() {
        if row % shape.grid.cell == 0 {
            shape.paint(&message, row / shape.grid.cell, &mut image);
        }
        bytes[..image.len()].copy_from_slice(&image);
    }
    Ok(())
}

/// Reads the strip alone, as tolerantly as its format allows: the picture may have been compressed.
///
/// # Errors
/// `NoStrip` and `Damaged`; the errors about geometry.
pub fn read(descriptor: &FrameDescriptor, planes: &[&[u8]]) -> Result<StripReading, StripError> {
    let shape = Shape::of_descriptor(descriptor, planes)?;
    message::decode(&shape.scan(planes[0]))
}

/// Proves that the planes are the picture that the strip was stamped on, byte for byte, and the
/// one that the descriptor speaks of.
///
/// # Errors
/// One kind for each thing that can be wrong, see [`StripError`].
pub fn verify(descriptor: &FrameDescriptor, planes: &[&[u8]]) -> Result<StripReading, StripError> {
    let shape = Shape::of_descriptor(descriptor, planes)?;
    let message = shape.scan(planes[0]);
    let reading = message::decode(&message)?;
    compare_strip(&shape, &message, planes[0])?;
    let found = shape.checksum(planes);
    if found != reading.picture_crc {
        let (number, expected) = (reading.mark.number, reading.picture_crc);
        return Err(StripError::Picture { number, expected, found });
    }
    reading.mark.belongs_to(descriptor)?;
    Ok(reading)
}

/// [`verify`] for a frame under lease, read in place.
///
/// # Errors
/// As [`verify`]; `Frame` when a plane cannot be read.
pub fn verify_frame(frame: &Frame) -> Result<StripReading, StripError> {
    let mut planes = [&[] as &[u8]; 4];
    let count = frame.plane_count();
    for (index, plane) in planes[..count].iter_mut().enumerate() {
        *plane = frame.plane(index).map_err(StripError::Frame)?;
    }
    verify(frame.descriptor(), &planes[..count])
}

fn compare_strip(shape: &Shape, message: &[u8; 28], plane: &[u8]) -> Result<(), StripError> {
    let place = shape.planes[0];
    let mut image = vec![0; place.row_bytes];
    for row in 0..shape.grid.rows() {
        if row % shape.grid.cell == 0 {
            shape.paint(message, row / shape.grid.cell, &mut image);
        }
        let bytes = &plane[row * place.stride..][..place.row_bytes];
        if let Some(byte) = (0..image.len()).find(|&byte| image[byte] != bytes[byte]) {
            return Err(StripError::NotExact { row, byte });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
