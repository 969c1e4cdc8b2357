//! How many bytes are copied on the way from a driver to a program.

use crate::child::{Child, ROLE, say};
use crate::common::*;
use framelane::{Frame, FrameLayout, MemoryKind, PixelFormat, Producer, ProducerOptions};
use framelane_camera::command::{self, CommandOptions};
use framelane_camera::v4l2::{Buffers, Mode};
use std::fs::File;
use std::io::{Read, Write};
use std::time::Duration;

const FRAMES: u64 = 8;

/// Bytes that a process has read and written by system calls, as the kernel counts them.
pub fn moved(process: &str) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{process}/io")).unwrap();
    let of = |key| text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
    (of("rchar:").unwrap(), of("wchar:").unwrap())
}

/// What this process moves while it works, without the asking for it.
fn during(work: impl FnOnce()) -> u64 {
    let (zero, before) = (moved("self"), moved("self"));
    work();
    let after = moved("self");
    let (asking, all) = (before.0 - zero.0, after.0 - before.0 + after.1 - before.1);
    all.saturating_sub(asking)
}

fn frame_bytes() -> u64 {
    u64::from(SIZE.0) * u64::from(SIZE.1) * 3 / 2
}

/// Another process, that reads frames from a pipe: what it read, a frame.
pub fn piped(words: &[&str]) {
    let mut pipe = File::open(words[0]).unwrap();
    let mut frame = vec![0; frame_bytes() as usize];
    let read = during(|| (0..FRAMES).for_each(|_| pipe.read_exact(&mut frame).unwrap()));
    say(read / FRAMES);
}

/// Another process, that reads frames of the lane in place: what it moved, a frame.
pub fn leased(_: &[&str]) {
    let mut consumer = reader(2);
    say("attached");
    let moved = during(|| {
        for _ in 0..FRAMES {
            let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
            assert!(plane_length(&frame) > 0);
        }
    });
    say(moved / FRAMES);
}

/// Another process, a camera program that writes raw pictures to its descriptor 3, as `rpicam-vid`
/// does to its standard output. What it wrote, a frame, goes into a file.
pub fn writes(words: &[&str]) {
    let pipe = File::options().write(true).open("/dev/fd/3").unwrap();
    // Until somebody ends this.
    written_to(vec![pipe], u64::MAX, &mut |written| {
        let fresh = format!("{}.new", words[0]);
        std::fs::write(&fresh, written.to_string()).unwrap();
        std::fs::rename(fresh, words[0]).unwrap();
    });
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

/// Bytes copied for each frame, at each stage.
#[derive(Clone, Copy, Default)]
struct Stages {
    /// Written into pipes, as the kernel counts.
    written: u64,
    /// Read from pipes, by whoever does.
    read: u64,
    /// Copied in memory by the SDK.
    copied: u64,
    /// Moved by the readers of a lane with system calls.
    readers: u64,
}

impl Stages {
    fn sum(self) -> u64 {
        self.written + self.read + self.copied + self.readers
    }
}

/// Prints the bytes copied for each frame between the driver's buffer and what programs read, all
/// processes together, with one program and with two.
#[test]
fn copies_from_the_driver_to_a_program() {
    let bytes = frame_bytes();
    println!(
        "| from the driver to a program | into a pipe | out of it | in memory | by the reader | \
         copies | each further program |"
    );
    println!("|---|---|---|---|---|---|---|");
    let row = |what: &str, ways: &dyn Fn(usize) -> Stages, copies: u64, further: u64| {
        let (one, two) = (ways(1), ways(2));
        let each = two.sum().saturating_sub(one.sum());
        let Stages { written, read, copied, readers } = one;
        let count = |sum: u64| format!("{:.2}", sum as f64 / bytes as f64);
        let (all, more) = (count(one.sum()), count(each));
        println!("| {what} | {written} | {read} | {copied} | {readers} | {all} | {more} |");
        // Rounded: somebody's log may have a line more.
        assert_eq!((one.sum() + bytes / 8) / bytes, copies, "{what}");
        assert_eq!((each + bytes / 8) / bytes, further, "{what}, with another program");
    };
    row("a camera program writes to the program's pipe", &through_pipes, 2, 2);
    row("a camera program, source `command`, lane", &through_a_command, 2, 0);
    row("V4L2, lane, mmap-copy", &|n| through_a_lane(Mode::Copy, n), 1, 0);
    if has_import() {
        row("V4L2, lane, dmabuf-import", &|n| through_a_lane(Mode::Import, n), 0, 0);
    }
    row("V4L2, lane, dmabuf-export", &|n| through_a_lane(Mode::Export, n), 0, 0);
}

/// Processes that read the lane in place; what they moved, a frame, all together.
fn readers(place: &Place, count: usize) -> impl FnOnce() -> u64 {
    let start = |_| {
        let mut child = Child::start(place, "leased");
        child.expect("attached");
        child
    };
    let children: Vec<Child> = (0..count).map(start).collect();
    || {
        let each = children.into_iter().map(|mut child| {
            let moved: u64 = child.line().parse().unwrap();
            child.expect_success();
            moved
        });
        each.sum()
    }
}

/// The camera's own lane.
fn through_a_lane(mode: Mode, programs: usize) -> Stages {
    let place = Place::new();
    let mut moved = 0;
    let stats = beside(config(&place, 0, Buffers::Only(mode)), || {
        moved = readers(&place, programs)();
    });
    Stages { copied: stats.copied_bytes / stats.published, readers: moved, ..Stages::default() }
}

/// A camera program that writes each frame to a pipe for each other program.
fn through_pipes(programs: usize) -> Stages {
    let place = Place::new();
    let mut children = Vec::new();
    let mut pipes = Vec::new();
    for number in 0..programs {
        let fifo = place.path().join(format!("pipe{number}"));
        let (mode, kind) = (rustix::fs::Mode::RWXU, rustix::fs::FileType::Fifo);
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, kind, mode, 0).unwrap();
        children.push(Child::start(&place, &format!("piped {}", fifo.display())));
        pipes.push(File::options().write(true).open(&fifo).unwrap());
    }
    let written = written_to(pipes, FRAMES, &mut |_| {});
    let read = children.into_iter().map(|mut child| {
        let read: u64 = child.line().parse().unwrap();
        child.expect_success();
        read
    });
    Stages { written, read: read.sum(), ..Stages::default() }
}

/// The same camera program, started by the source `command`.
fn through_a_command(programs: usize) -> Stages {
    let place = Place::new();
    let layout = FrameLayout::new(PixelFormat::Nv12, SIZE.0, SIZE.1).unwrap();
    let options = ProducerOptions::new().layout(layout).directory(Some(place.path().to_owned()));
    let producer = Producer::create(LANE, options).unwrap();
    let told = place.path().join("written");
    let own = std::env::current_exe().unwrap();
    let command = format!(
        "{ROLE}='writes {}' exec {} --exact child_entry --nocapture --test-threads=1 3>&1 >&2",
        told.display(),
        own.display()
    );
    let options = CommandOptions {
        command,
        codec: None,
        rate: None,
        camera_id: 0,
        silence: Duration::ZERO,
        pictures: None,
    };
    let mut moved = 0;
    let filling = |stop: &dyn Fn() -> bool| command::run_raw(&producer, &layout, &options, stop);
    let stats = alongside(filling, || moved = readers(&place, programs)());
    assert_eq!((stats.starts, stats.no_free_slot), (1, 0), "{stats:?}");
    assert_eq!(producer.report().copied_bytes, stats.pictures * layout.total_bytes);
    let written = std::fs::read_to_string(told).unwrap().parse().unwrap();
    // Out of the pipe into the lane, which is what the SDK counts as copied.
    let read = producer.report().copied_bytes / stats.pictures;
    Stages { written, read, readers: moved, ..Stages::default() }
}

/// Maps the driver's buffers and writes them to pipes, which is all that a camera program can do
/// that has nothing else: the bytes written, a frame, which are also told after each.
fn written_to(mut pipes: Vec<File>, frames: u64, tell: &mut dyn FnMut(u64)) -> u64 {
    let place = Place::new();
    let mut written = 0;
    beside(config(&place, 0, Buffers::Only(Mode::Export)), || {
        let mut consumer = here(&place, 2);
        for number in 1..=frames {
            let frame = next(&mut consumer);
            let mut copy = vec![0; frame_bytes() as usize];
            let mut rest = &mut copy[..];
            for index in 0..frame.plane_count() {
                let size = frame.descriptor().planes[index].size_bytes as usize;
                let (plane, more) = rest.split_at_mut(size);
                frame.copy_to(index, plane).unwrap(); // a safe way to its bytes; not counted
                rest = more;
            }
            written += during(|| pipes.iter_mut().for_each(|pipe| pipe.write_all(&copy).unwrap()));
            tell(written / number);
        }
    });
    written / frames
}
