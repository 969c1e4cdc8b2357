//! Frames of a YUV4MPEG2 file: the samples as they are, planes apart.

use super::color::Range;
use super::picture::Picture;
use crate::failure::Usage;
use anyhow::Result;
use framelane::PixelFormat;

/// What stands between the frames of a file.
const MARKER: &[u8] = b"FRAME\n";

/// Writes header, frame marker and planes.
///
/// # Errors
/// For RGB, which the format does not have.
pub fn write(picture: &Picture, into: &mut Vec<u8>) -> Result<()> {
    into.extend_from_slice(header(picture, "30:1")?.as_bytes());
    frame(picture, into);
    Ok(())
}

/// The first line of a file of such pictures, so many a second.
///
/// # Errors
/// For RGB, which the format does not have.
pub fn header(picture: &Picture, rate: &str) -> Result<String> {
    let sampling = match picture.format {
        PixelFormat::Nv12 | PixelFormat::I420 => "420jpeg",
        PixelFormat::Yuyv => "422",
        PixelFormat::Grey => "mono",
        PixelFormat::Rgb24 | PixelFormat::Bgr24 => {
            let text = "y4m carries YUV, the lane's frames are RGB: write a .png or .raw";
            return Err(Usage(text.into()).into());
        }
    };
    let range = match picture.range {
        Range::Limited => "LIMITED",
        Range::Full => "FULL",
    };
    let (width, height) = (picture.width, picture.height);
    Ok(format!("YUV4MPEG2 W{width} H{height} F{rate} Ip A1:1 C{sampling} XCOLORRANGE={range}\n"))
}

/// Frame marker and planes.
pub fn frame(picture: &Picture, into: &mut Vec<u8>) {
    into.extend_from_slice(MARKER);
    match picture.format {
        PixelFormat::Nv12 => {
            into.extend_from_slice(picture.plane(0));
            into.extend(every(picture.plane(1), 0, 2));
            into.extend(every(picture.plane(1), 1, 2));
        }
        PixelFormat::Yuyv => {
            into.extend(every(picture.plane(0), 0, 2));
            into.extend(every(picture.plane(0), 1, 4));
            into.extend(every(picture.plane(0), 3, 4));
        }
        _ => into.extend_from_slice(&picture.bytes),
    }
}

/// Every `step`th sample from `first` on.
fn every(samples: &[u8], first: usize, step: usize) -> impl Iterator<Item = u8> {
    samples.iter().skip(first).step_by(step).copied()
}
