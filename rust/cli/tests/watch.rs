//! `framelane watch` as a process of its own, beside a producer in this one.

use framelane::{FrameLayout, PixelFormat, Producer, ProducerOptions};
use framelane_camera::strip::{self, Mark};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

fn watch(directory: &Path, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_framelane"))
        .env("FRAMELANE_DIR", directory)
        .args(["watch", "clip", "--json", "--interval", "0.05"])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn producer(directory: &Path) -> Producer {
    let options = ProducerOptions::new().layout(layout()).history(8);
    Producer::create("clip", options.directory(Some(directory.to_owned()))).unwrap()
}

fn layout() -> FrameLayout {
    FrameLayout::new(PixelFormat::Grey, 64, 48).unwrap()
}

/// Publishes a picture with its strip, after `spoil` had its way with the bytes.
fn publish(producer: &Producer, number: u64, spoil: impl FnOnce(&mut [u8])) {
    let mut frame = producer.claim().unwrap();
    let (descriptor, payload) = frame.split_mut();
    layout().apply(descriptor);
    descriptor.capture_id = number;
    strip::write(&layout(), payload, &Mark::of(descriptor)).unwrap();
    spoil(payload);
    frame.publish().unwrap();
}

fn wait_for_consumer(producer: &Producer) {
    let start = Instant::now();
    while producer.consumers() == 0 {
        assert!(start.elapsed() < DEADLINE, "nobody attached");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn publish_until_it_ends(producer: &Producer, child: &mut Child, spoil: impl Fn(u64, &mut [u8])) {
    let start = Instant::now();
    for number in 1.. {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        assert!(start.elapsed() < DEADLINE, "it does not end");
        publish(producer, number, |payload| spoil(number, payload));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The JSON lines of a process that must end by itself.
fn lines(child: &mut Child) -> Vec<Value> {
    let output = BufReader::new(child.stdout.take().unwrap());
    let values = output.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    values
}

#[test]
fn every_frame_is_counted_and_the_last_line_is_final() {
    let directory = tempfile::tempdir().unwrap();
    // The reader comes first: it waits for the lane.
    let mut child =
        watch(directory.path(), &["--mode", "ordered", "--verify-strip", "--frames", "20"]);
    let producer = producer(directory.path());
    wait_for_consumer(&producer);
    publish_until_it_ends(&producer, &mut child, |_, _| {});
    let lines = lines(&mut child);
    assert!(child.wait().unwrap().success());
    let last = lines.last().unwrap();
    assert_eq!((&last["final"], &last["received"]), (&Value::Bool(true), &20.into()));
    assert_eq!(last["mode"], "ordered");
    for wrong in ["torn", "out_of_order", "unaccounted"] {
        assert_eq!(last[wrong], 0, "{wrong}");
    }
    assert_eq!(last["lane"]["copied_bytes"], 0);
    assert!(lines[..lines.len() - 1].iter().all(|line| line["final"] == false));
}

#[test]
fn a_changed_byte_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let producer = producer(directory.path());
    let mut child =
        watch(directory.path(), &["--mode", "ordered", "--verify-strip", "--frames", "20"]);
    wait_for_consumer(&producer);
    publish_until_it_ends(&producer, &mut child, |number, payload| {
        if number % 10 == 5 {
            *payload.last_mut().unwrap() ^= 1;
        }
    });
    let last = lines(&mut child).pop().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    assert!(last["torn"].as_u64().unwrap() >= 1, "{last}");
    assert!(last["first_error"].as_str().unwrap().contains("torn"), "{last}");
    assert_eq!(last["out_of_order"], 0, "{last}");
}

#[test]
fn it_ends_in_order_when_asked_to() {
    let directory = tempfile::tempdir().unwrap();
    let producer = producer(directory.path());
    let mut child = watch(directory.path(), &[]);
    wait_for_consumer(&producer);
    publish(&producer, 1, |_| {});
    let asked = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(asked, rustix::process::Signal::TERM).unwrap();
    let lines = lines(&mut child);
    assert!(child.wait().unwrap().success());
    assert_eq!(lines.last().unwrap()["final"], true);
}

#[test]
fn a_lane_that_never_comes_is_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_framelane"))
        .env("FRAMELANE_DIR", directory.path())
        .args(["watch", "nobody", "--wait", "0.1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody"));
}
