//! One photograph in memory.

use crate::error::{Result, io_failed, unusable};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{
    FilterType, ImageBufferError, PixelType, ResizeAlg, ResizeOptions, Resizer,
};
use image::{DynamicImage, ImageDecoder, ImageReader};
use std::path::{Path, PathBuf};

/// Pixels kept for each pixel shown when the view is widest, so that zooming in stays sharp.
const SPARE: f64 = 1.6;

pub(super) struct Photo {
    pub path: PathBuf,
    pub width: u32,
    pub height: u32,
    rgb: Vec<u8>,
}

impl Photo {
    /// Decodes a file, upright, and shrinks it to what a view of `width` x `height` needs.
    pub(super) fn load(path: &Path, width: u32, height: u32) -> Result<Self> {
        let rgb = decode(path)?.into_rgb8();
        let (own_width, own_height) = rgb.dimensions();
        let photo = Photo {
            path: path.to_owned(),
            width: own_width,
            height: own_height,
            rgb: rgb.into_raw(),
        };
        // The widest view touches two edges of the photograph.
        let across = f64::from(width) / f64::from(own_width);
        let down = f64::from(height) / f64::from(own_height);
        let scale = across.max(down) * SPARE;
        if scale < 1.0 { photo.shrunk(scale) } else { Ok(photo) }
    }

    pub(super) fn view(&self) -> Result<ImageRef<'_>, ImageBufferError> {
        ImageRef::new(self.width, self.height, &self.rgb, PixelType::U8x3)
    }

    fn shrunk(self, scale: f64) -> Result<Self> {
        let side = |side: u32| ((f64::from(side) * scale).ceil() as u32).max(1);
        let mut small = Image::new(side(self.width), side(self.height), PixelType::U8x3);
        let options =
            ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
        let view = self.view().map_err(|error| unusable(&self.path, error))?;
        let resized = Resizer::new().resize(&view, &mut small, &options);
        resized.map_err(|error| unusable(&self.path, error))?;
        let (width, height) = (small.width(), small.height());
        Ok(Photo { width, height, rgb: small.into_vec(), path: self.path })
    }
}

fn decode(path: &Path) -> Result<DynamicImage> {
    let failed = |error: image::ImageError| match error {
        image::ImageError::IoError(error) => unusable(path, error),
        error => unusable(path, format!("not a picture that can be read: {error}")),
    };
    let reader = ImageReader::open(path).map_err(|error| io_failed(path, &error))?;
    let reader = reader.with_guessed_format().map_err(|error| io_failed(path, &error))?;
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let orientation = decoder.orientation().map_err(failed)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}
