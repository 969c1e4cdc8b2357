//! Stream lanes, as the commands that look at lanes show them.

mod common;

use common::Scene;
use common::streams::{write, writer};
use framelane::{StreamReader, StreamReaderOptions};
use serde_json::json;

#[test]
fn a_stream_is_shown_before_its_first_record() {
    let scene = Scene::new();
    let _writer = writer(&scene);
    assert!(scene.text(&["info", "video"]).contains("no record yet"));
    let listing = scene.json(&["ls", "--no-rate"]);
    let lane = &listing["lanes"][0];
    assert_eq!((&lane["state"], &lane["kind"]), (&json!("live"), &json!("stream")));
    assert_eq!((&lane["format"], &lane["width"]), (&json!("h264"), &json!(640)));
    assert_eq!(lane["newest_age_ns"], json!(null));
}

#[test]
fn a_stream_is_shown_with_its_records_and_readers() {
    let scene = Scene::new();
    let writer = writer(&scene);
    let options = StreamReaderOptions::new().lossless(true).directory(scene.directory());
    let mut reader = StreamReader::open("video", options).unwrap();
    for key in [true, false, false] {
        write(&writer, key);
    }
    let first = reader.try_next().unwrap().unwrap();
    let info = scene.json(&["info", "video"]);
    assert_eq!((&info["kind"], &info["newest"]), (&json!("stream"), &json!(null)));
    assert_eq!(info["counts"]["head_sequence"], 3);
    let stream = &info["stream"];
    assert_eq!((&stream["records"], &stream["written_bytes"]), (&json!(3), &json!(3000)));
    assert_eq!((&stream["key_records"], &stream["oldest_sequence"]), (&json!(1), &json!(1)));
    let newest = &stream["newest"];
    assert_eq!((&newest["sequence"], &newest["key_distance"]), (&json!(3), &json!(2)));
    assert_eq!((&newest["capture_id"], &newest["pts_ns"]), (&json!(9), &json!(null)));
    let who = scene.json(&["who", "video"]);
    let consumer = &who["consumers"][0];
    assert_eq!((&consumer["cursor"], &consumer["lag_frames"]), (&json!(1), &json!(2)));
    let text = scene.text(&["info", "video"]);
    for part in ["h264 640x480, config 1", "3 records", "newest record 3", "2 back", "lossless"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let text = scene.text(&["who", "video"]);
    assert!(text.contains("record 3, 1 consumer") && !text.contains("SLOT"), "{text}");
    let listed = scene.text(&["ls"]);
    assert!(listed.contains("h264") && listed.contains("640x480"), "{listed}");
    drop(first);
}

#[test]
fn commands_that_read_frames_say_that_a_stream_has_none() {
    let scene = Scene::new();
    let _writer = writer(&scene);
    for command in ["hz", "watch", "snapshot"] {
        let output = scene.command(&[command, "video"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "{command}");
        assert!(said.contains("is a stream lane"), "{command}: {said}");
    }
}
