//! Writing a clip from any source of 4:2:0 or grey pictures.

use crate::error::{Result, invalid};
use crate::source::{Filled, FrameSource};
use framelane::{ColorRange, Error, ErrorKind, FrameDescriptor, PixelFormat};
use std::io::{self, Write};

/// Writes up to `pictures` pictures of `source` as a clip; how many there were.
///
/// # Errors
/// `InvalidArgument` for a source that gives another format than I420 or GREY, `System` when
/// writing fails; what the source fails with.
pub fn render(source: &mut dyn FrameSource, pictures: u64, writer: &mut dyn Write) -> Result<u64> {
    let info = source.info().clone();
    let stored = match PixelFormat::from_number(info.layout.fourcc) {
        Some(PixelFormat::I420) => "420jpeg",
        Some(PixelFormat::Grey) => "mono",
        _ => return Err(invalid("a clip is written from pictures in I420 or GREY")),
    };
    let (width, height) = (info.layout.width, info.layout.height);
    let (frames, seconds) = (info.rate.frames(), info.rate.seconds());
    let range = match info.color.range {
        ColorRange::Full => " XCOLORRANGE=FULL",
        ColorRange::Limited => " XCOLORRANGE=LIMITED",
        ColorRange::Unspecified => "",
    };
    let written = writeln!(
        writer,
        "YUV4MPEG2 W{width} H{height} F{frames}:{seconds} Ip A1:1 C{stored}{range}"
    );
    written.map_err(failed)?;
    let mut payload = vec![0; info.layout.total_bytes as usize];
    for index in 0..pictures {
        let mut descriptor = FrameDescriptor::ZERO;
        info.layout.apply(&mut descriptor);
        descriptor.capture_id = index + 1;
        descriptor.capture_ns = info.rate.time_ns(index);
        if source.fill(index, &mut descriptor, &mut payload)? == Filled::End {
            return Ok(index);
        }
        writer.write_all(b"FRAME\n").and_then(|()| writer.write_all(&payload)).map_err(failed)?;
    }
    writer.flush().map_err(failed)?;
    Ok(pictures)
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::System, format!("writing a clip: {error}"))
}
