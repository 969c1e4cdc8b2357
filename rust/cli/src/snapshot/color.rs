//! What the numbers of a pixel mean, and RGB out of them.

use super::picture::Picture;
use anyhow::{Context, Result};
use framelane::{ColorMatrix, ColorRange, PixelFormat};
use yuv::{
    YuvBiPlanarImage, YuvConversionMode, YuvPackedImage, YuvPlanarImage, YuvRange,
    YuvStandardMatrix,
};

/// The matrix that is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Matrix {
    Bt601,
    Bt709,
    Bt2020,
}

/// The range that is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    Limited,
    Full,
}

impl Matrix {
    /// The frame's, or where it says nothing usable what pictures of that height usually have.
    pub fn of(number: u8, height: u32) -> Self {
        match ColorMatrix::from_number(number) {
            Some(ColorMatrix::Bt601) => Matrix::Bt601,
            Some(ColorMatrix::Bt709) => Matrix::Bt709,
            Some(ColorMatrix::Bt2020) => Matrix::Bt2020,
            // The matrix of RGB makes no sense for subsampled chroma: a field left at 0.
            Some(ColorMatrix::Rgb | ColorMatrix::Unspecified) | None => match height {
                ..720 => Matrix::Bt601,
                _ => Matrix::Bt709,
            },
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Matrix::Bt601 => ColorMatrix::Bt601.name(),
            Matrix::Bt709 => ColorMatrix::Bt709.name(),
            Matrix::Bt2020 => ColorMatrix::Bt2020.name(),
        }
    }

    fn standard(self) -> YuvStandardMatrix {
        match self {
            Matrix::Bt601 => YuvStandardMatrix::Bt601,
            Matrix::Bt709 => YuvStandardMatrix::Bt709,
            Matrix::Bt2020 => YuvStandardMatrix::Bt2020,
        }
    }
}

impl Range {
    /// The frame's; unspecified is limited for YUV, which cameras deliver so, and full for others.
    pub fn of(number: u8, format: PixelFormat) -> Self {
        let yuv = matches!(format, PixelFormat::Nv12 | PixelFormat::I420 | PixelFormat::Yuyv);
        match ColorRange::from_number(number) {
            Some(ColorRange::Limited) => Range::Limited,
            Some(ColorRange::Full) => Range::Full,
            Some(ColorRange::Unspecified) | None if yuv => Range::Limited,
            Some(ColorRange::Unspecified) | None => Range::Full,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Range::Limited => ColorRange::Limited.name(),
            Range::Full => ColorRange::Full.name(),
        }
    }

    fn yuv(self) -> YuvRange {
        match self {
            Range::Limited => YuvRange::Limited,
            Range::Full => YuvRange::Full,
        }
    }

    /// A sample stretched to 0..=255.
    fn stretch(self, sample: u8) -> u8 {
        match self {
            Range::Full => sample,
            Range::Limited => {
                let above = u32::from(sample.saturating_sub(16));
                ((above * 255 + 109) / 219).min(255) as u8
            }
        }
    }
}

/// Grey levels of a grey picture, 0 to 255.
pub fn grey(picture: &Picture) -> Vec<u8> {
    picture.bytes.iter().map(|&sample| picture.range.stretch(sample)).collect()
}

/// Bytes R, G, B of each pixel, 0 to 255.
pub fn rgb(picture: &Picture) -> Result<Vec<u8>> {
    if let Some(rgb) = rgb_of_rgb(picture) {
        return Ok(rgb);
    }
    let (width, height) = (picture.width, picture.height);
    let stride = width.checked_mul(3).context("too wide a picture")?;
    let mut rgb = vec![0; stride as usize * height as usize];
    let (range, matrix) = (picture.range.yuv(), picture.matrix.standard());
    let mode = YuvConversionMode::Balanced;
    match picture.format {
        PixelFormat::Nv12 => {
            let image = YuvBiPlanarImage {
                y_plane: picture.plane(0),
                y_stride: picture.row_bytes(0),
                uv_plane: picture.plane(1),
                uv_stride: picture.row_bytes(1),
                width,
                height,
            };
            yuv::yuv_nv12_to_rgb(&image, &mut rgb, stride, range, matrix, mode)?;
        }
        PixelFormat::I420 => {
            let image = YuvPlanarImage {
                y_plane: picture.plane(0),
                y_stride: picture.row_bytes(0),
                u_plane: picture.plane(1),
                u_stride: picture.row_bytes(1),
                v_plane: picture.plane(2),
                v_stride: picture.row_bytes(2),
                width,
                height,
            };
            yuv::yuv420_to_rgb(&image, &mut rgb, stride, range, matrix)?;
        }
        _ => {
            let (yuy, yuy_stride) = (picture.plane(0), picture.row_bytes(0));
            let image = YuvPackedImage { yuy, yuy_stride, width, height };
            yuv::yuyv422_to_rgb(&image, &mut rgb, stride, range, matrix)?;
        }
    }
    Ok(rgb)
}

fn rgb_of_rgb(picture: &Picture) -> Option<Vec<u8>> {
    let stretch = |sample: &u8| picture.range.stretch(*sample);
    match picture.format {
        PixelFormat::Rgb24 => Some(picture.bytes.iter().map(stretch).collect()),
        PixelFormat::Bgr24 => {
            let pixels = picture.bytes.chunks_exact(3);
            Some(pixels.flat_map(|bgr| bgr.iter().rev().map(stretch)).collect())
        }
        PixelFormat::Grey => Some(grey(picture).into_iter().flat_map(|level| [level; 3]).collect()),
        PixelFormat::Nv12 | PixelFormat::I420 | PixelFormat::Yuyv => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_means_what_is_usual() {
        let unspecified = ColorMatrix::Unspecified.number();
        assert_eq!(Matrix::of(unspecified, 719), Matrix::Bt601);
        assert_eq!(Matrix::of(unspecified, 720), Matrix::Bt709);
        assert_eq!(Matrix::of(0, 480), Matrix::Bt601);
        assert_eq!(Matrix::of(200, 480), Matrix::Bt601);
        assert_eq!(Matrix::of(ColorMatrix::Bt2020.number(), 480), Matrix::Bt2020);
        assert_eq!(Range::of(0, PixelFormat::Nv12), Range::Limited);
        assert_eq!(Range::of(0, PixelFormat::Grey), Range::Full);
        assert_eq!(Range::of(ColorRange::Full.number(), PixelFormat::Yuyv), Range::Full);
    }

    #[test]
    fn limited_samples_are_stretched_to_the_whole_range() {
        let stretched = [0, 16, 125, 235, 255].map(|sample| Range::Limited.stretch(sample));
        assert_eq!(stretched, [0, 0, 127, 255, 255]);
        assert_eq!(Range::Full.stretch(77), 77);
    }
}
