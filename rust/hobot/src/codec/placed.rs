//! Where the codec finds a picture that it reads in place.

use crate::describe::{Described, described};
use crate::error::Result;
use framelane::{Error, ErrorKind, FrameDescriptor, PixelFormat};
use framelane_hobot_sys::Format;

/// Where a picture of two or three planes is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Bus address of each plane.
    pub physical: [u64; 3],
    /// Where it is mapped in this process; the codec only asks that there is something.
    pub mapped: usize,
    /// Bytes from one row of luma to the next.
    pub stride: u32,
}

impl Placed {
    /// The picture of a frame in camera memory, with the address and the bytes of each of its
    /// planes as they are mapped here: the codec reads by bus address, where no page table stops
    /// it, so that all it will read must lie in what could be mapped.
    ///
    /// # Errors
    /// `Unsupported` for one that is of another format, `Protocol` for one whose two descriptions
    /// do not agree, or whose rows are not all in its planes.
    pub fn of(descriptor: &FrameDescriptor, mapped: &[(usize, usize)]) -> Result<Placed> {
        let format = match described(descriptor)? {
            Described::Graphic(buffer) => buffer.format,
            Described::Common(_) => -1,
        };
        // By what the width and the stride of each plane are divided, and its rows.
        let (named, shares): (_, &[(u32, u32)]) = match format {
            Format::NV12 => (PixelFormat::Nv12, &[(1, 1), (1, 2)]),
            Format::YUV420P => (PixelFormat::I420, &[(1, 1), (2, 2), (2, 2)]),
            _ => {
                let text = "the codec reads NV12 and I420 pictures of camera memory only";
                return Err(Error::new(ErrorKind::Unsupported, text).into());
            }
        };
        let wrong = |text: String| Err(Error::new(ErrorKind::Protocol, text).into());
        if descriptor.fourcc != named.number() || mapped.len() != shares.len() {
            let (label, count) = (named.label(), mapped.len());
            return wrong(format!("a frame whose buffer is of {label}, with {count} planes"));
        }
        let planes = &descriptor.planes;
        let stride = planes[0].stride_bytes;
        for (index, (&(_, bytes), &(across, down))) in mapped.iter().zip(shares).enumerate() {
            let (row, rows) = (stride / across, descriptor.height / down);
            let room = usize::try_from(u64::from(row) * u64::from(rows)).unwrap_or(usize::MAX);
            let whole = row >= descriptor.width / across && room <= bytes;
            if !whole || planes[index].stride_bytes != row {
                let text = format!("{rows} rows of {row} bytes are not plane {index} of {bytes}");
                return wrong(text);
            }
        }
        Ok(Placed {
            physical: [0, 1, 2].map(|plane| planes[plane].physical_address),
            mapped: mapped[0].0,
            stride,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::describe_picture;
    use framelane_hobot_sys::GraphicBuf;

    fn picture(format: i32) -> (FrameDescriptor, Vec<(usize, usize)>) {
        let sizes = if format == Format::NV12 {
            [704 * 480, 704 * 240, 0]
        } else {
            [704 * 480, 352 * 240, 352 * 240]
        };
        let buffer = GraphicBuf {
            plane_cnt: if format == Format::NV12 { 2 } else { 3 },
            format,
            width: 640,
            height: 480,
            stride: 704,
            is_contig: 1,
            share_id: [7, 0, 0],
            size: sizes,
            phys_addr: [4096, 8192, 16384],
            ..GraphicBuf::ZERO
        };
        let mapped = sizes.iter().filter(|&&size| size > 0).map(|&size| (64, size as usize));
        (describe_picture(&buffer).unwrap(), mapped.collect())
    }

    #[test]
    fn a_picture_is_where_its_buffer_says() {
        for format in [Format::NV12, Format::YUV420P] {
            let (descriptor, mapped) = picture(format);
            let placed = Placed::of(&descriptor, &mapped).unwrap();
            assert_eq!(
                placed,
                Placed { physical: [4096, 8192, placed.physical[2]], mapped: 64, stride: 704 }
            );
        }
    }

    #[test]
    fn rows_outside_of_what_is_mapped_never_reach_the_codec() {
        for format in [Format::NV12, Format::YUV420P] {
            let (good, mapped) = picture(format);
            let refused = |descriptor: &FrameDescriptor, mapped: &[(usize, usize)]| {
                let error = Error::from(Placed::of(descriptor, mapped).unwrap_err());
                assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
            };
            for index in 0..mapped.len() {
                let mut short = mapped.clone();
                short[index].1 -= 1;
                refused(&good, &short);
                for stride in [0, 1, 639, 706, u32::MAX] {
                    let mut other = good;
                    other.planes[index].stride_bytes = stride;
                    refused(&other, &mapped);
                }
            }
            let mut all = good;
            for (index, plane) in all.planes.iter_mut().enumerate() {
                let share = if format == Format::YUV420P && index > 0 { 2 } else { 1 };
                plane.stride_bytes = 706 / share;
            }
            refused(&all, &mapped);
            refused(&good, &mapped[1..]);
            refused(&FrameDescriptor { height: 482, ..good }, &mapped);
            refused(&FrameDescriptor { height: u32::MAX, ..good }, &mapped);
            refused(&FrameDescriptor { width: 706, ..good }, &mapped);
            refused(&FrameDescriptor { fourcc: PixelFormat::Grey.number(), ..good }, &mapped);
        }
    }
}
