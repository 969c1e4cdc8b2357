//! Video for tests, made and judged by ffmpeg.

use std::io::Write;
use std::process::{Command, Stdio};

/// Output of ffmpeg, which must succeed and have nothing to complain of.
pub(crate) fn ffmpeg(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-v", "error", "-threads", "2"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| {
        panic!("ffmpeg: {error}; apt install ffmpeg, or cargo xtask test --tier unit")
    });
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "{args:?}: {complaints}");
    output.stdout
}

/// So many moving pictures of a size, 25 a second, encoded with `options` into `format`.
pub(crate) fn clip(size: &str, pictures: u32, format: &str, options: &str) -> Vec<u8> {
    let (source, count) = (format!("testsrc=size={size}:rate=25"), pictures.to_string());
    let from = ["-f", "lavfi", "-i", &source, "-frames:v", &count, "-pix_fmt", "yuv420p"];
    let how: Vec<_> = options.split_whitespace().collect();
    ffmpeg(&[&from[..], &how[..], &["-f", format, "-"]].concat(), &[])
}

/// A checksum of each picture that a decoder makes of a stream.
pub(crate) fn pictures(format: &str, bytes: &[u8]) -> Vec<String> {
    let args = ["-f", format, "-i", "-", "-an", "-f", "framemd5", "-"];
    let text = String::from_utf8(ffmpeg(&args, bytes)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit(',').next().unwrap().trim().to_owned()).collect()
}
