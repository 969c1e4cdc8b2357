//! The first line of a clip.

use super::Problem;
use crate::color::Color;
use crate::convert::Converter;
use crate::error::Result;
use crate::rate::Rate;
use framelane::{ColorMatrix, ColorRange, ColorTransfer, FrameLayout, PixelFormat};

/// What the first line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub width: u32,
    pub height: u32,
    pub rate: Rate,
    pub mono: bool,
    pub range: ColorRange,
    /// Bytes of one picture in the file.
    pub picture_bytes: u64,
}

pub(super) const MAGIC: &[u8] = b"YUV4MPEG2";

impl Header {
    /// Reads the line without its end.
    pub(super) fn parse(line: &[u8]) -> Result<Self, Problem> {
        let mut words = line.split(|&byte| byte == b' ');
        if words.next() != Some(MAGIC) {
            return Err(wrong("not a YUV4MPEG2 clip: the file does not start with that word"));
        }
        let (mut width, mut height, mut rate) = (None, None, None);
        let (mut mono, mut range) = (false, ColorRange::Unspecified);
        for word in words.filter(|word| !word.is_empty()) {
            let (tag, value) = (word[0], String::from_utf8_lossy(&word[1..]));
            match tag {
                b'W' => width = Some(number(&value)?),
                b'H' => height = Some(number(&value)?),
                b'F' => rate = Some(fraction(&value)?),
                b'C' => mono = is_mono(&value)?,
                b'I' if !matches!(&*value, "p" | "?") => {
                    return Err(wrong(format!("interlaced (I{value}); only progressive is read")));
                }
                b'X' => range = stated_range(&value).unwrap_or(range),
                _ => {}
            }
        }
        let missing = |what: &str| wrong(format!("the first line states no {what}"));
        let width = width.ok_or_else(|| missing("width"))?;
        let height = height.ok_or_else(|| missing("height"))?;
        let stored = if mono { PixelFormat::Grey } else { PixelFormat::I420 };
        let layout =
            FrameLayout::new(stored, width, height).map_err(|error| wrong(error.to_string()))?;
        let rate = rate.ok_or_else(|| missing("frame rate"))?;
        Ok(Header { width, height, rate, mono, range, picture_bytes: layout.total_bytes })
    }

    pub(super) fn stored_format(&self) -> PixelFormat {
        if self.mono { PixelFormat::Grey } else { PixelFormat::I420 }
    }

    /// What the pictures mean once they are in `format`. The container does not state a matrix.
    pub(super) fn color(&self, format: PixelFormat) -> Color {
        match format {
            PixelFormat::Rgb24 | PixelFormat::Bgr24 => Color::usual(format, self.height),
            _ => Color {
                matrix: ColorMatrix::Unspecified,
                range: self.range,
                transfer: ColorTransfer::Unspecified,
            },
        }
    }

    pub(super) fn convert_to(&self, format: PixelFormat) -> Result<Converter> {
        // Conversions out of the file's numbers need its range, also where the result is RGB.
        Converter::new(format, self.width, self.height, self.color(self.stored_format()))
    }

    /// Bytes of one picture as 4:2:0.
    pub(super) fn converted_bytes(&self) -> Result<usize> {
        let layout = FrameLayout::new(PixelFormat::I420, self.width, self.height)?;
        Ok(layout.total_bytes as usize)
    }
}

fn number(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| wrong(format!("{text:?} is no number of pixels")))
}

fn fraction(text: &str) -> Result<Rate, Problem> {
    let parts = text.split_once(':').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let (frames, seconds) = parts.ok_or_else(|| wrong(format!("{text:?} is no frame rate")))?;
    Rate::new(frames, seconds).map_err(|error| wrong(error.to_string()))
}

/// The 4:2:0 kinds differ only in where chroma samples sit between the pixels.
fn is_mono(text: &str) -> Result<bool, Problem> {
    match text {
        "mono" => Ok(true),
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(false),
        other => Err(wrong(format!(
            "pixels are stored as C{other}; only mono, 420, 420jpeg, 420mpeg2 and 420paldv are \
             read (ffmpeg -i CLIP -pix_fmt yuv420p OUT.y4m converts)"
        ))),
    }
}

fn stated_range(text: &str) -> Option<ColorRange> {
    match text {
        "COLORRANGE=FULL" => Some(ColorRange::Full),
        "COLORRANGE=LIMITED" => Some(ColorRange::Limited),
        _ => None,
    }
}

fn wrong(why: impl Into<String>) -> Problem {
    Problem::Content(why.into())
}
