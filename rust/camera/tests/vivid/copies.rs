//! How many bytes are copied on the way from a driver to a program.

use crate::child::{Child, say};
use crate::common::*;
use framelane::{Frame, MemoryKind};
use framelane_camera::v4l2::{Buffers, Mode};
use std::io::{Read, Write};

/// Bytes that this process has read and written by system calls, as the kernel counts them.
fn moved() -> (u64, u64) {
    let text = std::fs::read_to_string("/proc/self/io").unwrap();
    let of = |key| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    (of("rchar:").unwrap(), of("wchar:").unwrap())
}

/// Another process, that reads frames from a pipe: what it read, a frame.
pub fn piped(words: &[&str]) {
    let (frames, bytes): (u64, usize) = (words[1].parse().unwrap(), words[2].parse().unwrap());
    let mut pipe = std::fs::File::open(words[0]).unwrap();
    let mut frame = vec![0; bytes];
    let before = moved().0;
    (0..frames).for_each(|_| pipe.read_exact(&mut frame).unwrap());
    say((moved().0 - before) / frames);
}

/// Another process, that reads frames of the lane in place: what it moved, a frame.
pub fn leased(words: &[&str]) {
    let frames: u64 = words[0].parse().unwrap();
    let mut consumer = reader(2);
    say("attached");
    let before = moved();
    for _ in 0..frames {
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
        assert!(plane_length(&frame) > 0);
    }
    let after = moved();
    say((after.0 - before.0 + after.1 - before.1) / frames);
}

/// All planes mapped, as a program does that reads in place.
fn plane_length(frame: &Frame) -> u64 {
    let inline = frame.descriptor().memory_kind == MemoryKind::Inline.number();
    let length = |index| match inline {
        true => frame.plane(index).unwrap().len(),
        false => frame.revocable_plane(index).unwrap().len,
    };
    (0..frame.plane_count()).map(|index| length(index) as u64).sum()
}

/// Prints the bytes copied for each frame between the driver's buffer and what a program reads,
/// all processes together: counted by the kernel for a pipe, by the SDK for lanes.
#[test]
fn copies_from_the_driver_to_a_program() {
    const FRAMES: u64 = 30;
    println!("| from the driver to a program | bytes copied a frame | copies |");
    println!("|---|---|---|");
    let frame_bytes = u64::from(SIZE.0) * u64::from(SIZE.1) * 3 / 2;
    let row = |what: &str, bytes: u64| {
        println!("| {what} | {bytes} | {:.2} |", bytes as f64 / frame_bytes as f64);
        bytes
    };
    let bytes = row("written to a pipe, read by the program", through_a_pipe(FRAMES, frame_bytes));
    assert!(bytes >= 2 * frame_bytes);
    for (mode, what, copies) in [
        (Mode::Copy, "lane, mmap-copy", 1),
        (Mode::Import, "lane, dmabuf-import", 0),
        (Mode::Export, "lane, dmabuf-export", 0),
    ] {
        if mode == Mode::Import && !has_import() {
            continue;
        }
        let place = Place::new();
        let mut by_reader = 0;
        let stats = beside(config(&place, 0, Buffers::Only(mode)), || {
            let mut child = Child::start(&place, &format!("leased {FRAMES}"));
            child.expect("attached");
            by_reader = child.line().parse().unwrap();
            child.expect_success();
        });
        let copied = stats.copied_bytes / stats.published;
        // The kernel counts a line or two that the processes have told each other.
        assert!(by_reader < 256, "{by_reader} bytes a frame moved by the reader");
        row(what, copied);
        assert_eq!(copied, copies * frame_bytes);
    }
}

/// What a camera program costs that maps the driver's buffers and writes them to a pipe.
fn through_a_pipe(frames: u64, bytes: u64) -> u64 {
    let place = Place::new();
    let fifo = place.path().join("pipe");
    let path = fifo.to_str().unwrap().to_owned();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let (mut read, mut written) = (0, 0);
    beside(config(&place, 0, Buffers::Only(Mode::Export)), || {
        let mut child = Child::start(&place, &format!("piped {path} {frames} {bytes}"));
        let mut pipe = std::fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        let mut consumer = here(&place, 2);
        let before = moved().1;
        for _ in 0..frames {
            let frame = next(&mut consumer);
            for index in 0..frame.plane_count() {
                let plane = frame.descriptor().planes[index];
                let mut copy = vec![0; plane.size_bytes as usize];
                frame.copy_to(index, &mut copy).unwrap(); // a safe way to its bytes; not counted
                pipe.write_all(&copy).unwrap();
            }
        }
        written = (moved().1 - before) / frames;
        read = child.line().parse().unwrap();
        child.expect_success();
    });
    read + written
}
