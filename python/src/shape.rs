//! Pictures as arrays: which shape and strides the bytes of a plane have.

use framelane::{FrameDescriptor, PixelFormat, Plane};

/// Dimensions of an array of bytes, outermost first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    pub dimensions: usize,
    pub counts: [isize; 3],
    pub strides: [isize; 3],
}

impl Shape {
    /// All bytes in a row.
    pub fn flat(bytes: usize) -> Self {
        Shape { dimensions: 1, counts: [bytes as isize, 0, 0], strides: [1, 0, 0] }
    }

    fn rows(rows: u32, stride: u32, samples: u64, channels: u64) -> Self {
        let (rows, stride) = (rows as isize, stride as isize);
        let (samples, channels) = (samples as isize, channels as isize);
        if channels == 1 {
            return Shape { dimensions: 2, counts: [rows, samples, 0], strides: [stride, 1, 0] };
        }
        Shape { dimensions: 3, counts: [rows, samples, channels], strides: [stride, channels, 1] }
    }

    pub fn counts(&self) -> &[isize] {
        &self.counts[..self.dimensions]
    }

    pub fn strides(&self) -> &[isize] {
        &self.strides[..self.dimensions]
    }

    /// Bytes of the array, padding left out.
    pub fn bytes(&self) -> isize {
        self.counts().iter().product()
    }

    /// Whether the bytes follow each other without a gap.
    pub fn is_contiguous(&self) -> bool {
        let mut expected = 1;
        for (count, stride) in self.counts().iter().zip(self.strides()).rev() {
            if *count > 1 && *stride != expected {
                return false;
            }
            expected *= count;
        }
        true
    }
}

/// Samples in a row of a plane, and bytes of each.
fn samples(format: Option<PixelFormat>, width: u32, index: usize) -> Option<(u64, u64)> {
    let (wide, half) = (u64::from(width), u64::from(width).div_ceil(2));
    match (format?, index) {
        (PixelFormat::Grey, 0) | (PixelFormat::Nv12 | PixelFormat::I420, 0) => Some((wide, 1)),
        (PixelFormat::Rgb24 | PixelFormat::Bgr24, 0) => Some((wide, 3)),
        (PixelFormat::Yuyv, 0) => Some((wide, 2)),
        (PixelFormat::Nv12, 1) => Some((half, 2)),
        (PixelFormat::I420, _) => Some((half, 1)),
        _ => None,
    }
}

/// One plane. Where the format is none of ours, rows of bytes; where even these do not fit the
/// plane, all bytes in a row. Whatever a descriptor says, the array stays inside `size_bytes`.
pub fn of_plane(what: &FrameDescriptor, index: usize) -> Shape {
    let plane = &what.planes[index];
    let stride = u64::from(plane.stride_bytes);
    let format = PixelFormat::from_number(what.fourcc);
    let (samples, channels) = samples(format, what.width, index).unwrap_or((stride, 1));
    let row = samples * channels;
    let fits = plane.rows > 0
        && row > 0
        && row <= stride
        && (u64::from(plane.rows) - 1) * stride + row <= plane.size_bytes;
    if fits {
        Shape::rows(plane.rows, plane.stride_bytes, samples, channels)
    } else {
        Shape::flat(plane.size_bytes as usize)
    }
}

/// The whole picture as one array, and how many planes it spans: the plane of a format that has
/// one; of NV12 and I420 the form that image libraries convert from, height * 3 / 2 rows of luma
/// and chroma, where the planes lie like that.
pub fn of_picture(what: &FrameDescriptor) -> Option<(Shape, usize)> {
    let count = usize::from(what.plane_count);
    if count == 1 {
        return Some((of_plane(what, 0), 1));
    }
    let chroma_width = match PixelFormat::from_number(what.fourcc)? {
        PixelFormat::Nv12 if count == 2 => what.planes[0].stride_bytes,
        // Two rows of half the width make one.
        PixelFormat::I420 if count == 3 && what.planes[0].stride_bytes == what.width => {
            what.width / 2
        }
        _ => return None,
    };
    let planes = &what.planes[..count];
    let even = what.width % 2 == 0 && what.height % 2 == 0;
    let rows = |index: usize| if index == 0 { what.height } else { what.height / 2 };
    let strides = |index: usize| if index == 0 { planes[0].stride_bytes } else { chroma_width };
    let regular = planes.iter().enumerate().all(|(index, plane)| {
        plane.rows == rows(index)
            && plane.stride_bytes == strides(index)
            && plane.size_bytes == u64::from(plane.rows) * u64::from(plane.stride_bytes)
    });
    let adjoining = planes.windows(2).all(|pair| follows(&pair[0], &pair[1]));
    let fits = what.height > 0 && what.width > 0 && what.width <= planes[0].stride_bytes;
    let rows = what.height.checked_add(what.height / 2)?;
    (even && regular && adjoining && fits)
        .then(|| (Shape::rows(rows, planes[0].stride_bytes, what.width.into(), 1), count))
}

fn follows(first: &Plane, second: &Plane) -> bool {
    let end = first.offset_bytes.checked_add(first.size_bytes);
    first.buffer_index == second.buffer_index && end == Some(second.offset_bytes)
}
