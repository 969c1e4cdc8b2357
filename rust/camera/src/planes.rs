//! The planes of a picture as slices.

use crate::error::{Result, invalid};
use framelane::{Error, ErrorKind, FrameLayout, PixelFormat};

/// Splits the start of `payload` into the planes of `layout`, unused ones empty. The layout is one
/// of the SDK's own: its planes follow each other without gaps.
///
/// # Errors
/// `TooLarge` when the picture does not fit.
pub(crate) fn split<'a>(layout: &FrameLayout, payload: &'a mut [u8]) -> Result<[&'a mut [u8]; 3]> {
    let room = payload.len();
    let mut rest = payload;
    let mut planes = [&mut [] as &mut [u8], &mut [], &mut []];
    for (into, plane) in planes.iter_mut().zip(&layout.planes[..layout.plane_count.into()]) {
        let split = rest.split_at_mut_checked(plane.size_bytes as usize);
        (*into, rest) = split.ok_or_else(|| no_room(layout, room))?;
    }
    Ok(planes)
}

/// A picture whose first plane has `stride` bytes from one row to the next. The rows of the other
/// planes follow from that, as V4L2 has it, and planes follow each other without gaps.
///
/// # Errors
/// `InvalidArgument` for a stride that no row fits in, or that does not divide by the others'.
pub fn strided(format: PixelFormat, width: u32, height: u32, stride: u32) -> Result<FrameLayout> {
    let mut layout = FrameLayout::new(format, width, height)?;
    let first = layout.planes[0].stride_bytes;
    layout.total_bytes = 0;
    for plane in &mut layout.planes[..layout.plane_count.into()] {
        let ratio = first.div_ceil(plane.stride_bytes).max(1);
        if stride < first || !stride.is_multiple_of(ratio) || stride / ratio < plane.stride_bytes {
            let text = format!("rows of {width} pixels do not fit a stride of {stride}");
            return Err(invalid(text));
        }
        plane.stride_bytes = stride / ratio;
        plane.size_bytes = u64::from(plane.stride_bytes) * u64::from(plane.rows);
        plane.offset_bytes = layout.total_bytes;
        layout.total_bytes += plane.size_bytes;
    }
    Ok(layout)
}

/// The error for a payload of `room` bytes that a picture does not fit in.
pub(crate) fn no_room(layout: &FrameLayout, room: usize) -> Error {
    let text = format!("a picture of {} bytes does not fit in {room}", layout.total_bytes);
    Error::new(ErrorKind::TooLarge, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_chroma_follow_from_those_of_luma() {
        let found = |format, width, stride| {
            let layout = strided(format, width, 4, stride).unwrap();
            let planes = layout.planes.map(|plane| (plane.offset_bytes, plane.stride_bytes));
            (planes, layout.total_bytes)
        };
        let (planes, total) = found(PixelFormat::I420, 780, 832);
        assert_eq!(planes[..3], [(0, 832), (3328, 416), (4160, 416)]);
        assert_eq!(total, 832 * 6);
        let (planes, total) = found(PixelFormat::Nv12, 780, 832);
        assert_eq!((planes[1], total), ((3328, 832), 832 * 6));
        assert_eq!(found(PixelFormat::Rgb24, 5, 16), ([(0, 16), (0, 0), (0, 0), (0, 0)], 64));
        for stride in [779, 781] {
            let error = strided(PixelFormat::I420, 780, 4, stride).unwrap_err();
            assert!(error.to_string().contains("a stride of"), "{error}");
        }
    }
}
