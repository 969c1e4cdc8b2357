//! Sources by their names on the command line.

use crate::error::{Result, invalid};
use crate::images::Images;
use crate::pattern::Pattern;
use crate::rate::Rate;
use crate::source::FrameSource;
use crate::stamped::Stamped;
use crate::y4m::Y4m;
use framelane::{Error, ErrorKind, PixelFormat};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Size where neither the caller nor the source says one.
const USUAL_SIZE: (u32, u32) = (640, 480);

/// Which source to open: `pattern`, `y4m:FILE`, `images:PATH`, `command:…`, `v4l2[:NODE]`,
/// `hb_vio`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceSpec {
    /// The test pattern, always with the strip.
    Pattern,
    /// A clip.
    Y4m(PathBuf),
    /// A picture file or a folder of them.
    Images(PathBuf),
    /// A program that writes encoded video, for a stream lane: see [`command`](crate::command).
    Command(String),
    /// A camera of Linux, which brings its own lane: see [`v4l2`](crate::v4l2). None: the first.
    V4l2(Option<PathBuf>),
    /// The cameras of an RDK X5, which bring their own lanes: see [`hb_vio`](crate::hb_vio).
    HbVio,
}

/// How a source shall show its pictures. `None` leaves it to the source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceOptions {
    /// Width and height; 640x480. A clip has its own.
    pub size: Option<(u32, u32)>,
    /// Pixel format; NV12, or GREY for a clip without colour.
    pub format: Option<PixelFormat>,
    /// Pictures per second; 30, or a clip's own.
    pub rate: Option<Rate>,
    /// Stamps the strip on pictures other than the pattern too.
    pub strip: bool,
}

impl SourceSpec {
    /// Opens the source.
    ///
    /// # Errors
    /// What the source's own constructor fails with; `InvalidArgument` for a size that a clip has
    /// not, or one too small for the strip; `Unsupported` for `v4l2` and `hb_vio`,
    /// which do not fill what others own, and for a command, which brings no frames.
    pub fn open(&self, options: &SourceOptions) -> Result<Box<dyn FrameSource>> {
        let (width, height) = options.size.unwrap_or(USUAL_SIZE);
        let format = options.format.unwrap_or(PixelFormat::Nv12);
        let rate = options.rate.unwrap_or_default();
        let source: Box<dyn FrameSource> = match self {
            SourceSpec::Pattern => {
                Box::new(Stamped::new(Pattern::new(format, width, height, rate)?)?)
            }
            SourceSpec::Y4m(path) => {
                let clip = Y4m::open(path, options.format, options.rate)?;
                check_clip_size(&clip, options.size)?;
                Box::new(clip)
            }
            SourceSpec::Images(path) => Box::new(Images::open(path, format, width, height, rate)?),
            SourceSpec::Command(_) => {
                let text = "a command writes encoded video, which is for a stream lane";
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
            SourceSpec::HbVio | SourceSpec::V4l2(_) => {
                let text = format!("{self} makes its own lanes, from what the camera gives");
                return Err(Error::new(ErrorKind::Unsupported, text));
            }
        };
        match self {
            SourceSpec::Y4m(_) | SourceSpec::Images(_) if options.strip => {
                Ok(Box::new(Stamped::new(source)?))
            }
            _ => Ok(source),
        }
    }
}

fn check_clip_size(clip: &Y4m, wanted: Option<(u32, u32)>) -> Result<()> {
    let own = (clip.info().layout.width, clip.info().layout.height);
    match wanted {
        Some((width, height)) if (width, height) != own => Err(invalid(format!(
            "{} is {}x{} and is not scaled to {width}x{height}: leave the size out",
            clip.info().label,
            own.0,
            own.1
        ))),
        _ => Ok(()),
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceSpec::Pattern => write!(f, "pattern"),
            SourceSpec::Y4m(path) => write!(f, "y4m:{}", path.display()),
            SourceSpec::Images(path) => write!(f, "images:{}", path.display()),
            SourceSpec::Command(command) => write!(f, "command:{command}"),
            SourceSpec::V4l2(None) => write!(f, "v4l2"),
            SourceSpec::V4l2(Some(node)) => write!(f, "v4l2:{}", node.display()),
            SourceSpec::HbVio => write!(f, "hb_vio"),
        }
    }
}

impl FromStr for SourceSpec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, path) = text.split_once(':').map_or((text, None), |(a, b)| (a, Some(b)));
        let needs_path = || invalid(format!("{name} needs a path: {name}:PATH"));
        let path_given = || path.filter(|path| !path.is_empty()).map(PathBuf::from);
        match name {
            "pattern" if path.is_none() => Ok(SourceSpec::Pattern),
            "pattern" => {
                Err(invalid("pattern takes nothing after its name; the size is its own option"))
            }
            "hb_vio" if path.is_none() => Ok(SourceSpec::HbVio),
            "v4l2" if path.is_none() => Ok(SourceSpec::V4l2(None)),
            "v4l2" => path_given().map(|node| SourceSpec::V4l2(Some(node))).ok_or_else(needs_path),
            "y4m" => path_given().map(SourceSpec::Y4m).ok_or_else(needs_path),
            "images" => path_given().map(SourceSpec::Images).ok_or_else(needs_path),
            "command" => match path.map(str::trim).filter(|command| !command.is_empty()) {
                Some(command) => Ok(SourceSpec::Command(command.to_owned())),
                None => Err(invalid("command needs a program: command:'rpicam-vid -t 0 -o -'")),
            },
            _ => Err(invalid(format!(
                "no source {text:?}; there are pattern, y4m:FILE, images:FILE-OR-FOLDER, \
                 command:'PROGRAM …', v4l2[:NODE] and hb_vio"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn sources_are_named_as_on_the_command_line() {
        for text in [
            "pattern",
            "y4m:a b.y4m",
            "images:/x/y:z",
            "command:a -b c:d",
            "v4l2",
            "v4l2:/dev/video2",
            "hb_vio",
        ] {
            assert_eq!(text.parse::<SourceSpec>().unwrap().to_string(), text);
        }
        let fails = |text: &str| text.parse::<SourceSpec>().unwrap_err().to_string();
        assert_eq!(fails("y4m"), "y4m needs a path: y4m:PATH");
        assert_eq!(fails("images:"), "images needs a path: images:PATH");
        assert!(fails("command: ").contains("needs a program"));
        assert!(fails("pattern:640x480").contains("size"));
        for text in ["", "clip.y4m", "v4l3:/dev/video0"] {
            assert!(fails(text).contains("pattern, y4m:FILE, images:"), "{text}");
        }
    }

    #[test]
    fn a_clip_of_another_size_says_so() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("clip.y4m");
        std::fs::write(
            &path,
            b"YUV4MPEG2 W16 H14 F30:1 Cmono\nFRAME\n"
                .iter()
                .copied()
                .chain(std::iter::repeat_n(9, 16 * 14))
                .collect::<Vec<_>>(),
        )
        .unwrap();
        let open = |size, strip| {
            let options = SourceOptions { size, strip, ..Default::default() };
            SourceSpec::Y4m(path.clone()).open(&options).map(|_| ())
        };
        open(None, true).unwrap();
        open(Some((16, 14)), false).unwrap();
        let text = open(Some((32, 28)), false).unwrap_err().to_string();
        assert!(text.contains("is 16x14 and is not scaled to 32x28"), "{text}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let path = Path::new("/nowhere/at/all");
        for spec in [SourceSpec::Y4m(path.into()), SourceSpec::Images(path.into())] {
            let error = spec.open(&SourceOptions::default()).map(|_| ()).unwrap_err();
            assert!(error.to_string().starts_with("/nowhere/at/all: "), "{error}");
        }
    }
}
