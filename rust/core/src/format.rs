//! Geometry of the pixel formats that the SDK lays out by itself.

use crate::error::{Error, Result, invalid};
use crate::layout::{ErrorKind, FrameDescriptor, MemoryKind, PixelFormat, Plane};

/// Where the planes of a picture lie in one block of memory. Offsets, strides and sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameLayout {
    /// DRM four-character code.
    pub fourcc: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Planes in use.
    pub plane_count: u8,
    /// The planes; unused ones are zero.
    pub planes: [Plane; 4],
    /// Size of the whole picture in bytes.
    pub total_bytes: u64,
}

impl FrameLayout {
    /// A picture whose rows follow each other without padding.
    ///
    /// # Errors
    /// `InvalidArgument` for a width or height of 0 and for an odd width of YUYV; `TooLarge` when
    /// the picture does not fit a u32 stride or the address space.
    pub fn new(format: PixelFormat, width: u32, height: u32) -> Result<Self> {
        Self::with_stride_align(format, width, height, 1)
    }

    /// A picture whose rows start at multiples of `align` bytes.
    ///
    /// # Errors
    /// As [`new`](Self::new); `InvalidArgument` for an alignment that is no power of two.
    pub fn with_stride_align(
        format: PixelFormat,
        width: u32,
        height: u32,
        align: u32,
    ) -> Result<Self> {
        if width == 0 || height == 0 {
            return Err(invalid(format!("a picture of {width}x{height} has no pixels")));
        }
        if !align.is_power_of_two() {
            return Err(invalid(format!("stride alignment {align} is no power of two")));
        }
        if format == PixelFormat::Yuyv && width % 2 != 0 {
            return Err(invalid(format!("YUYV pairs pixels, a width of {width} is odd")));
        }
        let too_large = || {
            let text = format!("a {} picture of {width}x{height} is too large", format.label());
            Error::new(ErrorKind::TooLarge, text)
        };
        let (planes, count) = rows(format, width, height);
        let mut layout = FrameLayout {
            fourcc: format.number(),
            width,
            height,
            plane_count: count as u8,
            planes: [NO_PLANE; 4],
            total_bytes: 0,
        };
        for (plane, (row_bytes, rows)) in layout.planes.iter_mut().zip(planes).take(count) {
            let stride = row_bytes.checked_next_multiple_of(align.into()).ok_or_else(too_large)?;
            plane.stride_bytes = u32::try_from(stride).map_err(|_| too_large())?;
            plane.rows = rows;
            plane.size_bytes = stride * u64::from(rows);
            plane.offset_bytes = layout.total_bytes;
            layout.total_bytes += plane.size_bytes;
        }
        if layout.total_bytes > isize::MAX as u64 {
            return Err(too_large());
        }
        Ok(layout)
    }

    /// Writes this geometry into a descriptor of an inline frame.
    pub fn apply(&self, descriptor: &mut FrameDescriptor) {
        descriptor.fourcc = self.fourcc;
        descriptor.width = self.width;
        descriptor.height = self.height;
        descriptor.plane_count = self.plane_count;
        descriptor.planes = self.planes;
        descriptor.memory_kind = MemoryKind::Inline.number();
    }
}

const NO_PLANE: Plane = Plane {
    offset_bytes: 0,
    size_bytes: 0,
    physical_address: 0,
    stride_bytes: 0,
    rows: 0,
    share_id: -1,
    buffer_index: -1,
    reserved: 0,
};

/// Bytes in a row and rows of each plane. Chroma of odd sizes is rounded up.
fn rows(format: PixelFormat, width: u32, height: u32) -> ([(u64, u32); 3], usize) {
    let wide = u64::from(width);
    let (half_width, half_height) = (wide.div_ceil(2), height.div_ceil(2));
    let none = (0, 0);
    match format {
        PixelFormat::Grey => ([(wide, height), none, none], 1),
        PixelFormat::Rgb24 | PixelFormat::Bgr24 => ([(wide * 3, height), none, none], 1),
        PixelFormat::Yuyv => ([(wide * 2, height), none, none], 1),
        PixelFormat::Nv12 => ([(wide, height), (half_width * 2, half_height), none], 2),
        PixelFormat::I420 => {
            let chroma = (half_width, half_height);
            ([(wide, height), chroma, chroma], 3)
        }
    }
}

impl PixelFormat {
    /// Reads a name as people write it, in either case: `nv12`, `I420`, `yuyv`, `rgb24`, ...
    ///
    /// # Errors
    /// `InvalidArgument` that lists the names.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|format| format.label().eq_ignore_ascii_case(name));
        found.copied().ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|format| format.label()).collect();
            invalid(format!("pixel format {name:?}; known are {}", known.join(", ")))
        })
    }

    /// The name people write.
    pub fn label(self) -> &'static str {
        match self {
            PixelFormat::Grey => "grey",
            PixelFormat::I420 => "i420",
            PixelFormat::Nv12 => "nv12",
            PixelFormat::Rgb24 => "rgb24",
            PixelFormat::Bgr24 => "bgr24",
            PixelFormat::Yuyv => "yuyv",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_pictures_have_their_known_sizes() {
        let bytes = |format, w, h| FrameLayout::new(format, w, h).unwrap().total_bytes;
        assert_eq!(bytes(PixelFormat::Nv12, 640, 480), 460_800);
        assert_eq!(bytes(PixelFormat::Nv12, 3840, 2160), 12_441_600);
        assert_eq!(bytes(PixelFormat::I420, 3, 3), 9 + 4 + 4);
        assert_eq!(bytes(PixelFormat::Nv12, 3, 3), 9 + 8);
        assert_eq!(bytes(PixelFormat::Rgb24, 5, 2), 30);
        assert_eq!(bytes(PixelFormat::Yuyv, 4, 2), 16);
        assert_eq!(bytes(PixelFormat::Grey, 1, 1), 1);
    }

    #[test]
    fn impossible_pictures_are_refused_with_their_reason() {
        let kind = |format, w, h| FrameLayout::new(format, w, h).unwrap_err().kind();
        assert_eq!(kind(PixelFormat::Nv12, 0, 480), ErrorKind::InvalidArgument);
        assert_eq!(kind(PixelFormat::Nv12, 640, 0), ErrorKind::InvalidArgument);
        assert_eq!(kind(PixelFormat::Yuyv, 3, 2), ErrorKind::InvalidArgument);
        assert_eq!(kind(PixelFormat::Rgb24, u32::MAX, 2), ErrorKind::TooLarge);
        assert!(FrameLayout::with_stride_align(PixelFormat::Grey, 4, 4, 3).is_err());
        let text = PixelFormat::parse("nv21").unwrap_err().to_string();
        assert!(text.contains("nv12"), "{text}");
        assert_eq!(PixelFormat::parse("NV12").unwrap(), PixelFormat::Nv12);
    }

    proptest! {
        #[test]
        fn planes_follow_each_other_and_hold_every_row(
            index in 0..PixelFormat::ALL.len(),
            width in 1u32..5000,
            height in 1u32..5000,
            align in (0u32..9).prop_map(|n| 1 << n),
        ) {
            let format = PixelFormat::ALL[index];
            let width = if format == PixelFormat::Yuyv { width.next_multiple_of(2) } else { width };
            let layout = FrameLayout::with_stride_align(format, width, height, align).unwrap();
            let mut end = 0;
            for plane in &layout.planes[..layout.plane_count.into()] {
                prop_assert_eq!(plane.offset_bytes, end);
                prop_assert_eq!(plane.stride_bytes % align, 0);
                prop_assert_eq!(
                    plane.size_bytes, u64::from(plane.stride_bytes) * u64::from(plane.rows)
                );
                end += plane.size_bytes;
            }
            prop_assert_eq!(end, layout.total_bytes);
        }
    }
}
