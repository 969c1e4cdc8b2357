//! Recorded pictures before a camera, in a loop: one for each exposure.

use crate::picture::Picture;
use std::fs::File;
use std::io::{BufReader, Error, Result};
use std::path::{Path, PathBuf};
use y4m::{Colorspace, Decoder};

pub enum Clip {
    /// A Y4M file.
    File { path: PathBuf, decoder: Box<Decoder<BufReader<File>>> },
    /// NV12 files of the sensor's size in the order of their names.
    Folder { files: Vec<PathBuf>, next: usize, size: (u32, u32) },
}

impl Clip {
    /// Opens a file, or a folder of pictures of the sensor's size.
    ///
    /// # Errors
    /// Names what cannot be read.
    pub fn open(path: &Path, sensor: (u32, u32)) -> Result<Self> {
        let open = || -> Result<Self> {
            if !path.is_dir() {
                let decoder = Box::new(decoder(path)?);
                return Ok(Clip::File { path: path.to_owned(), decoder });
            }
            let entries = std::fs::read_dir(path)?.collect::<Result<Vec<_>>>()?;
            let mut files: Vec<_> = entries.into_iter().map(|entry| entry.path()).collect();
            files.sort();
            Ok(Clip::Folder { files, next: 0, size: sensor })
        };
        open()?.next()?;
        open()
    }

    /// The next picture; after the last the first.
    ///
    /// # Errors
    /// Names what cannot be read.
    pub fn next(&mut self) -> Result<Picture> {
        match self {
            Clip::File { path, decoder } => match read(decoder) {
                Err(y4m::Error::EOF) => {
                    **decoder = self::decoder(path)?;
                    read(decoder).map_err(|error| wrong(path, error))
                }
                other => other.map_err(|error| wrong(path, error)),
            },
            Clip::Folder { files, next, size } => {
                let path = files.get(*next).ok_or_else(|| Error::other("the folder is empty"))?;
                *next = (*next + 1) % files.len();
                let mut luma = std::fs::read(path)?;
                let pixels = size.0 as usize * size.1 as usize;
                let chroma = luma.split_off(pixels.min(luma.len()));
                Picture::new(size.0, size.1, luma, chroma)
                    .ok_or_else(|| wrong(path, format!("no NV12 picture of {}x{}", size.0, size.1)))
            }
        }
    }
}

fn decoder(path: &Path) -> Result<Decoder<BufReader<File>>> {
    let decoder = Decoder::new(BufReader::new(File::open(path)?));
    let decoder = decoder.map_err(|error| wrong(path, error))?;
    match decoder.get_colorspace() {
        Colorspace::C420 | Colorspace::C420jpeg | Colorspace::C420mpeg2 | Colorspace::C420paldv => {
            Ok(decoder)
        }
        other => Err(wrong(path, format!("{other:?}; only 4:2:0 of 8 bits is shown"))),
    }
}

fn read(decoder: &mut Decoder<BufReader<File>>) -> std::result::Result<Picture, y4m::Error> {
    let (width, height) = (decoder.get_width() as u32, decoder.get_height() as u32);
    let frame = decoder.read_frame()?;
    let colours = frame.get_u_plane().iter().zip(frame.get_v_plane());
    let chroma = colours.flat_map(|(u, v)| [*u, *v]).collect();
    Picture::new(width, height, frame.get_y_plane().to_vec(), chroma).ok_or(y4m::Error::BadInput)
}

fn wrong(path: &Path, what: impl std::fmt::Display) -> Error {
    Error::other(format!("{}: {what}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn first_bytes(clip: &mut Clip, count: usize) -> Vec<[u8; 3]> {
        let of = |picture: Picture| [picture.luma[0], picture.chroma[0], picture.chroma[1]];
        (0..count).map(|_| of(clip.next().unwrap())).collect()
    }

    #[test]
    fn pictures_come_one_after_the_other_and_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"YUV4MPEG2 W4 H2 F30:1 C420jpeg\n").unwrap();
        for value in [10, 20] {
            file.write_all(b"FRAME\n").unwrap();
            file.write_all(&[vec![value; 8], vec![value + 1; 2], vec![value + 2; 2]].concat())
                .unwrap();
        }
        drop(file);
        let mut clip = Clip::open(&path, (1920, 1080)).unwrap();
        assert_eq!(first_bytes(&mut clip, 3), [[10, 11, 12], [20, 21, 22], [10, 11, 12]]);
        let pictures = folder.path().join("pictures");
        std::fs::create_dir(&pictures).unwrap();
        for value in [2, 1] {
            let bytes = [vec![value; 8], [value + 1, value + 2].repeat(2)].concat();
            std::fs::write(pictures.join(format!("{value}.nv12")), bytes).unwrap();
        }
        let mut clip = Clip::open(&pictures, (4, 2)).unwrap();
        assert_eq!(first_bytes(&mut clip, 3), [[1, 2, 3], [2, 3, 4], [1, 2, 3]]);
    }

    #[test]
    fn what_cannot_be_shown_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            Clip::open(&path, (4, 2)).err().unwrap().to_string()
        };
        assert!(refused(b"no clip\n").contains("clip: "));
        assert!(refused(b"YUV4MPEG2 W4 H2 F30:1 C444\n").contains("4:2:0"));
        assert!(refused(b"YUV4MPEG2 W4 H2 F30:1 C420\n").contains("End of file"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(Clip::open(&path, (4, 2)).err().unwrap().to_string().contains("empty"));
        std::fs::write(path.join("one"), [0; 11]).unwrap();
        assert!(Clip::open(&path, (4, 2)).err().unwrap().to_string().contains("NV12 picture of"));
    }
}
