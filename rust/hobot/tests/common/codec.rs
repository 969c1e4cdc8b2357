//! Pictures for the codec, and what comes out of it decoded again.
#![allow(unsafe_code, reason = "filling pictures in camera memory")]
#![allow(dead_code, reason = "each test file uses its own part of this")]

use framelane_hobot::{Format, GraphicBuffer, Memory, Picture, usage};
use std::io::Write;
use std::process::{Command, Stdio};

/// Fails with what to do when the program is missing that the stand-in encodes with.
pub fn ffmpeg_is_there() {
    let found = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status();
    let install = "ffmpeg is not on the search path: `apt install ffmpeg`, or run \
        `cargo xtask test --tier unit`, which brings one";
    assert!(found.is_ok_and(|status| status.success()), "{install}");
}

/// An NV12 picture of one brightness in memory of the board.
pub fn grey(memory: &Memory, width: i32, height: i32, stride: i32, value: u8) -> GraphicBuffer {
    picture_of(memory, width, height, stride, |_, _| value)
}

/// One whose luma is computed.
pub fn picture_of(
    memory: &Memory,
    width: i32,
    height: i32,
    stride: i32,
    luma: impl Fn(usize, usize) -> u8,
) -> GraphicBuffer {
    let flags = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN | usage::GRAPHIC_CONTIGUOUS;
    let format = Format::NV12;
    let wanted = Picture { width, height, format, flags, stride, vstride: 0 };
    let picture = memory.alloc_graphic(&wanted).unwrap();
    let stride = stride as usize;
    let mut bytes = Vec::new();
    for y in 0..height as usize {
        // What is between the rows would show.
        bytes.extend((0..stride).map(|x| if x < width as usize { luma(x, y) } else { 255 }));
    }
    bytes.resize(bytes.len() + stride * height as usize / 2, 128);
    let (address, size) = picture.planes()[0];
    assert!(bytes.len() >= size);
    // SAFETY: both planes are one mapping of ours for writing, as long as these bytes.
    unsafe { (address as *mut u8).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    picture
}

/// Whether a stream decodes without an error, to pictures of this size, the last of which is of
/// this brightness.
pub fn shown(format: &str, stream: &[u8], width: usize, height: usize, value: u8) -> bool {
    let pictures = decoded(format, stream);
    let size = width * height * 3 / 2;
    assert_eq!(pictures.len() % size, 0, "{} bytes", pictures.len());
    let last = &pictures[pictures.len() - size..][..width * height];
    last.iter().all(|&luma| luma.abs_diff(value) <= 3)
}

/// All pictures of a stream as I420.
pub fn decoded(format: &str, stream: &[u8]) -> Vec<u8> {
    ffmpeg_is_there();
    let mut child = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-f", format, "-i", "pipe:0", "-fps_mode", "passthrough"])
        .args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "pipe:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let stream = stream.to_vec();
    let feed = std::thread::spawn(move || input.write_all(&stream));
    let output = child.wait_with_output().unwrap();
    feed.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "decoding {format}: {said}");
    output.stdout
}
