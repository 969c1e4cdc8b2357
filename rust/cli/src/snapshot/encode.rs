//! A picture as the bytes of a file.

use super::color::{grey, rgb};
use super::kind::Kind;
use super::picture::Picture;
use super::y4m;
use anyhow::{Context, Result};
use framelane::PixelFormat;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

/// Encodes into memory, so that nothing half-made is ever written.
pub fn encode(picture: &Picture, kind: Kind, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match kind {
        Kind::Png => {
            // Filters that adapt to the row gain most; a stronger compression gains little.
            let (speed, filter) = (CompressionType::Fast, FilterType::Adaptive);
            write(picture, PngEncoder::new_with_quality(&mut bytes, speed, filter))?;
        }
        Kind::Jpeg => write(picture, JpegEncoder::new_with_quality(&mut bytes, quality))?,
        Kind::Y4m => y4m::write(picture, &mut bytes)?,
        Kind::Raw | Kind::RawOf(_) => bytes.clone_from(&picture.bytes),
    }
    Ok(bytes)
}

fn write(picture: &Picture, encoder: impl ImageEncoder) -> Result<()> {
    let (samples, color) = match picture.format {
        PixelFormat::Grey => (grey(picture), ExtendedColorType::L8),
        _ => (rgb(picture)?, ExtendedColorType::Rgb8),
    };
    encoder
        .write_image(&samples, picture.width, picture.height, color)
        .context("encoding the picture")
}
