//! Photographs brought to life: JPEG and PNG files, one after the other, with a camera that pans
//! and zooms over each.

mod files;
mod loader;
mod motion;
mod photo;

use crate::color::Color;
use crate::convert::Converter;
use crate::error::{Result, unusable};
use crate::planes;
use crate::rate::Rate;
use crate::source::{Filled, FrameSource, SourceInfo, check_size};
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use framelane::{FrameDescriptor, FrameLayout, PixelFormat};
use loader::Loader;
use motion::View;
use std::path::Path;

/// Time each photograph is shown, in seconds.
const SHOWN_S: f64 = 5.0;

/// A picture file, or all of a folder in the order of their names, in a loop.
pub struct Images {
    info: SourceInfo,
    loader: Loader,
    resizer: Resizer,
    convert: Converter,
    /// The view in RGB, unless it is drawn straight into the slot.
    scratch: Vec<u8>,
}

impl Images {
    /// Opens a JPEG or PNG file, or a folder of them, to be shown in any size and format.
    ///
    /// Other files of a folder are left out, which the log says; folders in it are not
    /// searched.
    ///
    /// # Errors
    /// `InvalidArgument` naming the file that is no picture, or the folder that holds none.
    pub fn open(
        path: &Path,
        format: PixelFormat,
        width: u32,
        height: u32,
        rate: Rate,
    ) -> Result<Self> {
        check_size(width, height)?;
        let layout = FrameLayout::new(format, width, height)?;
        let color = Color::usual(format, height);
        let label = format!("images:{}", path.display());
        Ok(Images {
            info: SourceInfo { label, layout, rate, color },
            loader: Loader::start(files::pictures(path)?, width, height)?,
            resizer: Resizer::new(),
            convert: Converter::new(format, width, height, color)?,
            scratch: Vec::new(),
        })
    }
}

impl FrameSource for Images {
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
        let layout = self.info.layout;
        let time = self.info.rate.time_s(index);
        let photo = self.loader.photo((time / SHOWN_S) as u64)?;
        let view = View::at(time, photo.width, photo.height, layout.width, layout.height);
        let options = ResizeOptions::new()
            .crop(view.left, view.top, view.width, view.height)
            .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let mut draw = |rgb: &mut [u8]| {
            let kind = PixelType::U8x3;
            let failed = |error: &dyn std::fmt::Display| unusable(&photo.path, error);
            let mut image = Image::from_slice_u8(layout.width, layout.height, rgb, kind)
                .map_err(|error| failed(&error))?;
            let from = photo.view().map_err(|error| failed(&error))?;
            self.resizer.resize(&from, &mut image, &options).map_err(|error| failed(&error))
        };
        if layout.fourcc == PixelFormat::Rgb24.number() {
            let [rgb, ..] = planes::split(&layout, payload)?;
            draw(rgb)?;
        } else {
            self.scratch.resize(layout.width as usize * layout.height as usize * 3, 0);
            draw(&mut self.scratch)?;
            self.convert.rgb(&self.scratch, payload)?;
        }
        Ok(Filled::Picture)
    }
}

#[cfg(test)]
mod tests;
