//! `framelane encode --encoder hobot` from a camera to a decoder, all on the stand-in: the frames
//! stay where the camera put them.

mod common;

use common::coded::{decoded, joined, next, reader, signal, take};
use common::{Ran, Scene, finish};
use framelane::layout::RecordFlag;
use framelane::{Codec, Record};
use framelane_standin_ion::{Fault, Place, luma};
use rustix::process::Signal;
use serde_json::Value;
use std::process::Child;

const INVALID_BUFFER: i32 = -268_435_445;

/// A camera at this host, whose one output is the lane or stands behind the switch `active`.
fn camera(host: u32, kind: &str) -> String {
    format!(
        "[[camera]]\nhost = {host}\nsilence_ms = 10000\n\
         [camera.sensor]\nwidth = 640\nheight = 480\n\
         [[camera.channel]]\nnumber = 0\nsize = [128, 96]\n{kind} = \"active\"\n\
         lease_ms = 10000\n"
    )
}

/// A board with a camera that runs.
struct Bench {
    scene: Scene,
    place: Place,
    camera: Running,
}

/// A command at work; it does not outlive a test that fails.
struct Running(Option<Child>);

impl Running {
    fn end(mut self) -> Ran {
        let child = self.0.take().unwrap();
        signal(&child, Signal::TERM);
        finish(child)
    }

    /// Waits until it ends by itself.
    fn ended(mut self) -> Ran {
        finish(self.0.take().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Bench {
    fn new() -> Self {
        Bench::with(&camera(0, "lane"))
    }

    fn with(cameras: &str) -> Self {
        let scene = Scene::new();
        let place = Place::new(&scene.path().join("board")).unwrap();
        let config = scene.path().join("cameras.toml");
        std::fs::write(&config, cameras).unwrap();
        let args = ["camera", "--source", "hb_vio", "--config", config.to_str().unwrap()];
        let camera = scene.command(&args).env("FRAMELANE_HOBOT_DIR", place.folder()).spawn();
        Bench { camera: Running(Some(camera.unwrap())), scene, place }
    }

    fn encode(&self, more: &[&str]) -> Running {
        let args = ["encode", "active", "video", "--encoder", "hobot", "--json"];
        let mut command = self.scene.command(&[&args[..], more].concat());
        command.env("FRAMELANE_HOBOT_DIR", self.place.folder());
        Running(Some(command.spawn().unwrap()))
    }

    /// The camera ends well, and no buffer is left.
    fn end(self) {
        let ran = self.camera.end();
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(self.place.ion().look(|state| state.buffers.len()).unwrap(), 0);
    }
}

/// Each record decodes to the exposure of the camera that it says it is of.
fn assert_shows_the_exposures(format: &str, records: &[Record]) {
    let pictures = decoded(format, &joined(records), 128, 96);
    assert_eq!(pictures.len(), records.len(), "one for each");
    for (record, picture) in records.iter().zip(&pictures) {
        let host = 2 * record.config().camera_id; // the cameras of the board are at 0 and 2
        let wanted = luma(host, 0, record.info().capture_id as u32);
        let shown = picture.iter().all(|&luma| luma.abs_diff(wanted) <= 3);
        assert!(shown, "{} for {wanted}, capture {}", picture[0], record.info().capture_id);
    }
}

fn object(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_slice(&ran.out).unwrap()
}

#[test]
fn a_camera_becomes_a_stream_without_a_copy_of_any_frame() {
    let bench = Bench::new();
    for (codec, name, format) in [(Codec::H264, "h264", "h264"), (Codec::H265, "h265", "hevc")] {
        let encoding = bench.encode(&["--codec", name, "--frames", "12", "--gop", "5"]);
        let mut reader = reader(&bench.scene, "video");
        let records = take(&mut reader, 12);
        let config = records[0].config();
        assert_eq!(config.known_codec(), Some(codec));
        assert_eq!((config.width, config.height), (128, 96));
        assert!(!config.parameter_sets().is_empty());
        // When they are due, and one more if the reader was there before the first.
        let keys: Vec<_> = (0..12).filter(|&index| records[index].is_key()).collect();
        assert!(keys[0] == 0 && keys.len() >= 3, "{keys:?}");
        assert!(keys.windows(2).all(|two| two[1] - two[0] <= 5), "{keys:?}");
        assert_shows_the_exposures(format, &records);
        let summary = object(&encoding.ended());
        assert_eq!((&summary["pictures"], &summary["keys"]), (&12.into(), &keys.len().into()));
        assert_eq!(summary["frame_copied_bytes"], 0, "{summary}");
        // What the codec made goes into the ring, and nothing else is copied.
        assert_eq!(summary["copied_bytes"], summary["written_bytes"]);
    }
    bench.end();
}

#[test]
fn a_reader_that_asks_gets_a_key_picture() {
    let bench = Bench::new();
    let encoding = bench.encode(&["--gop", "2000"]);
    let mut reader = reader(&bench.scene, "video");
    assert!(next(&mut reader).is_key());
    // A wish from before the first picture makes one more.
    while take(&mut reader, 5).iter().any(Record::is_key) {}
    reader.request_key_frame().unwrap();
    let mut after = std::iter::from_fn(|| Some(next(&mut reader)));
    let key = after.find(|record| record.is_key()).unwrap();
    assert_ne!(key.info().flags & RecordFlag::CONFIG, 0, "with its parameter sets");
    let stream: Vec<Record> = std::iter::once(key).chain(after.take(3)).collect();
    assert_shows_the_exposures("h264", &stream);
    let summary = object(&encoding.end());
    assert!(summary["key_requests"].as_u64().unwrap() >= 1, "{summary}");
    bench.end();
}

#[test]
fn the_other_camera_begins_with_a_key_picture_of_its_own() {
    let switch = "[switch]\npolicy = \"manual\"\n";
    let cameras = [switch, &camera(0, "switch"), &camera(2, "switch")].concat();
    let bench = Bench::with(&cameras);
    let encoding = bench.encode(&["--gop", "2000"]);
    let mut reader = reader(&bench.scene, "video");
    for camera in [1, 0, 1] {
        let before = take(&mut reader, 5);
        assert!(before.iter().all(|record| record.config().camera_id == 1 - camera));
        let lane = format!("pet_camera_active_zc_cam{camera}");
        let chosen = bench.scene.run(&["switch", "select", "active", &lane]);
        assert_eq!(chosen.code, 0, "{}", chosen.err);
        let mut after = std::iter::from_fn(|| Some(next(&mut reader)));
        let first = after.find(|record| record.config().camera_id == camera).unwrap();
        assert!(first.is_key(), "what comes of the other camera begins with a key picture");
        assert_ne!(first.info().flags & RecordFlag::DISCONTINUITY, 0);
        let stream: Vec<Record> = std::iter::once(first).chain(after.take(5)).collect();
        assert_shows_the_exposures("h264", &stream);
    }
    assert_eq!(object(&encoding.end())["switches"], 3);
    bench.end();
}

#[test]
fn frames_that_the_codec_does_not_read_are_copied_which_is_said_and_counted() {
    let bench = Bench::new();
    let encoding = bench.encode(&["--gop", "2000"]);
    let mut reader = reader(&bench.scene, "video");
    take(&mut reader, 3);
    let refused = Fault::of("hb_mm_mc_queue_input_buffer", INVALID_BUFFER);
    bench.place.ion().plan(refused.in_process(encoding.pid())).unwrap();
    let mut after = std::iter::from_fn(|| Some(next(&mut reader)));
    let key = after.find(|record| record.is_key()).expect("another encoder begins");
    let stream: Vec<Record> = std::iter::once(key).chain(after.take(3)).collect();
    assert_shows_the_exposures("h264", &stream);
    let ran = encoding.end();
    assert!(ran.err.contains("the codec does not read frames where they are"), "{}", ran.err);
    assert!(object(&ran)["frame_copied_bytes"].as_u64().unwrap() > 0);
    bench.end();
}

#[test]
fn a_machine_without_the_codec_says_so() {
    let bench = Bench::new();
    std::fs::remove_file(bench.place.folder().join("libmultimedia.so.1")).unwrap();
    let ran = bench.encode(&[]).ended();
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("libmultimedia.so.1 cannot be loaded"), "{}", ran.err);
    bench.end();
}
