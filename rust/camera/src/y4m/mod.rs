//! Clips in YUV4MPEG2 files (`.y4m`), the plainest container of raw video: `ffmpeg -i in.mp4
//! out.y4m` makes one.
//!
//! Read by a parser of our own: it indexes every picture when the file is opened, so a damaged
//! clip is refused at once with the place of the damage, pictures can be left out when time is
//! short, and they are read straight into a slot where the formats agree.

mod header;
mod index;
mod render;

pub use render::render;

use crate::convert::Converter;
use crate::error::{Result, io_failed, unusable};
use crate::rate::Rate;
use crate::source::{Filled, FrameSource, SourceInfo, check_size};
use framelane::{Error, FrameDescriptor, FrameLayout, PixelFormat};
use header::Header;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A clip, played in a loop.
pub struct Y4m {
    path: PathBuf,
    file: File,
    info: SourceInfo,
    header: Header,
    /// Where the pixels of each picture start in the file.
    pictures: Vec<u64>,
    convert: Converter,
    /// One picture of the file as 4:2:0, unless it is read straight into the slot.
    scratch: Vec<u8>,
}

impl Y4m {
    /// Opens a clip to be shown in `format`, at `rate` or else at its own.
    ///
    /// # Errors
    /// `InvalidArgument` naming the file and what is wrong with it: not such a file, another
    /// subsampling or depth than 8-bit mono or 4:2:0, a picture cut short.
    pub fn open(path: &Path, format: Option<PixelFormat>, rate: Option<Rate>) -> Result<Self> {
        let file = File::open(path).map_err(|error| io_failed(path, &error))?;
        let (header, pictures) = index::read(&file).map_err(|error| error.at(path))?;
        let format =
            format.unwrap_or(if header.mono { PixelFormat::Grey } else { PixelFormat::Nv12 });
        let (width, height) = (header.width, header.height);
        let color = header.color(format);
        let opened = check_size(width, height).and_then(|()| {
            Ok((FrameLayout::new(format, width, height)?, header.convert_to(format)?))
        });
        let (layout, convert) = opened.map_err(|error| error.context(path.display()))?;
        let info = SourceInfo {
            label: format!("y4m:{}", path.display()),
            layout,
            rate: rate.unwrap_or(header.rate),
            color,
        };
        let scratch = Vec::new();
        Ok(Y4m { path: path.to_owned(), file, info, header, pictures, convert, scratch })
    }

    /// Number of pictures after which the clip starts again.
    pub fn pictures(&self) -> usize {
        self.pictures.len()
    }

    fn read(&self, picture: usize, into: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(into, self.pictures[picture]).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                unusable(&self.path, format!("picture {picture} is gone, the file was cut short"))
            }
            _ => io_failed(&self.path, &error),
        })
    }
}

impl FrameSource for Y4m {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn fill(
        &mut self,
        index: u64,
        descriptor: &mut FrameDescriptor,
        payload: &mut [u8],
    ) -> Result<Filled> {
        self.info.color.apply(descriptor);
        let picture = (index % self.pictures.len() as u64) as usize;
        let stored = self.header.picture_bytes as usize;
        if self.info.layout.fourcc == self.header.stored_format().number() {
            let room = payload.len();
            let too_large = || crate::planes::no_room(&self.info.layout, room);
            self.read(picture, payload.get_mut(..stored).ok_or_else(too_large)?)?;
            return Ok(Filled::Picture);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        // A mono clip has no chroma: what the read leaves of the 4:2:0 picture stays neutral.
        scratch.resize(self.header.converted_bytes()?, 128);
        let result = self.read(picture, &mut scratch[..stored]);
        let result = result.and_then(|()| self.convert.i420(&scratch, payload));
        self.scratch = scratch;
        result.map(|()| Filled::Picture)
    }
}

/// What is wrong with a clip, or with reading it.
enum Problem {
    Content(String),
    Reading(io::Error),
}

impl Problem {
    fn at(self, path: &Path) -> Error {
        match self {
            Problem::Content(why) => unusable(path, why),
            Problem::Reading(error) => io_failed(path, &error),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Reading(error)
    }
}

#[cfg(test)]
mod tests;
