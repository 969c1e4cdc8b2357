//! `framelane camera --source command:… --format …`: pixels of a program become frames.
//!
//! The program stands in for `rpicam-vid --codec yuv420 -o -`: it writes I420 pictures one directly
//! after the other, whose rows of luma are padded to a multiple of 64 bytes and those of chroma to
//! half of that, in pieces of any length.

mod common;

use common::{DEADLINE, Ran, Scene, finish};
use framelane::layout::FrameFlag;
use framelane::{Consumer, ConsumerOptions, Frame, Mode};
use std::path::Path;
use std::process::Child;

const SIZE: (usize, usize) = (100, 6);
const STRIDE: usize = 128;
const PICTURE: usize = STRIDE * SIZE.1 * 3 / 2;

/// Pictures 1 to `count`: luma is the number, chroma that and 100 or 200, padding is 0xee.
fn pictures(count: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 1..=count {
        for (value, width, stride, rows) in [
            (number, SIZE.0, STRIDE, SIZE.1),
            (number + 100, SIZE.0 / 2, STRIDE / 2, SIZE.1 / 2),
            (number + 200, SIZE.0 / 2, STRIDE / 2, SIZE.1 / 2),
        ] {
            for _ in 0..rows {
                bytes.extend(std::iter::repeat_n(value, width));
                bytes.extend(std::iter::repeat_n(0xee, stride - width));
            }
        }
    }
    bytes
}

/// The program: it waits for the file `go`, and writes what is in a file.
fn program(scene: &Scene, bytes: &[u8], then: &str) -> String {
    let file = scene.path().join("pictures");
    std::fs::write(&file, bytes).unwrap();
    let (file, go) = (file.display(), scene.path().join("go"));
    let wait = format!("while [ ! -e '{}' ]; do sleep 0.02; done", go.display());
    // A length that divides nothing.
    format!("command:{wait}; dd bs=997 if='{file}' 2>/dev/null; {then}")
}

fn camera(scene: &Scene, source: &str, more: &[&str]) -> Child {
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    let (stride, raw) = (STRIDE.to_string(), ["--format", "i420", "--size"]);
    let args = [&["camera", "cam", "--json", "--source", source][..], &raw, &[&size]].concat();
    let args = [&args[..], &["--stride", &stride, "--history", "30"], more].concat();
    scene.command(&args).spawn().unwrap()
}

fn reader(scene: &Scene) -> Consumer {
    let options = ConsumerOptions::new(Mode::Ordered).wait_for_lane(DEADLINE);
    let consumer = Consumer::open("cam", options.directory(scene.directory())).unwrap();
    go(scene.path());
    consumer
}

fn go(place: &Path) {
    std::fs::write(place.join("go"), "").unwrap();
}

fn next(consumer: &mut Consumer) -> Frame {
    consumer.next(DEADLINE).unwrap().expect("a frame in time")
}

/// The number of a picture, all of whose pixels must be as they were written.
fn number(frame: &Frame) -> u8 {
    let number = frame.plane(0).unwrap()[0];
    for (plane, (add, width, rows)) in
        [(0, SIZE.0, SIZE.1), (100, SIZE.0 / 2, SIZE.1 / 2), (200, SIZE.0 / 2, SIZE.1 / 2)]
            .into_iter()
            .enumerate()
    {
        let stride = frame.descriptor().planes[plane].stride_bytes as usize;
        let bytes = frame.plane(plane).unwrap();
        assert_eq!(bytes.len(), stride * rows, "plane {plane}");
        for row in bytes.chunks(stride) {
            assert!(row[..width].iter().all(|&pixel| pixel == number + add), "plane {plane}");
        }
    }
    number
}

fn summary(ran: &Ran) -> serde_json::Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_slice(&ran.out).unwrap()
}

#[test]
fn padded_pictures_arrive_whole_and_in_order() {
    let scene = Scene::new();
    let source = program(&scene, &pictures(20), "sleep 1000");
    let running = camera(&scene, &source, &["--frames", "20", "--fps", "50"]);
    let mut consumer = reader(&scene);
    let mut last = 0;
    for expected in 1..=20 {
        let frame = next(&mut consumer);
        assert_eq!(number(&frame), expected);
        let d = frame.descriptor();
        assert_eq!((d.width, d.height, d.capture_id), (100, 6, u64::from(expected)));
        let strides = [0, 1, 2].map(|plane| d.planes[plane].stride_bytes);
        assert_eq!(strides, [128, 64, 64]);
        assert!(expected == 1 || d.capture_ns - last == 20_000_000, "spaced by --fps");
        last = d.capture_ns;
    }
    let ran = summary(&finish(running));
    let bytes = 20 * PICTURE as u64;
    assert_eq!((ran["pictures"].as_u64(), ran["torn"].as_u64()), (Some(20), Some(0)));
    assert_eq!(ran["copied_bytes"].as_u64(), Some(bytes), "once, out of the pipe");
}

#[test]
fn a_torn_picture_is_never_shown_and_the_program_starts_again() {
    let scene = Scene::new();
    let bytes = &pictures(3)[..PICTURE * 5 / 2];
    let source = program(&scene, bytes, "exit 3");
    let running = camera(&scene, &source, &["--frames", "6"]);
    let mut consumer = reader(&scene);
    for round in 0..3 {
        for expected in 1..=2 {
            let frame = next(&mut consumer);
            assert_eq!(number(&frame), expected);
            let gap = frame.descriptor().flags & FrameFlag::DISCONTINUITY != 0;
            assert_eq!(gap, round > 0 && expected == 1, "round {round}, picture {expected}");
            assert!(!frame.new_epoch() || (round, expected) == (0, 1), "the lane stays");
        }
    }
    let ran = finish(running);
    assert!(ran.err.contains("exit status: 3"), "{}", ran.err);
    let ran = summary(&ran);
    assert_eq!((ran["starts"].as_u64(), ran["torn"].as_u64()), (Some(3), Some(2)));
}

#[test]
fn a_reader_that_holds_its_frame_does_not_stop_the_program() {
    let scene = Scene::new();
    let source = program(&scene, &pictures(40), "sleep 1000");
    let running = camera(&scene, &source, &["--frames", "40"]);
    let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
    let mut consumer = Consumer::open("cam", options.directory(scene.directory())).unwrap();
    go(scene.path());
    let held = next(&mut consumer);
    let shown = number(&held);
    let ran = summary(&finish(running));
    assert_eq!(ran["pictures"].as_u64(), Some(40));
    assert_eq!(number(&held), shown, "what is held stays as it is, also when the lane has ended");
}

#[test]
fn what_cannot_be_is_said_at_once() {
    let scene = Scene::new();
    let run = |args: &[&str]| {
        scene.run(&[&["camera", "cam", "--source", "command:true"][..], args].concat())
    };
    for (args, says) in [
        (&["--format", "i420"][..], "--format of a command needs --size"),
        (&["--size", "64x48"], "--size is for pixels, and needs --format"),
        (&["--stride", "64"], "--stride is for pixels, and needs --format"),
        (&["--format", "i420", "--size", "64x48", "--lossless"], "a command must not"),
    ] {
        let ran = run(args);
        assert!(ran.code == 2 && ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    let ran = run(&["--format", "i420", "--size", "64x48", "--stride", "63"]);
    assert!(ran.code == 1 && ran.err.contains("do not fit a stride of 63"), "{}", ran.err);
    let ran = run(&["--format", "i420", "--size", "64x48"]);
    assert!(ran.code == 1 && ran.err.contains("3 times, and not one picture came"), "{}", ran.err);
}

#[test]
fn a_silent_program_is_started_again() {
    let scene = Scene::new();
    // One and a half pictures, and then nothing.
    let source = program(&scene, &pictures(2)[..PICTURE * 3 / 2], "sleep 1000");
    let running = camera(&scene, &source, &["--frames", "2", "--silence", "0.5"]);
    let mut consumer = reader(&scene);
    for _ in 0..2 {
        assert_eq!(number(&next(&mut consumer)), 1);
    }
    let ran = finish(running);
    assert!(ran.err.contains("no picture for 0.5 s"), "{}", ran.err);
    assert_eq!(summary(&ran)["torn"], 1);
}
