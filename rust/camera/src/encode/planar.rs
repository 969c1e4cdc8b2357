//! A frame as the three planes that software encoders take, in place as far as it goes.

use super::readable::Readable;
use crate::color::Color;
use crate::error::Result;
use framelane::{ColorMatrix, ColorRange, ColorTransfer, Error, ErrorKind, Frame, PixelFormat};
use yuv::BufferStoreMut::Borrowed;
use yuv::{YuvConversionMode, YuvPackedImage, YuvPlanarImageMut};

/// Planes Y, U and V of 4:2:0 with even sides.
pub(super) struct Planar<'a> {
    pub width: usize,
    pub height: usize,
    pub planes: [&'a [u8]; 3],
    pub strides: [usize; 3],
}

/// Gets the planes out of frames; keeps the memory it needs for that.
#[derive(Default)]
pub(super) struct Planes {
    /// What is converted.
    scratch: Vec<u8>,
    /// What is copied out of device memory.
    device: Readable,
    /// Bytes copied or converted.
    pub copied: u64,
}

/// One plane where it lies.
#[derive(Clone, Copy)]
struct Found<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl Planes {
    /// The planes of a frame. I420 and the luma of NV12 and grey pictures are read in place. A
    /// last column or row that has no second one is left out.
    ///
    /// # Errors
    /// `Unsupported` for a format without a way to 4:2:0; `Protocol` for planes that do not hold
    /// the picture; what reading the frame fails with.
    pub fn of<'a>(&'a mut self, frame: &'a Frame) -> Result<Planar<'a>> {
        let descriptor = frame.descriptor();
        let format =
            PixelFormat::from_number(descriptor.fourcc).filter(|_| descriptor.modifier == 0);
        let Some(format) = format else {
            let text = format!("pixels of format {:#010x} cannot be encoded", descriptor.fourcc);
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        let (width, height) = (descriptor.width as usize & !1, descriptor.height as usize & !1);
        let Planes { scratch, device, copied } = self;
        let found = find(frame, device, copied, &needed(format, width, height))?;
        let chroma = width / 2 * (height / 2);
        let (half, full) = (width / 2, width * height);
        let converted = match format {
            PixelFormat::I420 => 0,
            PixelFormat::Nv12 | PixelFormat::Grey => 2 * chroma,
            _ => full + 2 * chroma,
        };
        scratch.resize(converted, 128);
        *copied += converted as u64;
        let color = color_of(frame, format);
        match format {
            PixelFormat::I420 => {}
            PixelFormat::Grey => scratch.fill(128),
            PixelFormat::Nv12 => take_apart(found[1], half, scratch.split_at_mut(chroma)),
            _ => convert(format, found[0], (width, height), scratch, color)?,
        }
        let [y, u, v] = found;
        let rest = &scratch[..];
        let (planes, strides) = match format {
            PixelFormat::I420 => ([y.bytes, u.bytes, v.bytes], [y.stride, u.stride, v.stride]),
            PixelFormat::Nv12 | PixelFormat::Grey => {
                ([y.bytes, &rest[..chroma], &rest[chroma..]], [y.stride, half, half])
            }
            _ => {
                let (u, v) = rest[full..].split_at(chroma);
                ([&rest[..full], u, v], [width, half, half])
            }
        };
        Ok(Planar { width, height, planes, strides })
    }
}

/// Bytes of a row and rows of each plane that are read.
fn needed(format: PixelFormat, width: usize, height: usize) -> Vec<(usize, usize)> {
    match format {
        PixelFormat::Grey => vec![(width, height)],
        PixelFormat::I420 => {
            vec![(width, height), (width / 2, height / 2), (width / 2, height / 2)]
        }
        PixelFormat::Nv12 => vec![(width, height), (width, height / 2)],
        PixelFormat::Yuyv => vec![(width * 2, height)],
        PixelFormat::Rgb24 | PixelFormat::Bgr24 => vec![(width * 3, height)],
    }
}

fn find<'a>(
    frame: &'a Frame,
    device: &'a mut Readable,
    copied: &mut u64,
    needed: &[(usize, usize)],
) -> Result<[Found<'a>; 3]> {
    *copied += device.take(frame, needed.len())?;
    let device: &Readable = device;
    let mut found = [Found { bytes: &[], stride: 0 }; 3];
    for (index, (into, &(row, rows))) in found.iter_mut().zip(needed).enumerate() {
        let bytes = device.plane(frame, index)?;
        let stride = frame.descriptor().planes[index].stride_bytes as usize;
        let bytes = stride.checked_mul(rows).and_then(|size| bytes.get(..size));
        let Some(bytes) = bytes.filter(|_| stride >= row) else {
            let text = format!("plane {index} does not hold {rows} rows of {row} bytes");
            return Err(Error::new(ErrorKind::Protocol, text));
        };
        *into = Found { bytes, stride };
    }
    Ok(found)
}

/// U and V out of a plane where they alternate.
fn take_apart(from: Found<'_>, half: usize, (u, v): (&mut [u8], &mut [u8])) {
    let rows = u.chunks_exact_mut(half.max(1)).zip(v.chunks_exact_mut(half.max(1)));
    for (pairs, (u, v)) in from.bytes.chunks(from.stride.max(1)).zip(rows) {
        for (pair, (u, v)) in pairs.chunks_exact(2).zip(u.iter_mut().zip(v)) {
            (*u, *v) = (pair[0], pair[1]);
        }
    }
}

fn convert(
    format: PixelFormat,
    from: Found<'_>,
    (width, height): (usize, usize),
    into: &mut [u8],
    color: Color,
) -> Result<()> {
    let (y, chroma) = into.split_at_mut(width * height);
    let (u, v) = chroma.split_at_mut(width / 2 * (height / 2));
    let (width, height) = (width as u32, height as u32);
    let mut planar = YuvPlanarImageMut {
        y_plane: Borrowed(y),
        y_stride: width,
        u_plane: Borrowed(u),
        u_stride: width / 2,
        v_plane: Borrowed(v),
        v_stride: width / 2,
        width,
        height,
    };
    let stride = from.stride as u32;
    let (range, matrix) = (color.yuv_range(), color.yuv_matrix(height));
    let mode = YuvConversionMode::Balanced;
    let done = match format {
        PixelFormat::Yuyv => {
            let packed = YuvPackedImage { yuy: from.bytes, yuy_stride: stride, width, height };
            yuv::yuyv422_to_yuv420(&mut planar, &packed)
        }
        PixelFormat::Bgr24 => {
            yuv::bgr_to_yuv420(&mut planar, from.bytes, stride, range, matrix, mode)
        }
        _ => yuv::rgb_to_yuv420(&mut planar, from.bytes, stride, range, matrix, mode),
    };
    done.map_err(|error| Error::new(ErrorKind::Internal, format!("converting a frame: {error}")))
}

/// What the samples of the three planes mean: as the frame says, or for one that says nothing, or
/// that has to be converted, what is usual for its size.
pub(super) fn color_of(frame: &Frame, format: PixelFormat) -> Color {
    let descriptor = frame.descriptor();
    let usual = Color::usual(PixelFormat::I420, descriptor.height);
    if matches!(format, PixelFormat::Rgb24 | PixelFormat::Bgr24) {
        return usual;
    }
    let matrix = ColorMatrix::from_number(descriptor.color_matrix);
    let known =
        |matrix: &ColorMatrix| !matches!(matrix, ColorMatrix::Rgb | ColorMatrix::Unspecified);
    let range = ColorRange::from_number(descriptor.color_range);
    let transfer = ColorTransfer::from_number(descriptor.color_transfer);
    Color {
        matrix: matrix.filter(known).unwrap_or(usual.matrix),
        range: range.filter(|&range| range != ColorRange::Unspecified).unwrap_or(usual.range),
        transfer: transfer.unwrap_or(usual.transfer),
    }
}
