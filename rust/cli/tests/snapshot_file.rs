//! `snapshot`: the file, the waiting, and what goes wrong.

mod common;

use common::picture::{USUAL, painted};
use common::{Scene, layout, publish};
use framelane::{PixelFormat, ProducerOptions};
use serde_json::Value;
use std::process::Command;

#[test]
fn what_was_written_is_told() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    publish(&producer);
    publish(&producer);
    let ran = finish_in(&scene, &["snapshot", "lane"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("lane.png: frame 2 of lane lane, grey 64x48"), "{}", ran.err);
    assert!(ran.err.contains(" old; "), "{}", ran.err);
    assert!(scene.path().join("lane.png").exists());
    let told =
        scene.json(&["snapshot", "lane", "-o", scene.path().join("b.png").to_str().unwrap()]);
    assert_eq!((&told["sequence"], &told["kind"]), (&Value::from(2), &Value::from("png")));
    assert_eq!(told["bytes"], std::fs::metadata(scene.path().join("b.png")).unwrap().len());
    assert!(told["age_ns"].as_u64().unwrap() > 0);
}

/// A run whose working directory is the scene's.
fn finish_in(scene: &Scene, args: &[&str]) -> common::Ran {
    common::finish(scene.command(args).current_dir(scene.path()).spawn().unwrap())
}

#[test]
fn it_waits_for_a_frame_and_gives_up_in_time() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let ran = scene.run(&["snapshot", "lane", "-o", "-", "--timeout", "0.1"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no frame for 0.1 s"), "{}", ran.err);
    publish(&producer);
    let ran = scene.run(&["snapshot", "lane", "-o", "-", "--timeout", "0.1", "--next"]);
    assert_eq!(ran.code, 1, "the one that was there is not the next: {}", ran.err);
    let args = ["snapshot", "lane", "-o", "-", "--next", "--timeout", "50"];
    let waiting = scene.command(&args).spawn().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                publish(&producer);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let ran = common::finish(waiting);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.starts_with(b"\x89PNG"));
    });
}

#[test]
fn ctrl_c_ends_the_waiting_and_leaves_no_file() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let mut command = scene.command(&["snapshot", "lane", "--timeout", "50"]);
    let child = command.current_dir(scene.path()).spawn().unwrap();
    let pid = rustix::process::Pid::from_child(&child);
    common::until("nobody attached", || producer.consumers() == 1);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = common::finish(child);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("interrupted"), "{}", ran.err);
    assert_eq!(files(&scene), ["lane.lock", "lane.sock"]);
}

fn files(scene: &Scene) -> Vec<String> {
    let entries = std::fs::read_dir(scene.path()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_full_disk_is_a_clear_error_and_leaves_no_half_file() {
    let scene = Scene::new();
    let format = PixelFormat::Rgb24;
    let _producer = painted(&scene, "lane", format, layout(format, 320, 240), USUAL);
    let ran = scene.run(&["snapshot", "lane", "-o", "/dev/full", "--format", "png"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("writing /dev/full") && ran.err.contains("No space left"),
        "{}",
        ran.err
    );
    // Another way of not being able to write it all: a limit of one block on the size of files.
    let file = scene.path().join("picture.raw");
    std::fs::write(&file, b"the picture of before").unwrap();
    let limited = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$0\" snapshot lane -o \"$1\""])
        .arg(env!("CARGO_BIN_EXE_framelane"))
        .arg(&file)
        .env("FRAMELANE_DIR", scene.path())
        .output()
        .unwrap();
    let text = String::from_utf8(limited.stderr).unwrap();
    assert_eq!(limited.status.code(), Some(1), "{text}");
    assert!(text.contains("picture.raw") && text.contains("File too large"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), b"the picture of before");
    assert_eq!(files(&scene), ["lane.lock", "lane.sock", "picture.raw"]);
}

#[test]
fn a_lane_whose_leases_are_taken_says_who_to_ask() {
    let scene = Scene::new();
    let layout = layout(PixelFormat::Grey, 8, 8);
    let producer = scene.producer("lane", ProducerOptions::new().layout(layout).lease_budget(1));
    publish(&producer);
    let options = framelane::ConsumerOptions::new(framelane::Mode::Latest);
    let _reader = framelane::Consumer::open("lane", options.directory(scene.directory())).unwrap();
    let ran = scene.run(&["snapshot", "lane", "-o", "-"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("try: framelane who lane"), "{}", ran.err);
}
