//! `top` beside lanes of this process.

mod common;

use common::play::{captured, meanwhile};
use common::streams::{write, writer};
use common::{DEADLINE, Scene, publish, stale_socket};
use framelane::{
    Consumer, ConsumerOptions, Mode, StreamReader, StreamReaderOptions, SwitchController,
    SwitchControllerOptions,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};

fn lane<'a>(shown: &'a Value, name: &str) -> &'a Value {
    shown["lanes"].as_array().unwrap().iter().find(|lane| lane["name"] == name).unwrap()
}

#[test]
fn it_shows_every_lane_and_every_reader() {
    let scene = Scene::new();
    let producer = scene.grey("frames");
    let stream = writer(&scene);
    stale_socket(scene.path(), "killed");
    let options = ConsumerOptions::new(Mode::Latest).leases(3).directory(scene.directory());
    let mut reader = Consumer::open("frames", options).unwrap();
    publish(&producer);
    let held = reader.next(DEADLINE).unwrap().unwrap();
    held.copy_to(0, &mut [0; 64 * 48]).unwrap();
    let options = StreamReaderOptions::new().directory(scene.directory());
    let _records = StreamReader::open("video", options).unwrap();
    let shown = meanwhile(
        || {
            captured(&producer);
            write(&stream, true);
        },
        || scene.json(&["top", "--once"]),
    );
    let frames = lane(&shown, "frames");
    assert_eq!((&frames["state"], &frames["kind"]), (&json!("live"), &json!("frame")));
    assert!(frames["fps"].as_f64().unwrap() > 0.0 && frames["bits_per_s"].is_null(), "{frames}");
    assert_eq!((&frames["held"], &frames["leases_granted"]), (&json!(1), &json!(3)));
    assert!(frames["held_for_ns"].as_u64().unwrap() >= 250_000_000, "two looks apart: {frames}");
    assert!(frames["lag"].as_u64().unwrap() > 0, "{frames}");
    assert_eq!(frames["copied_bytes"], 64 * 48);
    let consumer = &frames["consumers"][0];
    assert_eq!((&consumer["pid"], &consumer["held"]), (&json!(std::process::id()), &json!(1)));
    assert_eq!((&consumer["leases"], &consumer["fps"]), (&json!(3), &json!(0.0)));
    let video = lane(&shown, "video");
    let (fps, bits) = (video["fps"].as_f64().unwrap(), video["bits_per_s"].as_f64().unwrap());
    assert!(fps > 0.0 && bits > 0.0, "{video}");
    assert_eq!((&video["format"], &video["width"]), (&json!("h264"), &json!(640)));
    assert_eq!(video["consumers"].as_array().unwrap().len(), 1);
    let killed = lane(&shown, "killed");
    assert_eq!((&killed["state"], &killed["fps"]), (&json!("stale"), &Value::Null));
    assert!(killed["reason"].as_str().unwrap().contains("was killed"));
    drop(held);
}

#[test]
fn a_switch_is_shown_with_its_active_lane() {
    let scene = Scene::new();
    let (day, _night) = (scene.grey("day"), scene.grey("night"));
    let options = SwitchControllerOptions::new().directory(scene.directory());
    let controller = SwitchController::create("both", &["day", "night"], options).unwrap();
    controller.select_lane("night").unwrap();
    controller.select_lane("day").unwrap();
    let shown = scene.json(&["top", "both", "--once"]);
    let both = lane(&shown, "both");
    assert_eq!((&both["kind"], &both["active"]), (&json!("switch"), &json!("day")));
    assert_eq!((&both["switches"], &both["newest_age_ns"]), (&json!(2), &Value::Null));
    assert!(both["fps"].is_null() && both["active_for_ns"].as_u64().is_some(), "{both}");
    assert!(scene.text(&["top", "--once"]).contains("-> day"));
    let text = scene.text(&["metrics"]);
    assert!(text.contains("framelane_switch_changes_total{lane=\"both\""), "{text}");
    assert!(!text.contains("framelane_lane_published_total{lane=\"both\""), "{text}");
    let run = || scene.json(&["latency", "both", "--duration", "0.5"]);
    let told = meanwhile(|| captured(&day), run);
    assert!(told["stages"][0]["count"].as_u64().unwrap() > 0, "{told}");
}

#[test]
fn sorting_puts_the_largest_on_top() {
    let scene = Scene::new();
    let (_idle, busy) = (scene.grey("a"), scene.grey("b"));
    stale_socket(scene.path(), "0");
    let names = |args: &[&str]| -> Vec<String> {
        let shown = meanwhile(|| captured(&busy), || scene.json(args));
        let lanes = shown["lanes"].as_array().unwrap().iter();
        lanes.map(|lane| lane["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["top", "--once"]), ["0", "a", "b"]);
    assert_eq!(names(&["top", "--once", "--sort", "fps"])[0], "b");
    assert_eq!(names(&["top", "--once", "--sort", "missed"])[2], "0", "it has no figures");
    assert_eq!(names(&["top", "a", "--once"]), ["a"]);
}

#[test]
fn it_goes_on_and_takes_no_lease() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let mut top = scene.command(&["top", "--json", "--interval", "0.1"]);
    let mut child = top.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        let line = lines.next().unwrap().unwrap();
        let shown: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(shown["lanes"][0]["consumers"], json!([]), "{shown}");
    }
    // Lanes come and go while it watches.
    let second = scene.grey("second");
    let until = |lines: &mut std::io::Lines<_>, count: usize| {
        common::until("it does not show the lanes there are", || {
            let line: String = Iterator::next(lines).unwrap().unwrap();
            let shown: Value = serde_json::from_str(&line).unwrap();
            shown["lanes"].as_array().unwrap().len() == count
        });
    };
    until(&mut lines, 2);
    drop((producer, second));
    until(&mut lines, 0);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(lines.all(|line| serde_json::from_str::<Value>(&line.unwrap()).is_ok()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn without_a_terminal_it_writes_plain_tables_until_nobody_reads() {
    let scene = Scene::new();
    let _producer = scene.grey("lane");
    let mut child = scene.command(&["top", "--interval", "0.1"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut headings = 0;
    while headings < 2 {
        let line = lines.next().unwrap().unwrap();
        assert!(!line.contains('\x1b'), "{line:?}");
        headings += usize::from(line.starts_with("LANE"));
    }
    drop(lines);
    common::until("it writes for nobody", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn one_look_at_a_lane_that_is_not_there_fails_with_the_places() {
    let scene = Scene::new();
    let ran = scene.run(&["top", "nosuch", "--once"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains(scene.path().to_str().unwrap()), "{}", ran.err);
    assert!(scene.text(&["top", "--once"]).starts_with("0 lanes, 0 readers"));
}
