//! Where the demo's pictures come from.

use anyhow::{Result, bail};
use std::path::PathBuf;
use std::str::FromStr;

/// Frames of the camera that is active, for people.
pub const ACTIVE: &str = "pet_camera_active_zc";
/// The same for the detector.
pub const YOLO: &str = "pet_camera_yolo_zc";
/// Encoded video.
pub const STREAM: &str = "pet_camera_stream";

/// A source of pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Two cameras of an RDK X5, on the stand-in.
    HbVio,
    /// Cameras of the board that we are on, as a file says.
    Board(PathBuf),
    /// Coloured bars in motion.
    Pattern,
    /// A clip of a real picture, or a Y4M file of one's own.
    Clip(Option<String>),
    /// A camera of this machine.
    V4l2(Option<String>),
    /// A program that writes video.
    Command(String),
}

impl FromStr for Source {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest.to_owned())),
            None => (text, None),
        };
        Ok(match (kind, rest) {
            ("hb_vio", None) => Source::HbVio,
            ("hb_vio", Some(file)) if file.ends_with(".toml") => Source::Board(file.into()),
            ("pattern", None) => Source::Pattern,
            ("clip", file) => Source::Clip(file),
            ("v4l2", node) => Source::V4l2(node),
            ("command", Some(program)) => Source::Command(program),
            _ => bail!(
                "it is hb_vio[:FILE.toml], pattern, clip[:FILE.y4m], v4l2[:NODE] or \
                 command:'PROGRAM'"
            ),
        })
    }
}

impl Source {
    /// Whether the board is the stand-in, whose light and memory are ours.
    pub fn is_stand_in(&self) -> bool {
        *self == Source::HbVio
    }

    /// Whether the cameras are a board's, of either kind.
    pub fn is_board(&self) -> bool {
        matches!(self, Source::HbVio | Source::Board(_))
    }

    /// Whether there are frames; else there is a stream only.
    pub fn has_frames(&self) -> bool {
        !matches!(self, Source::Command(_))
    }

    /// Arguments of `framelane camera`: `clip` is the file of the clip, `config` of the cameras.
    pub fn arguments(&self, clip: &str, config: &str) -> Vec<String> {
        let lane = |source: String| vec![ACTIVE.to_owned(), "--source".to_owned(), source];
        let more = |mut words: Vec<String>, more: &[&str]| {
            words.extend(more.iter().map(|word| (*word).to_owned()));
            words
        };
        // Readers hold two frames each, and come and go.
        let sized = ["--size", "640x480", "--fps", "30", "--slots", "30", "--strip"];
        match self {
            Source::HbVio | Source::Board(_) => {
                more(vec![], &["--source", "hb_vio", "--config", config])
            }
            Source::Pattern => more(lane("pattern".to_owned()), &sized),
            Source::Clip(file) => {
                let file = file.as_deref().unwrap_or(clip);
                more(lane(format!("y4m:{file}")), &["--slots", "30", "--strip"])
            }
            Source::V4l2(None) => lane("v4l2".to_owned()),
            Source::V4l2(Some(node)) => lane(format!("v4l2:{node}")),
            Source::Command(program) => {
                let source = format!("command:{program}");
                vec![STREAM.to_owned(), "--source".to_owned(), source]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_from_what_is_typed() {
        let read = |text: &str| text.parse::<Source>().unwrap();
        assert_eq!(read("hb_vio"), Source::HbVio);
        assert_eq!(read("hb_vio:a/b.toml"), Source::Board("a/b.toml".into()));
        assert_eq!(read("clip:a:b.y4m"), Source::Clip(Some("a:b.y4m".into())));
        assert_eq!(read("v4l2"), Source::V4l2(None));
        assert_eq!(read("command:cat x"), Source::Command("cat x".into()));
        for wrong in ["hb_vio:0", "command", "webcam", ""] {
            let error = wrong.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("v4l2[:NODE]"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_board_is_told_from_the_stand_in_and_a_stream_from_frames() {
        let board = Source::Board("a.toml".into());
        assert!(board.is_board() && !board.is_stand_in() && Source::HbVio.is_stand_in());
        assert_eq!(board.arguments("", "a.toml")[2..], ["--config", "a.toml"]);
        let command = Source::Command("cat".into());
        assert!(!command.has_frames() && Source::V4l2(None).has_frames());
        assert_eq!(command.arguments("", "")[0], STREAM);
    }
}
