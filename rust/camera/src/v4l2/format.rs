//! Formats of V4L2 and what they are as frames.

use super::abi::{self, CAPTURE_PLANES, Format, fourcc};
use crate::color::Color;
use crate::error::Result;
use framelane::{
    Codec, ColorMatrix, ColorRange, Error, ErrorKind, FrameDescriptor, FrameLayout, PixelFormat,
    Plane,
};

/// What the bytes of a format are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Pixels.
    Raw(PixelFormat),
    /// A compressed picture each.
    Coded(Codec),
}

/// Formats that the SDK knows; the ones in one buffer before those in several.
const KNOWN: &[(u32, Content)] = &[
    (fourcc(b"NV12"), Content::Raw(PixelFormat::Nv12)),
    (fourcc(b"NM12"), Content::Raw(PixelFormat::Nv12)),
    (fourcc(b"YU12"), Content::Raw(PixelFormat::I420)),
    (fourcc(b"YM12"), Content::Raw(PixelFormat::I420)),
    (fourcc(b"YUYV"), Content::Raw(PixelFormat::Yuyv)),
    (fourcc(b"GREY"), Content::Raw(PixelFormat::Grey)),
    (fourcc(b"RGB3"), Content::Raw(PixelFormat::Rgb24)),
    (fourcc(b"BGR3"), Content::Raw(PixelFormat::Bgr24)),
    (fourcc(b"MJPG"), Content::Coded(Codec::Jpeg)),
    (fourcc(b"JPEG"), Content::Coded(Codec::Jpeg)),
    (fourcc(b"H264"), Content::Coded(Codec::H264)),
    (fourcc(b"HEVC"), Content::Coded(Codec::H265)),
];

/// What a format of V4L2 holds, if the SDK knows it.
pub fn content(pixel_format: u32) -> Option<Content> {
    KNOWN.iter().find(|(code, _)| *code == pixel_format).map(|(_, content)| *content)
}

/// The four characters of a code.
pub fn name(pixel_format: u32) -> String {
    pixel_format.to_le_bytes().iter().map(|&byte| char::from(byte)).collect()
}

/// The one of the offered formats to take: the wanted content, else raw pixels before coded ones,
/// in the order of the table.
pub fn choose(offered: &[u32], wanted: Option<Content>) -> Option<u32> {
    let fits = |content: Content| wanted.is_none_or(|wanted| wanted == content);
    let known = KNOWN.iter().filter(|(_, content)| fits(*content));
    known.map(|(code, _)| *code).find(|code| offered.contains(code))
}

/// A format as a device has set it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Picture {
    /// Its code.
    pub pixel_format: u32,
    /// What the bytes are.
    pub content: Content,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes of each of a buffer's parts, in use as far as `parts` says.
    pub part_bytes: [u32; 4],
    /// Parts of a buffer.
    pub parts: usize,
    /// Bytes from one row to the next of each part.
    strides: [u32; 4],
    /// What the numbers mean.
    pub color: Color,
}

impl Picture {
    /// Reads what a device answered.
    pub fn read(format: &Format) -> Result<Self> {
        let words = &format.words;
        let several = format.kind == CAPTURE_PLANES;
        let (mut part_bytes, mut strides) = ([0; 4], [0; 4]);
        let parts = if several { (words[45] & 0xff) as usize } else { 1 };
        let (width, height, pixel_format) = (words[0], words[1], words[2]);
        let what = || format!("{} {width}x{height}", name(pixel_format));
        let Some(content) = content(pixel_format) else {
            let text = format!("the camera gives {}, which the SDK does not know", what());
            return Err(Error::new(ErrorKind::Unsupported, text));
        };
        if parts == 0 || parts > 4 || width == 0 || height == 0 {
            let text = format!("the driver describes {} in {parts} parts", what());
            return Err(Error::new(ErrorKind::Unsupported, text));
        }
        for part in 0..parts {
            let (size, stride) = if several { (5 + part * 5, 6 + part * 5) } else { (5, 4) };
            (part_bytes[part], strides[part]) = (words[size], words[stride]);
        }
        let (quantization, encoding) = match several {
            true => (words[45] >> 24 & 0xff, words[45] >> 16 & 0xff),
            false => (words[10], words[9]),
        };
        let raw = match content {
            Content::Raw(format) => format,
            Content::Coded(_) => PixelFormat::I420,
        };
        let color = color(raw, height, encoding, quantization);
        let picture =
            Picture { pixel_format, content, width, height, part_bytes, parts, strides, color };
        if let Content::Raw(raw) = content {
            picture.check(raw)?;
        }
        Ok(picture)
    }

    /// Refuses a buffer too small for its rows, before anybody reads past its end.
    fn check(&self, raw: PixelFormat) -> Result<()> {
        let (planes, _) = self.planes(raw)?;
        for (part, plane) in planes.iter().filter(|(_, plane)| plane.size_bytes > 0) {
            if plane.offset_bytes + plane.size_bytes > self.part_bytes[*part].into() {
                let text = format!(
                    "{} {}x{} needs {} bytes in part {part}, the driver gives it {}",
                    name(self.pixel_format),
                    self.width,
                    self.height,
                    plane.offset_bytes + plane.size_bytes,
                    self.part_bytes[*part]
                );
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        }
        Ok(())
    }

    /// The part that each plane is in, and where; their number.
    fn planes(&self, raw: PixelFormat) -> Result<([(usize, Plane); 4], usize)> {
        let packed = FrameLayout::new(raw, self.width, self.height)?;
        let count = usize::from(packed.plane_count);
        let mut planes = [(0, Plane::ZERO); 4];
        let mut offset = 0;
        for (index, (tight, (part, plane))) in
            packed.planes.iter().zip(&mut planes).take(count).enumerate()
        {
            *part = if self.parts == count { index } else { 0 };
            // In one buffer the chroma rows follow from the luma rows, as V4L2 says.
            let ratio = packed.planes[0].stride_bytes.div_ceil(tight.stride_bytes).max(1);
            let stride = match self.parts == count && index > 0 {
                true => self.strides[index],
                false => self.strides[0] / ratio,
            };
            let size = u64::from(stride) * u64::from(tight.rows);
            *plane = Plane {
                offset_bytes: if self.parts == count { 0 } else { offset },
                size_bytes: size,
                stride_bytes: stride.max(tight.stride_bytes),
                rows: tight.rows,
                share_id: -1,
                buffer_index: 0,
                ..Plane::ZERO
            };
            plane.size_bytes = u64::from(plane.stride_bytes) * u64::from(tight.rows);
            offset += plane.size_bytes;
        }
        Ok((planes, count))
    }

    /// Geometry of raw pixels, in a buffer of which `first` is the number of the first part.
    pub fn describe(&self, d: &mut FrameDescriptor, first: usize) -> Result<()> {
        let Content::Raw(raw) = self.content else { return Ok(()) };
        let (planes, count) = self.planes(raw)?;
        d.fourcc = raw.number();
        (d.width, d.height) = (self.width, self.height);
        (d.crop_width, d.crop_height) = (self.width, self.height);
        (d.sensor_width, d.sensor_height) = (self.width, self.height);
        d.plane_count = count as u8;
        for ((part, from), into) in planes.into_iter().zip(&mut d.planes).take(count) {
            *into = Plane { buffer_index: (first + part) as i32, ..from };
        }
        self.color.apply(d);
        Ok(())
    }

    /// Its four-character code.
    pub fn name(&self) -> String {
        name(self.pixel_format)
    }

    /// Bytes of all parts together.
    pub fn bytes(&self) -> u64 {
        self.part_bytes[..self.parts].iter().map(|&bytes| u64::from(bytes)).sum()
    }
}

/// Colours as the driver states them; what it leaves open is as usual for the format.
fn color(format: PixelFormat, height: u32, encoding: u32, quantization: u32) -> Color {
    let mut color = Color::usual(format, height);
    if color.matrix == ColorMatrix::Rgb {
        return color;
    }
    // V4L2_YCBCR_ENC_601, _709, _BT2020; V4L2_QUANTIZATION_FULL_RANGE, _LIM_RANGE.
    match encoding {
        1 => color.matrix = ColorMatrix::Bt601,
        2 => color.matrix = ColorMatrix::Bt709,
        6 => color.matrix = ColorMatrix::Bt2020,
        _ => {}
    }
    match quantization {
        1 => color.range = ColorRange::Full,
        2 => color.range = ColorRange::Limited,
        _ => {}
    }
    color
}

/// What to ask a device for. 0 in a size takes what it has.
pub fn request(kind: u32, pixel_format: u32, (width, height): (u32, u32)) -> Format {
    let mut format = Format { kind, ..Format::ZERO };
    format.words[..4].copy_from_slice(&[width, height, pixel_format, abi::FIELD_NONE]);
    format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nv12_in_one_buffer_keeps_the_drivers_stride() {
        let mut format = request(abi::CAPTURE, fourcc(b"NV12"), (100, 50));
        (format.words[4], format.words[5]) = (128, 128 * 75);
        let picture = Picture::read(&format).unwrap();
        let mut d = FrameDescriptor::ZERO;
        picture.describe(&mut d, 3).unwrap();
        let [luma, chroma, ..] = d.planes;
        assert_eq!((luma.offset_bytes, luma.stride_bytes, luma.size_bytes), (0, 128, 6400));
        assert_eq!((chroma.offset_bytes, chroma.stride_bytes, chroma.rows), (6400, 128, 25));
        assert_eq!((luma.buffer_index, chroma.buffer_index, d.plane_count), (3, 3, 2));
        format.words[5] -= 1;
        let text = Picture::read(&format).unwrap_err().to_string();
        assert!(text.contains("needs 9600 bytes in part 0, the driver gives it 9599"), "{text}");
    }

    #[test]
    fn nv12_in_two_buffers_has_a_part_for_each_plane() {
        let mut format = request(CAPTURE_PLANES, fourcc(b"NM12"), (64, 32));
        format.words[5..12].copy_from_slice(&[64 * 32, 64, 0, 0, 0, 64 * 16, 64]);
        format.words[45] = 2;
        let picture = Picture::read(&format).unwrap();
        assert_eq!((picture.parts, picture.bytes()), (2, 64 * 48));
        let mut d = FrameDescriptor::ZERO;
        picture.describe(&mut d, 4).unwrap();
        assert_eq!([d.planes[0].buffer_index, d.planes[1].buffer_index], [4, 5]);
        assert_eq!([d.planes[0].offset_bytes, d.planes[1].offset_bytes], [0, 0]);
    }

    #[test]
    fn i420_has_half_the_stride_in_its_chroma() {
        let mut format = request(abi::CAPTURE, fourcc(b"YU12"), (64, 32));
        (format.words[4], format.words[5]) = (80, 80 * 48);
        let mut d = FrameDescriptor::ZERO;
        Picture::read(&format).unwrap().describe(&mut d, 0).unwrap();
        let found = d.planes.map(|plane| (plane.offset_bytes, plane.stride_bytes, plane.rows));
        assert_eq!(found[..3], [(0, 80, 32), (80 * 32, 40, 16), (80 * 40, 40, 16)]);
    }

    #[test]
    fn formats_are_taken_in_order_and_unknown_ones_named() {
        let offered = [fourcc(b"MJPG"), fourcc(b"YUYV"), fourcc(b"NV12")];
        assert_eq!(choose(&offered, None), Some(fourcc(b"NV12")));
        assert_eq!(choose(&offered[..1], None), Some(fourcc(b"MJPG")));
        let grey = Some(Content::Raw(PixelFormat::Grey));
        assert_eq!(choose(&offered, grey), None);
        let odd = request(abi::CAPTURE, fourcc(b"pRAA"), (64, 32));
        let text = Picture::read(&odd).unwrap_err().to_string();
        assert_eq!(text, "the camera gives pRAA 64x32, which the SDK does not know");
    }
}
