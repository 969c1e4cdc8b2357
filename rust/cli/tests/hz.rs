//! `hz` beside a producer of this process.

mod common;

use common::play::{captured, meanwhile};
use common::{Scene, publish};
use framelane::{Producer, ProducerOptions};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Runs something while frames come.
fn while_playing<T>(producer: &Producer, run: impl FnOnce() -> T) -> T {
    meanwhile(|| captured(producer), run)
}

fn assert_ordered(spread: &Value) {
    let figures = ["min", "median", "p99", "max"].map(|key| spread[key].as_u64().unwrap());
    assert!(figures.is_sorted(), "{spread}");
}

#[test]
fn a_duration_ends_it_with_one_object() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let told = while_playing(&producer, || scene.json(&["hz", "lane", "--duration", "1"]));
    assert_eq!((&told["lane"], &told["epochs"]), (&Value::from("lane"), &Value::from(1)));
    let received = told["received"].as_u64().unwrap();
    assert!(received >= 2, "{told}");
    assert!(told["window_frames"].as_u64().unwrap() <= received);
    assert!(told["duration_ns"].as_u64().unwrap() >= 1_000_000_000, "{told}");
    let rate = told["rate_fps"].as_f64().unwrap();
    assert!(rate > 0.0 && rate <= 260.0, "never faster than it was played: {rate}");
    for spread in ["interval_ns", "publish_to_seen_ns", "capture_to_seen_ns"] {
        assert_ordered(&told[spread]);
    }
    assert!(told["interval_ns"]["min"].as_u64().unwrap() >= 4_000_000, "{told}");
    let (publish, capture) = (&told["publish_to_seen_ns"], &told["capture_to_seen_ns"]);
    assert!(publish["min"].as_u64() <= capture["min"].as_u64(), "captured before it is published");
}

#[test]
fn the_window_bounds_what_the_figures_are_over() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    let args = ["hz", "lane", "--duration", "1", "--window", "3"];
    let told = while_playing(&producer, || scene.json(&args));
    assert_eq!(told["window_frames"], 3);
    assert!(told["received"].as_u64().unwrap() > 3);
}

#[test]
fn ctrl_c_ends_it_with_its_summary() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    for signal in [Signal::INT, Signal::TERM] {
        let ran = while_playing(&producer, || {
            let child = scene.command(&["hz", "lane"]).spawn().unwrap();
            let pid = Pid::from_child(&child);
            common::until("nobody reads", || {
                let report = producer.report();
                report.consumer_count > 0 && report.consumers[0].received > 20
            });
            kill_process(pid, signal).unwrap();
            common::finish(child)
        });
        assert_eq!(ran.code, 0, "{}", ran.err);
        let text = ran.text();
        assert!(text.contains("publish to seen") && text.contains(" missed in "), "{text}");
        common::until("it is still attached", || producer.consumers() == 0);
    }
}

#[test]
fn a_lane_without_frames_has_no_figures() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    publish(&producer);
    let told = scene.json(&["hz", "lane", "--duration", "0.1"]);
    assert_eq!(told["received"], 1, "the frame that was there");
    assert_eq!(told["window_frames"], 0, "but it is older than the reader");
    for figure in ["rate_fps", "interval_ns", "publish_to_seen_ns", "capture_to_seen_ns"] {
        assert_eq!(told[figure], Value::Null);
    }
    let text = scene.text(&["hz", "lane", "--duration", "1.2"]);
    assert!(text.starts_with("no frame yet\n"), "{text}");
}

#[test]
fn a_restarted_producer_is_another_epoch() {
    let scene = Scene::new();
    let first = scene.grey("lane");
    let args = ["hz", "lane", "--duration", "50", "--json"];
    let child = scene.command(&args).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let reads = |producer: &Producer| {
        while_playing(producer, || {
            common::until("nobody reads", || {
                let report = producer.report();
                report.consumer_count > 0 && report.consumers[0].last_sequence > 5
            });
        });
    };
    reads(&first);
    drop(first);
    let second = scene.producer(
        "lane",
        ProducerOptions::new().layout(common::layout(framelane::PixelFormat::Grey, 64, 48)),
    );
    reads(&second);
    kill_process(pid, Signal::INT).unwrap();
    let ran = common::finish(child);
    let told: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(told["epochs"], 2, "{told}");
    assert!(told["rate_fps"].as_f64().unwrap() > 0.0);
}
