//! Clips out of ffmpeg, and what ffmpeg says of files.

use super::Scene;
use framelane_camera::mp4::{Reader, Unit};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two seconds of the size 320x240 at 30 pictures a second, a key picture each 15, B pictures
/// between.
pub struct Clip {
    pub path: PathBuf,
}

impl Clip {
    pub fn new(scene: &Scene, codec: &str, more: &[&str]) -> Clip {
        let path = scene.path().join(format!("clip-{codec}-{}.mp4", more.len()));
        let source = "testsrc2=size=320x240:rate=30:duration=2";
        let args = ["-y", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", "-c:v", codec];
        let keys = match codec {
            "libx265" => {
                &["-x265-params", "log-level=error:keyint=15:min-keyint=15:scenecut=0"][..]
            }
            _ => &["-g", "15", "-keyint_min", "15", "-sc_threshold", "0", "-bf", "2"],
        };
        let all = [&args[..], keys, more, &[path.to_str().unwrap()]].concat();
        silent(&ffmpeg(&all));
        Clip { path }
    }

    pub fn text(&self) -> &str {
        self.path.to_str().unwrap()
    }
}

/// A run of ffmpeg that must succeed.
pub fn ffmpeg(args: &[&str]) -> Output {
    let output = Command::new("ffmpeg").args(["-hide_banner", "-nostdin"]).args(args).output();
    let install = "ffmpeg is needed: `apt install ffmpeg`, or `cargo xtask test --tier unit`";
    let output = output.expect(install);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    output
}

fn silent(output: &Output) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.to_lowercase().contains("error"), "{said}");
}

/// Checksum of all pictures, which must decode without a word of complaint.
pub fn decode(path: &Path) -> String {
    let args = ["-v", "warning", "-i", path.to_str().unwrap(), "-map", "0:v", "-f", "md5", "-"];
    let output = ffmpeg(&args);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{}", path.display());
    String::from_utf8(output.stdout).unwrap()
}

pub fn first_frame_is_key(path: &Path) -> bool {
    let show = ["-i", path.to_str().unwrap(), "-frames:v", "1", "-vf", "showinfo"];
    let output = ffmpeg(&[&show[..], &["-f", "null", "-"]].concat());
    String::from_utf8_lossy(&output.stderr).contains("iskey:1")
}

/// Access units of a file, which must be whole.
pub fn units(path: &Path) -> Vec<Unit> {
    let mut reader = Reader::open(path).unwrap();
    assert_eq!(reader.contents().cut, None, "{}", path.display());
    std::iter::from_fn(|| reader.next().unwrap()).collect()
}
