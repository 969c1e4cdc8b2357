//! Where the demo's pictures come from.

use anyhow::{Result, bail};
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
            ("pattern", None) => Source::Pattern,
            ("clip", file) => Source::Clip(file),
            ("v4l2", node) => Source::V4l2(node),
            ("command", Some(program)) => Source::Command(program),
            _ => bail!("it is hb_vio, pattern, clip[:FILE.y4m], v4l2[:NODE] or command:'PROGRAM'"),
        })
    }
}

impl Source {
    /// Whether there are two cameras behind switches, whose memory can be looked at.
    pub fn is_dual(&self) -> bool {
        *self == Source::HbVio
    }

    /// Whether there are frames; else there is a stream only.
    pub fn has_frames(&self) -> bool {
        !matches!(self, Source::Command(_))
    }

    /// The lane or switch that the detector reads.
    pub fn yolo(&self) -> &'static str {
        if self.is_dual() { YOLO } else { ACTIVE }
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
            Source::HbVio => more(vec![], &["--source", "hb_vio", "--config", config]),
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
        assert_eq!(read("clip:a:b.y4m"), Source::Clip(Some("a:b.y4m".into())));
        assert_eq!(read("v4l2"), Source::V4l2(None));
        assert_eq!(read("command:cat x"), Source::Command("cat x".into()));
        for wrong in ["hb_vio:0", "command", "webcam", ""] {
            let error = wrong.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains("v4l2[:NODE]"), "{wrong}: {error}");
        }
    }

    #[test]
    fn only_the_boards_cameras_stand_behind_switches() {
        assert_eq!((Source::HbVio.yolo(), Source::Pattern.yolo()), (YOLO, ACTIVE));
        let command = Source::Command("cat".into());
        assert!(!command.has_frames() && Source::V4l2(None).has_frames());
        assert_eq!(command.arguments("", "")[0], STREAM);
    }
}
