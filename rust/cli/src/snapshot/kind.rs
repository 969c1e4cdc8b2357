//! What to write: by the file's ending, or as asked for.

use crate::failure::Usage;
use clap::ValueEnum;
use framelane::PixelFormat;
use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub enum Kind {
    Png,
    #[value(alias = "jpg")]
    Jpeg,
    Y4m,
    /// The bytes as they are, rows packed tightly
    Raw,
    #[value(skip)]
    RawOf(PixelFormat),
}

impl Kind {
    /// The kind asked for, else by the ending, else (for standard output) PNG.
    ///
    /// # Errors
    /// For an ending that says nothing, and one that says something else than asked for.
    pub fn choose(asked: Option<Kind>, file: Option<&Path>) -> Result<Kind, Usage> {
        let Some(file) = file else { return Ok(asked.unwrap_or(Kind::Png)) };
        let ending = file.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match (asked, by_ending(&ending)) {
            (Some(asked), _) => Ok(asked),
            (None, Some(kind)) => Ok(kind),
            (None, None) => Err(Usage(format!(
                "{} does not say what to write: end it in .png .jpg .y4m .raw, or use --format",
                file.display()
            ))),
        }
    }

    /// Refuses raw bytes under the name of another format.
    pub fn refuse_other_format(self, format: PixelFormat) -> Result<(), Usage> {
        match self {
            Kind::RawOf(named) if named != format => Err(Usage(format!(
                "the lane's frames are {}, not {}: end the file in .{} or .raw",
                format.label(),
                named.label(),
                format.label()
            ))),
            _ => Ok(()),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Png => "png",
            Kind::Jpeg => "jpeg",
            Kind::Y4m => "y4m",
            Kind::Raw | Kind::RawOf(_) => "raw",
        }
    }
}

fn by_ending(ending: &str) -> Option<Kind> {
    match ending {
        "png" => Some(Kind::Png),
        "jpg" | "jpeg" => Some(Kind::Jpeg),
        "y4m" => Some(Kind::Y4m),
        "raw" | "bin" => Some(Kind::Raw),
        "yuv" => Some(Kind::RawOf(PixelFormat::I420)),
        "rgb" => Some(Kind::RawOf(PixelFormat::Rgb24)),
        "bgr" => Some(Kind::RawOf(PixelFormat::Bgr24)),
        "gray" => Some(Kind::RawOf(PixelFormat::Grey)),
        other => PixelFormat::parse(other).ok().map(Kind::RawOf),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(file: &str) -> Option<Kind> {
        Kind::choose(None, Some(Path::new(file))).ok()
    }

    #[test]
    fn the_ending_chooses() {
        assert_eq!(chosen("a.PNG"), Some(Kind::Png));
        assert_eq!(chosen("a.b/c.jpg"), Some(Kind::Jpeg));
        assert_eq!(chosen("a.nv12"), Some(Kind::RawOf(PixelFormat::Nv12)));
        assert_eq!(chosen("a.yuv"), Some(Kind::RawOf(PixelFormat::I420)));
        for silent in ["a", "a.txt", ".png/a", "a.b/c"] {
            assert_eq!(chosen(silent), None, "{silent}");
        }
        let asked = Kind::choose(Some(Kind::Raw), Some(Path::new("a.txt"))).unwrap();
        assert_eq!(asked, Kind::Raw);
        assert_eq!(Kind::choose(None, None).unwrap(), Kind::Png);
    }

    #[test]
    fn raw_bytes_do_not_get_a_wrong_name() {
        let named = Kind::RawOf(PixelFormat::Nv12);
        assert!(named.refuse_other_format(PixelFormat::Nv12).is_ok());
        let error = named.refuse_other_format(PixelFormat::I420).unwrap_err();
        assert!(error.0.contains(".i420 or .raw"), "{error}");
        assert!(Kind::Png.refuse_other_format(PixelFormat::I420).is_ok());
    }
}
