//! Streams read to their end, and judged by ffmpeg.

use super::{DEADLINE, Scene};
use framelane::{ErrorKind, Record, StreamReader, StreamReaderOptions, StreamStart};
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

pub fn start(scene: &Scene, args: &[&str]) -> Child {
    scene.command(args).spawn().unwrap()
}

pub fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
}

/// A reader from the oldest key record on, of a lane that may come late.
pub fn reader(scene: &Scene, lane: &str) -> StreamReader {
    let options = StreamReaderOptions::new()
        .start(StreamStart::OldestKey)
        .after_lap(StreamStart::OldestKey)
        .wait_for_lane(DEADLINE)
        .directory(scene.directory());
    StreamReader::open(lane, options).unwrap()
}

/// The next record within the deadline.
pub fn next(reader: &mut StreamReader) -> Record {
    let start = Instant::now();
    while start.elapsed() < DEADLINE {
        match reader.next(DEADLINE) {
            Ok(Some(record)) => return record,
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::Lapped => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no record within the deadline");
}

pub fn take(reader: &mut StreamReader, count: usize) -> Vec<Record> {
    (0..count).map(|_| next(reader)).collect()
}

pub fn joined(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(|record| record.bytes().iter().copied()).collect()
}

/// Output of ffmpeg, which must succeed and have nothing to complain of.
pub fn ffmpeg(args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-hide_banner", "-v", "error", "-threads", "1"]).args(args);
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

/// Luma of each picture of a stream, decoded without a complaint.
pub fn decoded(format: &str, bytes: &[u8], width: usize, height: usize) -> Vec<Vec<u8>> {
    let args = ["-f", format, "-i", "-", "-fps_mode", "passthrough", "-f", "rawvideo"];
    let raw = ffmpeg(&[&args[..], &["-pix_fmt", "yuv420p", "-"]].concat(), bytes);
    let size = width * height * 3 / 2;
    assert_eq!(raw.len() % size, 0, "pictures of {width}x{height}");
    raw.chunks(size).map(|picture| picture[..width * height].to_vec()).collect()
}
