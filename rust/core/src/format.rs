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
            plane.size_bytes = stride * u64::from(rows); // below 2^64: both are u32
            plane.offset_bytes = layout.total_bytes;
            let end = layout.total_bytes.checked_add(plane.size_bytes);
            layout.total_bytes =
                end.filter(|&end| end <= isize::MAX as u64).ok_or_else(too_large)?;
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
        let most = u32::MAX - 1;
        assert_eq!(kind(PixelFormat::I420, most, most), ErrorKind::TooLarge, "the sum overflows");
        assert!(FrameLayout::with_stride_align(PixelFormat::Grey, 4, 4, 3).is_err());
        let text = PixelFormat::parse("nv21").unwrap_err().to_string();
        assert!(text.contains("nv12"), "{text}");
        assert_eq!(PixelFormat::parse("NV12").unwrap(), PixelFormat::Nv12);
    }

    /// What the format's definition says, written down a second time.
    fn expected_bytes(format: PixelFormat, width: u128, height: u128) -> u128 {
        let chroma = width.div_ceil(2) * height.div_ceil(2);
        match format {
            PixelFormat::Grey => width * height,
            PixelFormat::Rgb24 | PixelFormat::Bgr24 => width * height * 3,
            PixelFormat::Yuyv => width * height * 2,
            PixelFormat::Nv12 | PixelFormat::I420 => width * height + 2 * chroma,
        }
    }

    fn any_format() -> impl Strategy<Value = PixelFormat> {
        (0..PixelFormat::ALL.len()).prop_map(|index| PixelFormat::ALL[index])
    }

    /// Small, odd, near every power of two, and as large as it gets.
    fn any_side() -> impl Strategy<Value = u32> {
        prop_oneof![
            1u32..70,
            (4u32..32, -2i64..3).prop_map(|(bits, near)| ((1i64 << bits) + near) as u32),
            (u32::MAX - 4)..=u32::MAX,
        ]
    }

    #[test]
    fn a_descriptor_says_what_the_layout_says() {
        let layout = FrameLayout::with_stride_align(PixelFormat::I420, 33, 17, 64).unwrap();
        let mut descriptor = FrameDescriptor::ZERO;
        layout.apply(&mut descriptor);
        assert_eq!((descriptor.width, descriptor.height), (33, 17));
        assert_eq!(descriptor.fourcc.to_le_bytes(), *b"YU12");
        assert_eq!(descriptor.plane_count, 3);
        assert_eq!(descriptor.planes, layout.planes);
        let strides = layout.planes.map(|plane| plane.stride_bytes);
        assert_eq!(strides, [64, 64, 64, 0]);
        assert_eq!(layout.planes.map(|plane| plane.rows), [17, 9, 9, 0]);
        assert!(layout.planes.iter().all(|plane| (plane.share_id, plane.buffer_index) == (-1, -1)));
    }

    proptest! {
        #[test]
        fn any_size_gives_exact_planes_or_a_reason(
            format in any_format(),
            width in any_side(),
            height in any_side(),
            align in (0u32..32).prop_map(|n| 1 << n),
        ) {
            let layout = match FrameLayout::with_stride_align(format, width, height, align) {
                Ok(layout) => layout,
                Err(error) if format == PixelFormat::Yuyv && width % 2 != 0 => {
                    prop_assert_eq!(error.kind(), ErrorKind::InvalidArgument);
                    return Ok(());
                }
                Err(error) => {
                    prop_assert_eq!(error.kind(), ErrorKind::TooLarge);
                    let bytes = expected_bytes(format, width.into(), height.into());
                    let row = u128::from(width) * 3;
                    let padded = row.next_multiple_of(align.into());
                    let all = bytes.max(padded * u128::from(height) * 3);
                    prop_assert!(padded > u32::MAX.into() || all > isize::MAX as u128, "{}", error);
                    return Ok(());
                }
            };
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
            if align == 1 {
                let bytes = expected_bytes(format, width.into(), height.into());
                prop_assert_eq!(u128::from(layout.total_bytes), bytes);
            }
        }
    }
}
