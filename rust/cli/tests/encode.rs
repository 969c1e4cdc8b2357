//! `framelane encode`: frames become a stream that any decoder reads.

mod common;

use common::coded::{decoded, joined, next, reader, signal, start, take};
use common::{Scene, finish, layout};
use framelane::layout::{ClockId, RecordFlag};
use framelane::{
    Codec, PixelFormat, Producer, ProducerOptions, SwitchController, SwitchControllerOptions,
};
use rustix::process::Signal;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SIZE: (u32, u32) = (64, 48);

/// A smooth picture, brighter from frame to frame; its luma at a place.
fn luma(x: u32, y: u32, number: u64) -> u8 {
    (40 + x + y + number as u32 % 16 * 4) as u8
}

/// Publishes frames of a producer, one every few milliseconds, until told to stop.
fn feed(producer: &Producer, format: PixelFormat, stop: &AtomicBool) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        publish(producer, format, number);
        std::thread::sleep(Duration::from_millis(8));
    }
}

fn publish(producer: &Producer, format: PixelFormat, number: u64) {
    let Ok(mut frame) = producer.claim() else { return };
    let (descriptor, payload) = frame.split_mut();
    descriptor.capture_id = number;
    descriptor.capture_ns = number * 1_000_000;
    descriptor.capture_clock = ClockId::Monotonic.number();
    let plane = descriptor.planes[0];
    payload.fill(128);
    let step = plane.stride_bytes as usize / descriptor.width as usize;
    for y in 0..descriptor.height {
        let row = &mut payload[(y * plane.stride_bytes) as usize..][..plane.stride_bytes as usize];
        for (x, pixel) in row.chunks_exact_mut(step).enumerate() {
            let level = luma(x as u32, y, number);
            match format {
                PixelFormat::Yuyv => pixel[0] = level,
                _ => pixel.fill(level),
            }
        }
    }
    frame.publish().unwrap();
}

fn producer(scene: &Scene, format: PixelFormat, (width, height): (u32, u32)) -> Producer {
    scene.producer("raw", ProducerOptions::new().layout(layout(format, width, height)))
}

/// Runs `body` while a producer publishes.
fn while_fed<T>(producer: Producer, format: PixelFormat, body: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| feed(&producer, format, &stop));
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        stop.store(true, Ordering::Relaxed);
        feeding.join().unwrap();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn encode<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["encode", "raw", "video", "--encoder", "openh264", "--json"][..], more].concat()
}

fn object(out: &[u8]) -> Value {
    serde_json::from_slice(out).unwrap()
}

#[test]
fn every_format_becomes_pictures_like_the_frames() {
    for &format in PixelFormat::ALL {
        let scene = Scene::new();
        let producer = producer(&scene, format, SIZE);
        let args = encode(&["--frames", "12", "--bitrate", "3M", "--gop", "5"]);
        let encoding = start(&scene, &args);
        let mut reader = reader(&scene, "video");
        let records = while_fed(producer, format, || take(&mut reader, 12));
        let ran = finish(encoding);
        assert_eq!(ran.code, 0, "{format:?}: {}", ran.err);
        let keys: Vec<_> = records.iter().map(|record| record.is_key()).collect();
        assert_eq!(keys, (0..12).map(|n| n % 5 == 0).collect::<Vec<_>>(), "{format:?}");
        let pictures = decoded("h264", &joined(&records), 64, 48);
        assert_eq!(pictures.len(), 12, "{format:?}");
        for (record, picture) in records.iter().zip(&pictures) {
            let (config, number) = (record.config(), record.info().capture_id);
            assert_eq!((config.width, config.height, config.camera_id), (64, 48, 0));
            assert_eq!(config.known_codec(), Some(Codec::H264));
            assert!(!config.parameter_sets().is_empty());
            let time = Some(number as i64 * 1_000_000);
            assert_eq!((record.info().pts(), record.info().dts()), (time, time));
            let off: u64 = (0..64 * 48)
                .map(|at| {
                    let mut level = luma(at % 64, at / 64, number);
                    if matches!(format, PixelFormat::Rgb24 | PixelFormat::Bgr24) {
                        level = (16.5 + f64::from(level) * 219.0 / 255.0) as u8;
                    }
                    u64::from(level.abs_diff(picture[at as usize]))
                })
                .sum();
            assert!(off / (64 * 48) < 4, "{format:?}: {off} in picture {number}");
        }
        let summary = object(&ran.out);
        assert_eq!((&summary["pictures"], &summary["keys"]), (&12.into(), &3.into()));
        let copied = summary["frame_copied_bytes"].as_u64().unwrap();
        let each = match format {
            PixelFormat::I420 => 0,
            PixelFormat::Nv12 | PixelFormat::Grey => 64 * 48 / 2,
            _ => 64 * 48 * 3 / 2,
        };
        let encoded = summary["frames"].as_u64().unwrap();
        assert_eq!(copied, encoded * each, "{format:?}");
    }
}

#[test]
fn a_reader_that_asks_gets_a_key_picture() {
    let scene = Scene::new();
    let producer = producer(&scene, PixelFormat::Nv12, SIZE);
    let encoding = start(&scene, &encode(&["--gop", "100000"]));
    let mut reader = reader(&scene, "video");
    while_fed(producer, PixelFormat::Nv12, || {
        assert!(next(&mut reader).is_key());
        take(&mut reader, 5);
        reader.request_key_frame().unwrap();
        let record = std::iter::from_fn(|| Some(next(&mut reader))).find(|record| record.is_key());
        let flags = record.unwrap().info().flags;
        assert_ne!(flags & RecordFlag::CONFIG, 0, "with its parameter sets");
    });
    signal(&encoding, Signal::TERM);
    let summary = object(&finish(encoding).out);
    assert!(summary["key_requests"].as_u64().unwrap() >= 1, "{summary}");
}

#[test]
fn nothing_is_encoded_while_nobody_reads() {
    let scene = Scene::new();
    let producer = producer(&scene, PixelFormat::Nv12, SIZE);
    let encoding = start(&scene, &encode(&["--idle-when-unread", "--gop", "100000"]));
    while_fed(producer, PixelFormat::Nv12, || {
        let mut first = reader(&scene, "video");
        let record = next(&mut first);
        assert!(record.is_key() && record.sequence() == 1);
        drop(first);
        let count =
            |lane: &str, what: &str| scene.json(&["info", lane])["counts"][what].as_u64().unwrap();
        common::until("the reader is gone", || count("video", "consumers") == 0);
        let mut rested = 0;
        common::until("the encoder rests while frames pass", || {
            rested = count("video", "head_sequence");
            let shown = count("raw", "published");
            common::until("frames pass", || count("raw", "published") >= shown + 10);
            rested == count("video", "head_sequence")
        });
        let mut second = reader(&scene, "video");
        let mut after = std::iter::from_fn(|| Some(next(&mut second)));
        let resumed = after.find(|record| record.sequence() > rested).unwrap();
        assert!(resumed.is_key(), "it goes on with a key picture");
        assert_ne!(resumed.info().flags & RecordFlag::DISCONTINUITY, 0);
    });
    signal(&encoding, Signal::TERM);
    let summary = object(&finish(encoding).out);
    assert!(summary["unread"].as_u64().unwrap() > 0, "{summary}");
}

#[test]
fn a_source_that_comes_back_in_another_size_is_followed() {
    let scene = Scene::new();
    // Neither the lane nor its reader need be first.
    let encoding = start(&scene, &encode(&["--gop", "100000"]));
    let mut reader = reader(&scene, "video");
    let first = producer(&scene, PixelFormat::Nv12, SIZE);
    let before = while_fed(first, PixelFormat::Nv12, || take(&mut reader, 6));
    let second = producer(&scene, PixelFormat::I420, (97, 64));
    let after = while_fed(second, PixelFormat::I420, || {
        let mut found = std::iter::from_fn(|| Some(next(&mut reader)));
        let changed = found.find(|record| record.new_config()).unwrap();
        [vec![changed], take(&mut reader, 5)].concat_records()
    });
    assert!(before[0].new_config() && before[0].is_key());
    assert_eq!((before[0].config().width, after[0].config().width), (64, 96));
    assert!(after[0].is_key(), "the change begins with a key picture");
    assert_ne!(after[0].info().flags & RecordFlag::DISCONTINUITY, 0);
    assert_eq!(after[0].epoch(), before[0].epoch(), "the stream itself went on");
    assert_eq!(decoded("h264", &joined(&before), 64, 48).len(), 6);
    assert_eq!(decoded("h264", &joined(&after), 96, 64).len(), 6);
    signal(&encoding, Signal::TERM);
    let ran = finish(encoding);
    let summary = object(&ran.out);
    assert_eq!((&summary["encoders"], &summary["source_restarts"]), (&2.into(), &1.into()));
}

#[test]
fn a_switch_is_followed_with_a_key_picture() {
    let scene = Scene::new();
    let options = SwitchControllerOptions::new().directory(scene.directory());
    let switch = SwitchController::create("raw", &["day", "night"], options).unwrap();
    let camera = |lane: &str| {
        let options = ProducerOptions::new().layout(layout(PixelFormat::Nv12, SIZE.0, SIZE.1));
        scene.producer(lane, options)
    };
    let (day, night) = (camera("day"), camera("night"));
    let encoding = start(&scene, &encode(&["--gop", "100000"]));
    let mut reader = reader(&scene, "video");
    let after = while_fed(night, PixelFormat::Nv12, || {
        while_fed(day, PixelFormat::Nv12, || {
            assert!(next(&mut reader).is_key());
            take(&mut reader, 5);
            switch.select(1).unwrap();
            let mut found = std::iter::from_fn(|| Some(next(&mut reader)));
            let first = found.find(|record| record.is_key()).unwrap();
            [vec![first], take(&mut reader, 5)].concat_records()
        })
    });
    assert_ne!(after[0].info().flags & RecordFlag::DISCONTINUITY, 0);
    assert!(after.iter().skip(1).all(|record| !record.is_key()), "one key picture is enough");
    assert_eq!(decoded("h264", &joined(&after), 64, 48).len(), 6);
    signal(&encoding, Signal::TERM);
    let summary = object(&finish(encoding).out);
    assert_eq!((&summary["switches"], &summary["source_restarts"]), (&1.into(), &0.into()));
}

/// Puts records together, which cannot be cloned.
trait Concat {
    fn concat_records(self) -> Vec<framelane::Record>;
}

impl Concat for [Vec<framelane::Record>; 2] {
    fn concat_records(self) -> Vec<framelane::Record> {
        self.into_iter().flatten().collect()
    }
}

#[test]
fn many_readers_cost_one_encoding() {
    let scene = Scene::new();
    let producer = producer(&scene, PixelFormat::Nv12, SIZE);
    let encoding = start(&scene, &encode(&["--frames", "30"]));
    let mut readers: Vec<_> = (0..4).map(|_| reader(&scene, "video")).collect();
    let streams = while_fed(producer, PixelFormat::Nv12, || {
        readers.iter_mut().map(|reader| joined(&take(reader, 30))).collect::<Vec<_>>()
    });
    assert!(streams.iter().all(|stream| *stream == streams[0]));
    assert_eq!(object(&finish(encoding).out)["pictures"], 30);
}

#[test]
fn what_cannot_be_done_is_said() {
    let scene = Scene::new();
    let waiting = start(&scene, &encode(&[]));
    let mut reader = reader(&scene, "video");
    assert!(reader.try_next().unwrap().is_none());
    signal(&waiting, Signal::TERM);
    let ran = finish(waiting);
    assert_eq!((ran.code, &object(&ran.out)["pictures"]), (0, &0.into()), "{}", ran.err);
    assert!(ran.err.contains("waiting for it"), "{}", ran.err);
    let producer = producer(&scene, PixelFormat::Nv12, SIZE);
    publish(&producer, PixelFormat::Nv12, 1);
    let ran = while_fed(producer, PixelFormat::Nv12, || {
        finish(start(&scene, &encode(&["--codec", "h265"])))
    });
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("openh264 makes h264, not h265"), "{}", ran.err);
    for (args, says) in [
        (&["--encoder", "best"][..], "auto, openh264 and hobot"),
        (&["--bitrate", "fast"], "800k or 2.5M"),
        (&["--gop", "0"], "0 is not in"),
    ] {
        let ran = scene.run(&[&["encode", "raw", "other"], args].concat());
        assert!(ran.code == 2 && ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}
