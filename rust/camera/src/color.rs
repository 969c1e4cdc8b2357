//! What the numbers in a picture mean as colours.

use framelane::{ColorMatrix, ColorRange, ColorTransfer, FrameDescriptor, PixelFormat};
use yuv::{YuvRange, YuvStandardMatrix};

/// Matrix, range and transfer function of a picture's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// How luma and chroma were made from red, green and blue.
    pub matrix: ColorMatrix,
    /// Which numbers stand for black and white.
    pub range: ColorRange,
    /// How numbers relate to light.
    pub transfer: ColorTransfer,
}

impl Color {
    /// What pictures made here are: sRGB for the RGB formats, full range for grey, and for the
    /// others limited range, BT.601 below 720 rows and BT.709 from there on, as is usual for video.
    pub fn usual(format: PixelFormat, height: u32) -> Self {
        let matrix = if height < 720 { ColorMatrix::Bt601 } else { ColorMatrix::Bt709 };
        match format {
            PixelFormat::Rgb24 | PixelFormat::Bgr24 => Color {
                matrix: ColorMatrix::Rgb,
                range: ColorRange::Full,
                transfer: ColorTransfer::Srgb,
            },
            PixelFormat::Grey => {
                Color { matrix, range: ColorRange::Full, transfer: ColorTransfer::Srgb }
            }
            PixelFormat::Nv12 | PixelFormat::I420 | PixelFormat::Yuyv => {
                Color { matrix, range: ColorRange::Limited, transfer: ColorTransfer::Bt709 }
            }
        }
    }

    /// Writes this into a descriptor.
    pub fn apply(&self, descriptor: &mut FrameDescriptor) {
        descriptor.color_matrix = self.matrix.number();
        descriptor.color_range = self.range.number();
        descriptor.color_transfer = self.transfer.number();
    }

    /// The matrix to convert with; one that is not stated is taken as the usual one.
    pub(crate) fn yuv_matrix(&self, height: u32) -> YuvStandardMatrix {
        match self.matrix {
            ColorMatrix::Bt601 => YuvStandardMatrix::Bt601,
            ColorMatrix::Bt709 => YuvStandardMatrix::Bt709,
            ColorMatrix::Bt2020 => YuvStandardMatrix::Bt2020,
            ColorMatrix::Unspecified | ColorMatrix::Rgb if height < 720 => YuvStandardMatrix::Bt601,
            ColorMatrix::Unspecified | ColorMatrix::Rgb => YuvStandardMatrix::Bt709,
        }
    }

    /// The range to convert with; one that is not stated is taken as limited.
    pub(crate) fn yuv_range(&self) -> YuvRange {
        match self.range {
            ColorRange::Full => YuvRange::Full,
            ColorRange::Limited | ColorRange::Unspecified => YuvRange::Limited,
        }
    }
}
