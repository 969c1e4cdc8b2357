//! Recordings that begin before the event that caused them.

mod common;

use common::video::{Clip, decode, first_frame_is_key, units};
use common::{Scene, finish, layout, until};
use framelane::layout::RecordFlag;
use framelane::{
    Codec, PixelFormat, ProducerOptions, RecordInfo, StreamConfig, StreamWriter,
    StreamWriterOptions,
};
use framelane_camera::mp4::Unit;
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Time between records; a key record is each fifteenth.
const STEP: Duration = Duration::from_millis(10);

/// A camera that goes on until the end of the test and remembers what it wrote when.
struct Camera<'a> {
    writer: &'a StreamWriter,
    units: Vec<Unit>,
    /// Publish times by sequence, from 1, and whether it was a key record.
    written: Mutex<Vec<(u64, bool)>>,
    stop: AtomicBool,
}

impl<'a> Camera<'a> {
    fn new(scene: &Scene, writer: &'a StreamWriter) -> Self {
        let clip = Clip::new(scene, "libx264", &[]);
        let written = Mutex::new(Vec::new());
        Camera { writer, units: units(&clip.path), written, stop: AtomicBool::new(false) }
    }

    fn write_one(&self, number: usize) {
        let unit = &self.units[number % self.units.len()];
        let info = RecordInfo {
            capture_id: number as u64 + 1,
            flags: if unit.key { RecordFlag::KEY } else { 0 },
            ..RecordInfo::new()
        };
        let mut written = self.written.lock().unwrap();
        self.writer.write(&info, &[&unit.bytes]).unwrap();
        written.push((self.writer.report().stream.newest.publish_ns, unit.key));
    }

    /// Runs `test` while it films.
    fn film(&self, test: impl FnOnce()) {
        std::thread::scope(|scope| {
            let _stop = StopAtEnd(&self.stop);
            scope.spawn(|| {
                let mut number = 0;
                while !self.stop.load(Ordering::Relaxed) {
                    self.write_one(number);
                    number += 1;
                    std::thread::sleep(STEP);
                }
            });
            test();
        });
    }

    fn until_it_wrote(&self, records: usize) {
        until("nothing is filmed", || self.written.lock().unwrap().len() > records);
    }

    /// That a file begins with the newest key record which is at least so much older than its
    /// event.
    fn check_beginning(&self, file: &Value, asked: Duration) {
        let units = units(file["file"].as_str().unwrap().as_ref());
        let written = self.written.lock().unwrap();
        let first = units[0].capture_id as usize - 1;
        let (publish_ns, key) = written[first];
        assert!(key && units[0].key);
        let pre_ns = file["pre_ns"].as_u64().unwrap();
        let event_ns = publish_ns + pre_ns;
        let cutoff_ns = event_ns - asked.as_nanos() as u64;
        assert!(publish_ns <= cutoff_ns, "begins {pre_ns} ns before, {asked:?} were asked for");
        let next = written[first + 1..].iter().position(|&(_, key)| key).unwrap();
        let (next_ns, _) = written[first + 1 + next];
        // Seeking takes its time: a little more than a GOP.
        let margin_ns = 10_000_000;
        assert!(next_ns + margin_ns > cutoff_ns, "a later key record would have done");
        let ids: Vec<u64> = units.iter().map(|unit| unit.capture_id).collect();
        assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
    }
}

struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn lane(scene: &Scene, name: &str, codec: Codec, bytes: u64) -> StreamWriter {
    let config = match codec {
        Codec::H264 => StreamConfig::video(codec, 320, 240).fps(100, 1),
        _ => StreamConfig::new(codec),
    };
    let options = StreamWriterOptions::new(config).data_bytes(bytes).index_capacity(4096);
    StreamWriter::create(name, options.directory(scene.directory())).unwrap()
}

fn ended(child: Child) -> (Value, String) {
    let ran = finish(child);
    assert_eq!(ran.code, 0, "{}", ran.err);
    (serde_json::from_slice(&ran.out).unwrap(), ran.err)
}

#[test]
fn a_recording_begins_with_a_key_record_before_the_event() {
    let scene = Scene::new();
    let writer = lane(&scene, "v", Codec::H264, 32 << 20);
    let camera = Camera::new(&scene, &writer);
    let path = scene.path().join("pre.mp4");
    let asked = Duration::from_millis(700);
    camera.film(|| {
        camera.until_it_wrote(120);
        let args = ["record", "v", path.to_str().unwrap(), "--pre", "700ms", "--duration", "300ms"];
        let child = scene.command(&[&args[..], &["--json"]].concat()).spawn().unwrap();
        let (summary, said) = ended(child);
        assert_eq!((&summary["missed"], &summary["events"]), (&json!(0), &json!(1)));
        assert!(!said.contains("asked"), "{said}");
        camera.check_beginning(&summary["files"][0], asked);
        decode(&path);
        assert!(first_frame_is_key(&path));
    });
}

#[test]
fn signals_begin_recordings_and_make_them_longer() {
    let scene = Scene::new();
    let writer = lane(&scene, "v", Codec::H264, 32 << 20);
    let camera = Camera::new(&scene, &writer);
    let path = scene.path().join("signal.mp4");
    let asked = Duration::from_millis(400);
    camera.film(|| {
        let args = ["record", "v", path.to_str().unwrap(), "--trigger", "signal", "--pre", "400ms"];
        let more = ["--post", "300ms", "--events", "2", "--json"];
        let child = scene.command(&[&args[..], &more].concat()).spawn().unwrap();
        until("nobody reads", || writer.readers() == 1);
        let pid = rustix::process::Pid::from_child(&child);
        let signal = || {
            rustix::process::kill_process(pid, rustix::process::Signal::USR1).unwrap();
        };
        camera.until_it_wrote(100);
        signal();
        until("nothing is recorded", || path.exists());
        until("it does not end", || {
            scene.path().join("signal-0002.mp4").exists() || {
                // Again once the first is over; before that it would make it longer.
                let ended = std::fs::read(&path).unwrap().windows(4).any(|name| name == b"mfra");
                if ended {
                    signal();
                }
                false
            }
        });
        let (summary, _) = ended(child);
        let files = summary["files"].as_array().unwrap();
        // Signals that come during the second make it longer.
        assert!(files.len() == 2 && summary["events"].as_u64() >= Some(2), "{summary}");
        for file in files {
            camera.check_beginning(file, asked);
            decode(file["file"].as_str().unwrap().as_ref());
        }
    });
}

#[test]
fn commands_and_detections_begin_recordings() {
    let scene = Scene::new();
    let writer = lane(&scene, "v", Codec::H264, 32 << 20);
    let detections = lane(&scene, "cats", Codec::Json, 1 << 20);
    let camera = Camera::new(&scene, &writer);
    let path = scene.path().join("cat.mp4");
    camera.film(|| {
        camera.until_it_wrote(80);
        let args = ["record", "v", path.to_str().unwrap(), "--pre", "200ms", "--post", "1h"];
        let triggers = ["--trigger", "command", "--trigger", "record:cats/objects/*/label=cat"];
        let mut command = scene.command(&[&args[..], &triggers, &["--json"]].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        until("nobody reads", || writer.readers() == 1 && detections.readers() == 1);
        let see = |label: &str| {
            let text = json!({ "objects": [{ "label": label }] }).to_string();
            detections.write(&RecordInfo::new(), &[text.as_bytes()]).unwrap();
        };
        // One that is told before the recorder has attached for good is not seen.
        until("nothing is recorded", || {
            see("dog");
            see("cat");
            path.exists()
        });
        stdin.write_all(b"stop\n").unwrap();
        let second = scene.path().join("cat-0002.mp4");
        until("the command begins nothing", || {
            stdin.write_all(b"trigger\n").unwrap();
            second.exists()
        });
        stdin.write_all(b"nonsense\nquit\n").unwrap();
        let (summary, said) = ended(child);
        assert!(said.contains("nonsense"), "{said}");
        let files = summary["files"].as_array().unwrap();
        assert_eq!(files.len(), 2, "{summary}");
        for file in files {
            camera.check_beginning(file, Duration::from_millis(200));
            decode(file["file"].as_str().unwrap().as_ref());
        }
    });
}

#[test]
fn a_trigger_lane_that_cannot_be_read_does_not_end_the_recording() {
    let scene = Scene::new();
    let writer = lane(&scene, "v", Codec::H264, 32 << 20);
    let camera = Camera::new(&scene, &writer);
    // Frames where records are expected.
    let frames = ProducerOptions::new().layout(layout(PixelFormat::Grey, 64, 48));
    let wrong = scene.producer("cats", frames);
    let path = scene.path().join("wrong.mp4");
    camera.film(|| {
        camera.until_it_wrote(40);
        let args = ["record", "v", path.to_str().unwrap(), "--post", "1h", "--json"];
        let triggers = ["--trigger", "command", "--trigger", "record:cats"];
        let mut command = scene.command(&[&args[..], &triggers].concat());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        until("nobody reads", || writer.readers() == 1);
        let second = scene.path().join("wrong-0002.mp4");
        stdin.write_all(b"trigger\n").unwrap();
        until("the command begins nothing", || path.exists());
        stdin.write_all(b"stop\n").unwrap();
        drop(wrong);
        let right = lane(&scene, "cats", Codec::Json, 1 << 20);
        until("the lane begins nothing", || {
            right.write(&RecordInfo::new(), &[b"{}"]).unwrap();
            second.exists()
        });
        stdin.write_all(b"quit\n").unwrap();
        let (summary, said) = ended(child);
        assert!(said.contains("lane cats of the trigger"), "{said}");
        assert_eq!(summary["files"].as_array().unwrap().len(), 2, "{summary}");
    });
}

#[test]
fn why_a_recording_does_not_go_back_as_far_as_asked_is_said() {
    let told = |bytes, wait: &dyn Fn(&StreamWriter) -> bool| {
        let scene = Scene::new();
        let writer = lane(&scene, "v", Codec::H264, bytes);
        let camera = Camera::new(&scene, &writer);
        let path = scene.path().join("short.mp4");
        let args = ["record", "v", path.to_str().unwrap(), "--pre", "1h", "--frames", "20"];
        let mut said = String::new();
        camera.film(|| {
            until("it does not get there", || wait(&writer));
            said = ended(scene.command(&[&args[..], &["--json"]].concat()).spawn().unwrap()).1;
        });
        assert!(said.contains("1 h 0 min were asked for"), "{said}");
        said
    };
    let said = told(64 << 20, &|writer| writer.report().stream.key_records > 0);
    assert!(said.contains("the stream began only then"), "{said}");
    let said = told(256 << 10, &|writer| writer.report().stream.oldest > 1);
    assert!(said.contains("the ring"), "{said}");
}
