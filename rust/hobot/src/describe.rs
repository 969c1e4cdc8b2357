//! A buffer's description in a frame's descriptor, and out of it again.
//!
//! The vendor's own description travels bit for bit, without descriptors and addresses of the
//! sender; ours beside it says the same in terms that need no vendor. A reader that gets both
//! believes them only if they agree.

use crate::buffer::Raw;
use crate::error::Result;
use framelane::layout::FrameFlag;
use framelane::{Error, ErrorKind, FrameDescriptor, MemoryKind, PixelFormat, Plane};
use framelane_hobot_sys::{CommonBuf, Format, GraphicBuf, PLANES, usage};
use zerocopy::{FromBytes, IntoBytes};

/// `vendor_tag` of an `hb_mem_graphic_buf_t`.
pub const GRAPHIC_TAG: u32 = u32::from_le_bytes(*b"HBGB");
/// `vendor_tag` of an `hb_mem_common_buf_t`.
pub const COMMON_TAG: u32 = u32::from_le_bytes(*b"HBCB");

/// A description of the vendor's, as it came with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Described {
    /// A picture.
    Graphic(GraphicBuf),
    /// A plain block.
    Common(CommonBuf),
}

/// Describes a picture that lies in a graphic buffer: geometry, planes and the vendor's words.
///
/// # Errors
/// `Unsupported` for a format that has no name in a frame's descriptor; `InvalidArgument` for
/// sizes that cannot be.
pub fn describe_picture(buffer: &GraphicBuf) -> Result<FrameDescriptor> {
    let mut descriptor = FrameDescriptor::ZERO;
    let bad = |what: &str| Error::new(ErrorKind::InvalidArgument, format!("a picture {what}"));
    let size = |value: i32| u32::try_from(value).ok().filter(|&size| size > 0);
    let width = size(buffer.width).ok_or_else(|| bad("without width"))?;
    let height = size(buffer.height).ok_or_else(|| bad("without height"))?;
    let given = u32::try_from(buffer.stride).map_err(|_| bad("with a negative stride"))?;
    let (format, default, rows) = geometry(buffer.format, width, height)?;
    let stride = if given == 0 { default } else { given };
    let count = usize::try_from(buffer.plane_cnt).unwrap_or(usize::MAX);
    if count != rows.len() {
        return Err(bad(&format!("of {count} planes in {}", format.label())).into());
    }
    (descriptor.fourcc, descriptor.width, descriptor.height) = (format.number(), width, height);
    (descriptor.crop_width, descriptor.crop_height) = (width, height);
    descriptor.brightness_avg = -1.0;
    descriptor.plane_count = count as u8;
    let mut before = 0;
    for (index, &(share, rows)) in rows.iter().enumerate() {
        let contiguous = buffer.is_contig == 1;
        descriptor.planes[index] = Plane {
            offset_bytes: if contiguous { before } else { 0 },
            size_bytes: buffer.size[index],
            physical_address: buffer.phys_addr[index],
            stride_bytes: stride / share,
            rows,
            share_id: buffer.share_id[if contiguous { 0 } else { index }],
            buffer_index: -1,
            reserved: 0,
        };
        before += buffer.size[index];
    }
    finish(&mut descriptor, GRAPHIC_TAG, buffer.flags, buffer.exported().as_bytes());
    Ok(descriptor)
}

/// Describes a plain block as one plane of `bytes` bytes from `offset` on.
pub fn describe_block(buffer: &CommonBuf, offset: u64, bytes: u64) -> FrameDescriptor {
    let mut descriptor = FrameDescriptor::ZERO;
    descriptor.plane_count = 1;
    descriptor.brightness_avg = -1.0;
    descriptor.planes[0] = Plane {
        offset_bytes: offset,
        size_bytes: bytes,
        physical_address: buffer.phys_addr.saturating_add(offset),
        share_id: buffer.share_id,
        buffer_index: -1,
        ..Plane::ZERO
    };
    finish(&mut descriptor, COMMON_TAG, buffer.flags, buffer.exported().as_bytes());
    descriptor
}

fn finish(descriptor: &mut FrameDescriptor, tag: u32, flags: i64, vendor: &[u8]) {
    descriptor.memory_kind = MemoryKind::HbMem.number();
    if flags & usage::CACHED != 0 {
        descriptor.flags |= FrameFlag::CPU_CACHED;
    }
    (descriptor.vendor_tag, descriptor.vendor_bytes) = (tag, vendor.len() as u32);
    descriptor.vendor_data[..vendor.len()].copy_from_slice(vendor);
}

/// By what a plane's stride is divided, and how many rows it has.
type Share = (u32, u32);

/// The format's name, its stride in bytes, and its planes.
fn geometry(format: i32, width: u32, height: u32) -> Result<(PixelFormat, u32, Vec<Share>)> {
    let half = height / 2;
    let one = vec![(1, height)];
    let found = match format {
        Format::NV12 => (PixelFormat::Nv12, width, vec![(1, height), (1, half)]),
        Format::YUV420P => (PixelFormat::I420, width, vec![(1, height), (2, half), (2, half)]),
        Format::YUYV422 => (PixelFormat::Yuyv, width.saturating_mul(2), one),
        Format::YUV400 => (PixelFormat::Grey, width, one),
        // The library counts their stride in pixels: only the default one can be told in bytes.
        other => {
            let text = format!("hb_mem pixel format {other} has no name here");
            return Err(Error::new(ErrorKind::Unsupported, text).into());
        }
    };
    Ok(found)
}

/// The vendor's description in a frame's descriptor.
///
/// # Errors
/// `Protocol` when there is none, or one that does not agree with the frame's own planes.
pub fn described(descriptor: &FrameDescriptor) -> framelane::Result<Described> {
    let wrong = |what: String| Error::new(ErrorKind::Protocol, what);
    let size = descriptor.vendor_bytes as usize;
    let found = match (descriptor.vendor_tag, descriptor.vendor_data.get(..size)) {
        (GRAPHIC_TAG, Some(bytes)) => {
            GraphicBuf::read_from_bytes(bytes).ok().map(Described::Graphic)
        }
        (COMMON_TAG, Some(bytes)) => CommonBuf::read_from_bytes(bytes).ok().map(Described::Common),
        _ => None,
    };
    let found = found.ok_or_else(|| {
        let tag = descriptor.vendor_tag;
        wrong(format!("{size} bytes of vendor data with tag {tag:#x} describe no hb_mem buffer"))
    })?;
    let count = usize::from(descriptor.plane_count).min(descriptor.planes.len());
    let planes = &descriptor.planes[..count];
    let agree = match &found {
        Described::Graphic(buffer) => {
            count == usize::try_from(buffer.plane_cnt).unwrap_or(0)
                && planes.iter().enumerate().all(|(index, plane)| names(buffer, index, plane))
        }
        Described::Common(buffer) => count == 1 && holds(buffer, &planes[0]),
    };
    if agree {
        return Ok(found);
    }
    Err(wrong("the frame's planes and the vendor's description name different memory".into()))
}

/// Whether a frame's plane is this one of the picture.
pub(crate) fn names(buffer: &GraphicBuf, index: usize, plane: &Plane) -> bool {
    let of = if buffer.is_contig == 1 { 0 } else { index };
    index < PLANES
        && (plane.share_id, plane.size_bytes, plane.physical_address)
            == (buffer.share_id[of], buffer.size[index], buffer.phys_addr[index])
}

/// Whether a frame's plane lies in the block.
pub(crate) fn holds(buffer: &CommonBuf, plane: &Plane) -> bool {
    let end = plane.offset_bytes.checked_add(plane.size_bytes);
    plane.share_id == buffer.share_id && end.is_some_and(|end| end <= buffer.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nv12() -> GraphicBuf {
        GraphicBuf {
            fd: [5, -1, -1],
            plane_cnt: 2,
            format: Format::NV12,
            width: 640,
            height: 480,
            stride: 704,
            vstride: 480,
            is_contig: 1,
            share_id: [7, 0, 0],
            flags: usage::CACHED | 0x11,
            size: [337_920, 168_960, 0],
            virt_addr: [1, 2, 0],
            phys_addr: [4096, 4096 + 337_920, 0],
            ..GraphicBuf::ZERO
        }
    }

    #[test]
    fn a_picture_is_described_with_strides_addresses_and_the_vendors_words() {
        let descriptor = describe_picture(&nv12()).unwrap();
        assert_eq!(descriptor.fourcc, PixelFormat::Nv12.number());
        let [luma, chroma, ..] = descriptor.planes;
        assert_eq!((luma.stride_bytes, luma.rows, luma.offset_bytes), (704, 480, 0));
        assert_eq!((chroma.stride_bytes, chroma.rows, chroma.offset_bytes), (704, 240, 337_920));
        assert_eq!([luma.share_id, chroma.share_id], [7, 7], "the id of the one buffer");
        assert_eq!(chroma.physical_address, 4096 + 337_920);
        assert_ne!(descriptor.flags & FrameFlag::CPU_CACHED, 0);
        assert_eq!(described(&descriptor).unwrap(), Described::Graphic(nv12().exported()));
    }

    #[test]
    fn what_does_not_agree_is_not_believed() {
        let good = describe_picture(&nv12()).unwrap();
        let mut wrong = Vec::new();
        for index in 0..2 {
            let mut other = good;
            other.planes[index].share_id = 8;
            wrong.push(other);
            other = good;
            other.planes[index].physical_address += 1;
            wrong.push(other);
            other = good;
            other.planes[index].size_bytes += 1;
            wrong.push(other);
        }
        wrong.push(FrameDescriptor { vendor_tag: 0, ..good });
        wrong.push(FrameDescriptor { vendor_tag: COMMON_TAG, ..good });
        wrong.push(FrameDescriptor { vendor_bytes: 159, ..good });
        wrong.push(FrameDescriptor { vendor_bytes: u32::MAX, ..good });
        wrong.push(FrameDescriptor { plane_count: 1, ..good });
        for descriptor in wrong {
            assert_eq!(described(&descriptor).unwrap_err().kind(), ErrorKind::Protocol);
        }
    }

    #[test]
    fn a_block_is_one_plane_inside_it() {
        let block = CommonBuf { share_id: 3, size: 100, phys_addr: 8192, ..CommonBuf::ZERO };
        let descriptor = describe_block(&block, 10, 90);
        assert_eq!(described(&descriptor).unwrap(), Described::Common(block.exported()));
        assert_eq!(descriptor.planes[0].physical_address, 8202);
        assert!(described(&describe_block(&block, 11, 90)).is_err());
        assert!(described(&describe_block(&block, u64::MAX, 90)).is_err());
    }

    #[test]
    fn formats_without_a_name_are_refused() {
        let error = describe_picture(&GraphicBuf { format: 9, ..nv12() }).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(describe_picture(&GraphicBuf { width: 0, ..nv12() }).is_err());
        assert!(describe_picture(&GraphicBuf { plane_cnt: 3, ..nv12() }).is_err());
    }
}
