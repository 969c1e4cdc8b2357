//! The V4L2 source on the kernel's driver for USB cameras, `uvcvideo`, with a camera made by the
//! test itself: run by `cargo xtask vm`, inside the machine, one test after the other.

#[path = "vivid/alongside.rs"]
mod alongside;
#[path = "uvc/descriptors.rs"]
mod descriptors;
#[path = "uvc/plugged.rs"]
mod plugged;
#[path = "uvc/shown.rs"]
mod shown;
#[path = "uvc/through_libcamera.rs"]
mod through_libcamera;

use alongside::beside;
use descriptors::{Format, SIZE};
use framelane::{
    Codec, Consumer, ConsumerOptions, Frame, Mode as Reading, PixelFormat, Record, StreamReader,
    StreamReaderOptions, StreamStart,
};
use framelane_camera::v4l2::{Buffers, Config, Content, Mode, list};
use plugged::Plugged;
use shown::Shown;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Longest time for anything; the machine's clock skips what is idle.
const DEADLINE: Duration = Duration::from_secs(60);
const LANE: &str = "usb";

/// The camera's node, once the kernel has got to know it; None when it is not there.
fn node() -> Option<PathBuf> {
    let cameras = list().cameras;
    cameras.into_iter().find(|camera| camera.driver == "uvcvideo").map(|camera| camera.path)
}

fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(start.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Puts a camera into its port, which the one before has left.
fn plug(shown: &Arc<Shown>) -> (Plugged, PathBuf) {
    until("the port is free", || node().is_none().then_some(()));
    let shown = shown.clone();
    let plugged = Plugged::new(Arc::new(move |format, number| shown.picture(format, number)));
    (plugged, until("the kernel finds the camera", node))
}

fn config(place: &tempfile::TempDir, node: PathBuf, content: Content) -> Config {
    Config {
        content: Some(content),
        size: Some((SIZE.0.into(), SIZE.1.into())),
        directory: Some(place.path().to_owned()),
        ..Config::new(LANE, node)
    }
}

fn reader(place: &tempfile::TempDir) -> Consumer {
    let options = ConsumerOptions::new(Reading::Latest).leases(2).wait_for_lane(DEADLINE);
    Consumer::open(LANE, options.directory(Some(place.path().to_owned()))).unwrap()
}

/// The next frame, and the number that the camera has put in all of its pixels.
fn next(consumer: &mut Consumer) -> (Frame, u64) {
    let frame = until("a frame", || consumer.next(DEADLINE).ok().flatten());
    let mut luma = vec![0; frame.descriptor().planes[0].size_bytes as usize];
    frame.copy_to(0, &mut luma).unwrap();
    let number = shown::number(&luma);
    (frame, number)
}

fn records(place: &tempfile::TempDir) -> StreamReader {
    let options = StreamReaderOptions::new()
        .start(StreamStart::OldestKey)
        .wait_for_lane(DEADLINE)
        .directory(Some(place.path().to_owned()));
    StreamReader::open(LANE, options).unwrap()
}

fn record(reader: &mut StreamReader) -> Record {
    reader.next(DEADLINE).unwrap().expect("a record in time")
}

#[test]
fn frames_of_a_usb_camera_are_not_copied() {
    let shown = Arc::new(Shown::default());
    let (_camera, node) = plug(&shown);
    let imports = ["/dev/udmabuf", "/dev/dma_heap/system"].map(PathBuf::from);
    for mode in [Mode::Export, Mode::Import, Mode::Copy] {
        if mode == Mode::Import && !imports.iter().any(|path| path.exists()) {
            continue; // the older kernel, as another test makes sure
        }
        let place = tempfile::tempdir().unwrap();
        let mut usual = config(&place, node.clone(), Content::Raw(PixelFormat::Nv12));
        usual.buffers = Buffers::Only(mode);
        let stats = beside(usual, || {
            let mut consumer = reader(&place);
            let (mut frame, mut last) = next(&mut consumer);
            for _ in 0..10 {
                drop(frame);
                let (later, number) = next(&mut consumer);
                assert!(number > last, "in order");
                (frame, last) = (later, number);
            }
        });
        assert_eq!((stats.corrupt, stats.restarts), (0, 0), "{stats:?}");
        assert_eq!(stats.copied_bytes > 0, mode == Mode::Copy, "{stats:?}");
    }
}

#[test]
fn motion_jpeg_of_a_usb_camera_becomes_records() {
    let shown = Arc::new(Shown::default());
    let (_camera, node) = plug(&shown);
    let place = tempfile::tempdir().unwrap();
    let mut last = None;
    let stats = beside(config(&place, node, Content::Coded(Codec::Jpeg)), || {
        let mut reader = records(&place);
        for _ in 0..20 {
            let record = record(&mut reader);
            let number = shown.find(Format::Jpeg, record.bytes()).expect("a picture as it was");
            assert!(record.info().is_key() && record.info().pts_ns > 0);
            assert_eq!((record.config().width, record.config().height), (320, 240));
            assert!(last.is_none_or(|last| number == shown.after(last)), "each once, in order");
            last = Some(number);
        }
    });
    assert!(stats.published >= 20 && stats.restarts == 0, "{stats:?}");
}

#[test]
fn h264_of_a_usb_camera_becomes_records() {
    let shown = Arc::new(Shown::default());
    let (_camera, node) = plug(&shown);
    let place = tempfile::tempdir().unwrap();
    beside(config(&place, node, Content::Coded(Codec::H264)), || {
        let mut reader = records(&place);
        let mut last = None;
        for index in 0..20 {
            let record = record(&mut reader);
            let number = shown.find(Format::H264, record.bytes()).expect("a unit as it was");
            assert_eq!(record.info().is_key(), shown.is_key(number), "unit {number}");
            assert!(index > 0 || record.info().is_key(), "decoding can start at the first");
            assert_eq!(record.config().known_codec(), Some(Codec::H264));
            assert!(last.is_none_or(|last| number == shown.after(last)), "each once, in order");
            last = Some(number);
        }
    });
}

#[test]
fn a_usb_camera_that_is_pulled_out_and_plugged_in_keeps_its_readers() {
    let shown = Arc::new(Shown::default());
    let (camera, first) = plug(&shown);
    let place = tempfile::tempdir().unwrap();
    let stats = beside(config(&place, first.clone(), Content::Raw(PixelFormat::Nv12)), || {
        let mut consumer = reader(&place);
        let (held, number) = next(&mut consumer);
        drop(camera);
        until("the node goes", || (!first.exists()).then_some(()));
        // The driver gives the number again once everybody has let go of it.
        std::thread::sleep(Duration::from_secs(1));
        let (_camera, again) = plug(&shown);
        assert_eq!(again, first, "in the same port it is the same node");
        let (frame, _) = next(&mut consumer);
        assert!(frame.new_epoch() && frame.epoch() != held.epoch());
        assert!(!held.check(), "{number} no longer counts");
    });
    assert!(stats.restarts > 0, "{stats:?}");
}

#[test]
fn a_usb_camera_that_hangs_is_opened_again() {
    let shown = Arc::new(Shown::default());
    let (camera, node) = plug(&shown);
    let place = tempfile::tempdir().unwrap();
    let mut usual = config(&place, node, Content::Raw(PixelFormat::Nv12));
    usual.stall = Duration::from_secs(1);
    let stats = beside(usual, || {
        let mut consumer = reader(&place);
        let (frame, _) = next(&mut consumer);
        let epoch = frame.epoch();
        drop(frame);
        camera.hangs.store(true, Relaxed);
        until("frames of another epoch", || (next(&mut consumer).0.epoch() != epoch).then_some(()));
    });
    assert!(stats.stalls > 0 && stats.last_error.contains("nothing came for 1s"), "{stats:?}");
}
