//! Pictures from one pixel format into another, written straight into their planes.

use crate::color::Color;
use crate::error::Result;
use crate::planes;
use framelane::{Error, ErrorKind, FrameLayout, PixelFormat};
use yuv::BufferStoreMut::Borrowed;
use yuv::{
    YuvBiPlanarImageMut, YuvChromaSubsampling, YuvConversionMode, YuvError, YuvGrayImageMut,
    YuvPackedImageMut, YuvPlanarImage, YuvPlanarImageMut,
};

/// Converts to one format and colour; keeps the memory it needs on the way.
pub(crate) struct Converter {
    format: PixelFormat,
    layout: FrameLayout,
    color: Color,
    /// Planes of 4:2:2, where the library has no direct way to YUYV.
    halfway: Option<YuvPlanarImageMut<'static, u8>>,
}

impl Converter {
    /// A converter into pictures of `format`, `width` and `height` without padding.
    pub(crate) fn new(format: PixelFormat, width: u32, height: u32, color: Color) -> Result<Self> {
        let layout = FrameLayout::new(format, width, height)?;
        Ok(Converter { format, layout, color, halfway: None })
    }

    pub(crate) fn layout(&self) -> &FrameLayout {
        &self.layout
    }

    /// From bytes R, G, B without padding.
    pub(crate) fn rgb(&mut self, rgb: &[u8], payload: &mut [u8]) -> Result<()> {
        let (width, height) = (self.layout.width, self.layout.height);
        let (range, matrix) = (self.color.yuv_range(), self.color.yuv_matrix(height));
        let mode = YuvConversionMode::Balanced;
        let stride = width * 3;
        let [first, second, third] = planes::split(&self.layout, payload)?;
        match self.format {
            PixelFormat::Rgb24 => first.copy_from_slice(same_size(rgb, first)?),
            PixelFormat::Bgr24 => swap_red_and_blue(same_size(rgb, first)?, first),
            PixelFormat::Grey => {
                let y_plane = Borrowed(first);
                let mut grey = YuvGrayImageMut { y_plane, y_stride: width, width, height };
                yuv::rgb_to_yuv400(&mut grey, rgb, stride, range, matrix).map_err(failed)?;
            }
            PixelFormat::Nv12 => {
                let mut picture = nv12(&self.layout, first, second);
                yuv::rgb_to_yuv_nv12(&mut picture, rgb, stride, range, matrix, mode)
                    .map_err(failed)?;
            }
            PixelFormat::I420 => {
                let mut picture = i420(&self.layout, first, second, third);
                yuv::rgb_to_yuv420(&mut picture, rgb, stride, range, matrix, mode)
                    .map_err(failed)?;
            }
            PixelFormat::Yuyv => {
                let halfway = self.halfway.get_or_insert_with(|| {
                    YuvPlanarImageMut::alloc(width, height, YuvChromaSubsampling::Yuv422)
                });
                yuv::rgb_to_yuv422(halfway, rgb, stride, range, matrix, mode).map_err(failed)?;
                let mut packed = yuyv(&self.layout, first);
                yuv::yuv422_to_yuyv422(&mut packed, &halfway.to_fixed()).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// From planes Y, U and V of 4:2:0 without padding, one after the other.
    pub(crate) fn i420(&mut self, source: &[u8], payload: &mut [u8]) -> Result<()> {
        let (width, height) = (self.layout.width, self.layout.height);
        let (range, matrix) = (self.color.yuv_range(), self.color.yuv_matrix(height));
        let from = FrameLayout::new(PixelFormat::I420, width, height)?;
        if source.len() as u64 != from.total_bytes {
            return Err(broken(format!("{} bytes of 4:2:0", source.len())));
        }
        let (y, chroma) = source.split_at(from.planes[0].size_bytes as usize);
        let (u, v) = chroma.split_at(from.planes[1].size_bytes as usize);
        let (y_stride, chroma_stride) = (width, from.planes[1].stride_bytes);
        let planar = YuvPlanarImage {
            y_plane: y,
            y_stride,
            u_plane: u,
            u_stride: chroma_stride,
            v_plane: v,
            v_stride: chroma_stride,
            width,
            height,
        };
        let [first, second, third] = planes::split(&self.layout, payload)?;
        match self.format {
            PixelFormat::I420 => {
                first.copy_from_slice(y);
                second.copy_from_slice(u);
                third.copy_from_slice(v);
            }
            PixelFormat::Grey => first.copy_from_slice(y),
            PixelFormat::Nv12 => {
                first.copy_from_slice(y);
                for (pair, (&u, &v)) in second.chunks_exact_mut(2).zip(u.iter().zip(v)) {
                    pair.copy_from_slice(&[u, v]);
                }
            }
            PixelFormat::Yuyv => {
                let mut packed = yuyv(&self.layout, first);
                yuv::yuv420_to_yuyv422(&mut packed, &planar).map_err(failed)?;
            }
            PixelFormat::Rgb24 => {
                yuv::yuv420_to_rgb(&planar, first, width * 3, range, matrix).map_err(failed)?;
            }
            PixelFormat::Bgr24 => {
                yuv::yuv420_to_bgr(&planar, first, width * 3, range, matrix).map_err(failed)?;
            }
        }
        Ok(())
    }
}

fn nv12<'a>(
    layout: &FrameLayout,
    y: &'a mut [u8],
    uv: &'a mut [u8],
) -> YuvBiPlanarImageMut<'a, u8> {
    YuvBiPlanarImageMut {
        y_plane: Borrowed(y),
        y_stride: layout.planes[0].stride_bytes,
        uv_plane: Borrowed(uv),
        uv_stride: layout.planes[1].stride_bytes,
        width: layout.width,
        height: layout.height,
    }
}

fn i420<'a>(
    layout: &FrameLayout,
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
) -> YuvPlanarImageMut<'a, u8> {
    YuvPlanarImageMut {
        y_plane: Borrowed(y),
        y_stride: layout.planes[0].stride_bytes,
        u_plane: Borrowed(u),
        u_stride: layout.planes[1].stride_bytes,
        v_plane: Borrowed(v),
        v_stride: layout.planes[2].stride_bytes,
        width: layout.width,
        height: layout.height,
    }
}

fn yuyv<'a>(layout: &FrameLayout, packed: &'a mut [u8]) -> YuvPackedImageMut<'a, u8> {
    YuvPackedImageMut {
        yuy: Borrowed(packed),
        yuy_stride: layout.planes[0].stride_bytes,
        width: layout.width,
        height: layout.height,
    }
}

fn swap_red_and_blue(from: &[u8], into: &mut [u8]) {
    for (from, into) in from.chunks_exact(3).zip(into.chunks_exact_mut(3)) {
        into.copy_from_slice(&[from[2], from[1], from[0]]);
    }
}

fn same_size<'a>(from: &'a [u8], into: &[u8]) -> Result<&'a [u8]> {
    if from.len() == into.len() {
        return Ok(from);
    }
    Err(broken(format!("{} bytes of RGB for a picture of {}", from.len(), into.len())))
}

/// Geometry is ours on both sides, so a refusal is a bug here.
fn failed(error: YuvError) -> Error {
    broken(error.to_string())
}

fn broken(text: String) -> Error {
    Error::new(ErrorKind::Internal, format!("converting a picture: {text}"))
}

#[cfg(test)]
mod tests;
