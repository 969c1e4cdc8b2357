//! `latency` beside lanes of this process.

mod common;

use common::play::{captured, meanwhile};
use common::streams::{write, writer};
use common::{Scene, publish};
use framelane::layout::ClockId;
use framelane::{RecordInfo, monotonic_ns};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn stage<'a>(told: &'a Value, name: &str) -> &'a Value {
    told["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == name).unwrap()
}

fn assert_ordered(figures: &Value) {
    let keys = ["min_ns", "p50_ns", "p90_ns", "p99_ns", "p99_9_ns", "max_ns"];
    let row = keys.map(|key| figures[key].as_u64().unwrap_or_else(|| panic!("{figures}")));
    assert!(row.is_sorted(), "{figures}");
    let buckets = figures["buckets"].as_array().unwrap();
    let all: u64 = buckets.iter().map(|bucket| bucket["count"].as_u64().unwrap()).sum();
    assert_eq!(all, figures["count"].as_u64().unwrap(), "{figures}");
}

#[test]
fn every_stage_of_a_frame_is_measured() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    publish(&producer);
    let run = || scene.json(&["latency", "lane", "--duration", "1"]);
    let told = meanwhile(|| captured(&producer), run);
    assert_eq!((&told["kind"], &told["epochs"]), (&json!("frame"), &json!(1)));
    assert_eq!(told["incomparable_captures"], json!({}), "the first frame was older");
    for name in ["capture_to_publish", "publish_to_received", "capture_to_received"] {
        let figures = stage(&told, name);
        assert_eq!(figures["count"], told["received"], "{name}");
        assert_ordered(figures);
    }
    let (woken, taken) = (stage(&told, "publish_to_woken"), stage(&told, "woken_to_received"));
    assert_eq!(woken["count"], taken["count"]);
    assert!(woken["count"].as_u64().unwrap() > 0, "it slept before some frames");
    let max = |name: &str| stage(&told, name)["max_ns"].as_u64().unwrap();
    assert!(max("capture_to_received") >= max("publish_to_received"));
}

#[test]
fn records_have_no_capture_time_and_it_says_so() {
    let scene = Scene::new();
    let stream = writer(&scene);
    let told = meanwhile(
        || write(&stream, false),
        || scene.json(&["latency", "video", "--duration", "0.5"]),
    );
    assert_eq!(told["kind"], "stream");
    assert_ordered(stage(&told, "publish_to_received"));
    assert_eq!(stage(&told, "capture_to_publish")["count"], 0);
    assert_eq!(stage(&told, "capture_to_publish")["p50_ns"], Value::Null);
    assert_eq!(told["incomparable_captures"]["no_time"], told["received"]);
    let text = meanwhile(
        || write(&stream, false),
        || scene.text(&["latency", "video", "--duration", "0.3", "--histogram"]),
    );
    assert!(text.contains("not when that was") && text.contains("##"), "{text}");
}

#[test]
fn records_are_measured_from_the_capture_of_their_frames() {
    let scene = Scene::new();
    let (producer, stream) = (scene.grey("lane"), writer(&scene));
    let ids = AtomicU64::new(1);
    let both = || {
        let id = ids.fetch_add(1, Ordering::Relaxed);
        let mut frame = producer.claim().unwrap();
        let about = frame.descriptor_mut();
        about.capture_id = id;
        about.capture_ns = monotonic_ns();
        about.capture_clock = ClockId::Monotonic.number();
        frame.publish().unwrap();
        // Whoever reads both may see the record first.
        std::thread::sleep(Duration::from_millis(20));
        let mut info = RecordInfo::new();
        info.capture_id = id;
        stream.write(&info, &[b"result"]).unwrap();
    };
    let run = || scene.json(&["latency", "video", "--of", "lane", "--duration", "1"]);
    let told = meanwhile(both, run);
    let figures = stage(&told, "capture_to_received");
    assert!(figures["count"].as_u64().unwrap() > 0, "{told}");
    assert!(figures["min_ns"].as_u64().unwrap() >= 20_000_000, "{told}");
    let ran = scene.run(&["latency", "lane", "--of", "lane"]);
    assert!(ran.code == 1 && ran.err.contains("--of is for streams"), "{}", ran.err);
}

#[test]
fn a_capture_clock_that_cannot_be_compared_is_named() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let foreign = |clock: ClockId, capture_ns: u64| {
        let mut frame = producer.claim().unwrap();
        frame.descriptor_mut().capture_clock = clock.number();
        frame.descriptor_mut().capture_ns = capture_ns;
        frame.publish().unwrap();
    };
    let run = || scene.text(&["latency", "lane", "--duration", "0.3"]);
    let text = meanwhile(|| foreign(ClockId::Unknown, 5), run);
    assert!(text.contains("of an unknown clock, not comparable"), "{text}");
    let text = meanwhile(|| foreign(ClockId::Monotonic, u64::MAX), run);
    assert!(text.contains("its clock is not this machine's, or was set back"), "{text}");
    let text = meanwhile(|| foreign(ClockId::Monotonic, 0), run);
    assert!(text.contains("with no capture time"), "{text}");
}

#[test]
fn it_is_no_obstacle_and_ctrl_c_ends_it_with_its_table() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let ran = meanwhile(
        || captured(&producer),
        || {
            let child = scene.command(&["latency", "lane"]).spawn().unwrap();
            common::until("nobody reads", || {
                let report = producer.report();
                report.consumer_count > 0 && report.consumers[0].received > 5
            });
            kill_process(Pid::from_child(&child), Signal::INT).unwrap();
            common::finish(child)
        },
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.text().contains("capture to received"), "{}", ran.text());
    assert_eq!(producer.report().no_free_slot, 0);
}
