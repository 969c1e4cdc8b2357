//! The V4L2 source on cameras of the kernel's own driver `vivid`: run by `cargo xtask vm`, inside
//! the machine, one test after the other.
//!
//! /dev/video0 has one plane a buffer, /dev/video1 several, /dev/video2 contiguous memory. With
//! FRAMELANE_CAMERA set, the tests that need nothing of vivid run on that camera instead.

#[path = "../../core/tests/common/child.rs"]
mod child;

use child::{Child, entry, say};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, MemoryKind, Mode as Reading};
use framelane_camera::v4l2::{Buffers, Camera, Config, Device, Mode, Stats, list};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longest time for anything; the machine's clock skips what is idle.
const DEADLINE: Duration = Duration::from_secs(60);
const LANE: &str = "cam";
const SIZE: (u32, u32) = (640, 480);

/// What the children's module expects of whoever uses it.
pub struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

#[test]
fn child_entry() {
    entry(&[("sums", sums), ("rights", rights)]);
}

fn reader(leases: u32) -> Consumer {
    let options = ConsumerOptions::new(Reading::Latest).leases(leases).wait_for_lane(DEADLINE);
    Consumer::open(LANE, options).unwrap()
}

/// A sum over every byte that a reader sees of a frame, in place.
fn sum(frame: &Frame) -> u64 {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    for index in 0..frame.plane_count() {
        let mut bytes = vec![0; frame.descriptor().planes[index].size_bytes as usize];
        frame.copy_to(index, &mut bytes).unwrap();
        for word in bytes.chunks(8) {
            let mut eight = [0; 8];
            eight[..word.len()].copy_from_slice(word);
            sum = (sum ^ u64::from_le_bytes(eight)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// Which file a plane is in, as the kernel numbers files.
fn file(frame: &Frame, plane: usize) -> u64 {
    rustix::fs::fstat(frame.plane_fd(plane).unwrap()).unwrap().st_ino
}

/// Another process: for each frame its number, its sum, and the file it is in.
fn sums(words: &[&str]) {
    let mut consumer = reader(2);
    say("attached");
    for _ in 0..words[0].parse().unwrap() {
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
        say(format!("{} {} {}", frame.descriptor().capture_id, sum(&frame), file(&frame, 0)));
    }
}

/// Another process: tries to get at a frame for writing, in every way there is.
fn rights(_: &[&str]) {
    let mut consumer = reader(1);
    let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
    let fd = frame.plane_fd(0).unwrap();
    let number = rustix::fd::AsRawFd::as_raw_fd(&fd);
    let write = |fd| memmap2::MmapOptions::new().len(4096).map_raw(fd).err();
    let mapped = write(number).map(|error| error.kind());
    let path = format!("/proc/self/fd/{number}");
    let reopened = std::fs::OpenOptions::new().read(true).write(true).open(path);
    let through = reopened.map(|file| write(rustix::fd::AsRawFd::as_raw_fd(&file)).is_none());
    say(format!("{mapped:?} {}", through.unwrap_or(false)));
}

/// The camera under test: another one where its user says so.
fn node(number: u32) -> PathBuf {
    match std::env::var_os("FRAMELANE_CAMERA") {
        Some(path) => path.into(),
        None => format!("/dev/video{number}").into(),
    }
}

fn config(place: &Place, number: u32, buffers: Buffers) -> Config {
    Config {
        size: Some(SIZE),
        rate: Some("30".parse().unwrap()),
        buffers,
        directory: Some(place.path().to_owned()),
        ..Config::new(LANE, node(number))
    }
}

/// Runs a camera beside a test; what became of its frames.
fn beside(config: Config, test: impl FnOnce()) -> Stats {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let mut camera = Camera::open(config).unwrap();
        let asked = || stop.load(Relaxed);
        let running = scope.spawn(move || camera.run(&asked));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
        stop.store(true, Relaxed);
        let stats = running.join().unwrap();
        if let Err(panic) = outcome {
            eprintln!("the camera: {stats:?}");
            std::panic::resume_unwind(panic);
        }
        stats.unwrap()
    })
}

fn here(place: &Place, leases: u32) -> Consumer {
    let options = ConsumerOptions::new(Reading::Latest).leases(leases).wait_for_lane(DEADLINE);
    Consumer::open(LANE, options.directory(Some(place.path().to_owned()))).unwrap()
}

fn next(consumer: &mut Consumer) -> Frame {
    let deadline = Instant::now() + DEADLINE;
    loop {
        match consumer.next(DEADLINE) {
            Ok(Some(frame)) => return frame,
            Ok(None) => panic!("no frame in time"),
            // Frames of old epochs may still be held while the lane is made anew.
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Presses a button or sets a control of the driver, as another program would.
fn control(number: u32, name: &str, value: i64) {
    Device::open(&node(number)).unwrap().set_control(name, value).unwrap();
}

/// Frames reach another process as the camera wrote them, in the same memory, and nobody copied
/// them but the test itself, to add them up.
fn reaches_another_process(number: u32, buffers: Buffers, kinds: &[MemoryKind]) {
    const FRAMES: usize = 8;
    let place = Place::new();
    let stats = beside(config(&place, number, buffers), || {
        let mut consumer = here(&place, 2);
        let mut child = Child::start(&place, &format!("sums {FRAMES}"));
        child.expect("attached");
        // This process adds up the same frames at the same time, by a mapping of its own.
        let mut own = BTreeMap::new();
        for _ in 0..FRAMES + 4 {
            let frame = next(&mut consumer);
            assert!(kinds.iter().any(|kind| kind.number() == frame.descriptor().memory_kind));
            own.insert(frame.descriptor().capture_id, (sum(&frame), file(&frame, 0)));
        }
        let mut compared = 0;
        for _ in 0..FRAMES {
            let line = child.line();
            let words: Vec<u64> = line.split(' ').map(|word| word.parse().unwrap()).collect();
            if let Some(&(sum, file)) = own.get(&words[0]) {
                assert_eq!(sum, words[1], "frame {}: the same bytes", words[0]);
                assert_eq!(file, words[2], "frame {}: of one buffer, not of two", words[0]);
                compared += 1;
            }
        }
        child.expect_success();
        assert!(compared >= FRAMES / 2, "{compared} frames were seen by both");
        let pictures: BTreeSet<u64> = own.values().map(|(sum, _)| *sum).collect();
        assert_eq!(pictures.len(), own.len(), "every picture is another");
    });
    assert_eq!((stats.copied_bytes, stats.restarts), (0, 0), "{stats:?}");
}

#[test]
fn exported_buffers_are_read_in_place_by_another_process() {
    for number in 0..3 {
        let buffers = Buffers::Only(Mode::Export);
        reaches_another_process(number, buffers, &[MemoryKind::Dmabuf]);
    }
}

#[test]
fn the_driver_writes_to_memory_of_ours() {
    if !has_import() {
        return assert!(old_kernel(), "a kernel of 6.12 has udmabuf and a dma-heap");
    }
    for number in 0..2 {
        let kinds = [MemoryKind::Memfd, MemoryKind::Dmabuf];
        reaches_another_process(number, Buffers::Only(Mode::Import), &kinds);
    }
}

fn has_import() -> bool {
    Path::new("/dev/udmabuf").exists() || Path::new("/dev/dma_heap/system").exists()
}

fn old_kernel() -> bool {
    rustix::system::uname().release().to_string_lossy().starts_with("6.1.")
}

#[test]
fn a_copy_shows_the_same_picture_and_is_counted() {
    let place = Place::new();
    let stats = beside(config(&place, 1, Buffers::Only(Mode::Copy)), || {
        let mut consumer = here(&place, 2);
        let first = next(&mut consumer);
        let bytes = first.plane(0).unwrap();
        assert!(bytes.iter().any(|&byte| byte != bytes[0]), "a picture");
        let second = next(&mut consumer);
        assert_ne!(sum(&first), sum(&second), "the next one is another");
    });
    let (width, height) = (u64::from(SIZE.0), u64::from(SIZE.1));
    assert_eq!(stats.copied_bytes % (width * height * 3 / 2), 0, "{stats:?}");
    assert!(stats.copied_bytes > 0);
}

#[test]
fn readers_cannot_write_a_cameras_buffers() {
    for mode in [Mode::Export, Mode::Import] {
        if mode == Mode::Import && !has_import() {
            continue;
        }
        let place = Place::new();
        beside(config(&place, 0, Buffers::Only(mode)), || {
            let mut child = Child::start(&place, "rights");
            child.expect("Some(PermissionDenied) false");
            child.expect_success();
        });
    }
}

#[test]
fn auto_takes_export_and_says_so_in_every_frame() {
    let place = Place::new();
    let stats = beside(config(&place, 0, Buffers::Auto), || {
        let frame = next(&mut here(&place, 1));
        let d = frame.descriptor();
        let text = String::from_utf8_lossy(&d.vendor_data[..d.vendor_bytes as usize]).into_owned();
        assert!(text.starts_with("dmabuf-export: readers see the driver's own buffers"), "{text}");
    });
    assert!(stats.how.starts_with("dmabuf-export"), "{stats:?}");
}

#[test]
fn thirty_frames_a_second_arrive_and_none_is_lost() {
    let place = Place::new();
    let stats = beside(config(&place, 0, Buffers::Auto), || {
        let mut consumer = here(&place, 2);
        let first = next(&mut consumer);
        let (start, from) = (first.descriptor().capture_ns, first.descriptor().capture_id);
        drop(first);
        let (mut last, mut seen) = ((0, 0), 0);
        while last.0 < from + 60 {
            let frame = next(&mut consumer);
            last = (frame.descriptor().capture_id, frame.descriptor().capture_ns);
            seen += 1;
        }
        let period = (last.1 - start) / (last.0 - from);
        println!("{seen} frames seen, one each {period} ns");
        assert!((33_000_000..34_000_000).contains(&period), "{period} ns");
    });
    assert_eq!((stats.missed, stats.starved), (0, 0), "{stats:?}");
}

#[test]
fn readers_that_hold_all_they_can_do_not_stop_the_camera() {
    let place = Place::new();
    let stats = beside(config(&place, 0, Buffers::Auto), || {
        let mut greedy = here(&place, 7);
        let held: Vec<Frame> = (0..7).map(|_| next(&mut greedy)).collect();
        let before: Vec<u64> = held.iter().map(sum).collect();
        let mut other = here(&place, 1);
        for _ in 0..20 {
            next(&mut other);
        }
        let after: Vec<u64> = held.iter().map(sum).collect();
        assert_eq!(before, after, "what is held stays as it is");
        assert!(held.iter().all(Frame::check));
    });
    assert!(stats.published > 20 && stats.most_out >= 8, "{stats:?}");
}

#[test]
fn an_unplugged_camera_comes_back_to_the_same_readers() {
    for mode in [Mode::Export, Mode::Copy] {
        let place = Place::new();
        let stats = beside(config(&place, 0, Buffers::Only(mode)), || {
            let mut consumer = here(&place, 4);
            let held = next(&mut consumer);
            let epoch = held.epoch();
            let mut bytes = vec![0; held.descriptor().planes[0].size_bytes as usize];
            held.copy_to(0, &mut bytes).unwrap();
            control(0, "disconnect", 0);
            let deadline = Instant::now() + DEADLINE;
            let captured = held.descriptor().capture_id;
            loop {
                let frame = next(&mut consumer);
                let new = frame.epoch() != epoch;
                let later = frame.descriptor().capture_id > captured + 60;
                if new || (mode == Mode::Copy && later) {
                    break;
                }
                assert!(Instant::now() < deadline);
            }
            // Slots of the lane outlive the camera; its own buffers can be read, but count no more.
            assert_eq!(held.check(), mode == Mode::Copy);
        });
        assert!(stats.restarts > 0, "{stats:?}");
        assert!(stats.last_error.contains("VIDIOC_DQBUF"), "{stats:?}");
    }
}

#[test]
fn a_silent_camera_is_opened_again() {
    let place = Place::new();
    let mut config = config(&place, 0, Buffers::Auto);
    config.stall = Duration::from_secs(1);
    let stats = beside(config, || {
        let mut consumer = here(&place, 2);
        next(&mut consumer);
        control(0, "percentage_of_dropped_buffers", 100);
        std::thread::sleep(Duration::from_secs(3));
        control(0, "percentage_of_dropped_buffers", 0);
        next(&mut consumer);
        next(&mut consumer);
    });
    assert!(stats.stalls > 0 && stats.restarts > 0, "{stats:?}");
    assert!(stats.last_error.contains("nothing came for 1s"), "{stats:?}");
}

#[test]
fn dropped_buffers_are_counted_and_flagged() {
    let place = Place::new();
    let stats = beside(config(&place, 0, Buffers::Auto), || {
        let mut consumer = here(&place, 2);
        next(&mut consumer);
        control(0, "percentage_of_dropped_buffers", 50);
        let gap = framelane::layout::FrameFlag::DISCONTINUITY;
        let flagged = (0..40).filter(|_| next(&mut consumer).descriptor().flags & gap != 0);
        let flagged = flagged.count();
        control(0, "percentage_of_dropped_buffers", 0);
        assert!(flagged > 0, "a gap is told of");
    });
    assert!(stats.missed > 0, "{stats:?}");
}

#[test]
fn a_held_frame_outlives_a_change_of_format() {
    let place = Place::new();
    let held_bytes;
    let mut consumer;
    let held;
    {
        let mut first = config(&place, 0, Buffers::Only(Mode::Export));
        first.frames = Some(20);
        let mut camera = Camera::open(first).unwrap();
        consumer = here(&place, 4);
        let stop = AtomicBool::new(false);
        held = std::thread::scope(|scope| {
            let asked = || stop.load(Relaxed);
            let running = scope.spawn(move || camera.run(&asked));
            let frame = next(&mut consumer);
            stop.store(true, Relaxed);
            running.join().unwrap().unwrap();
            frame
        });
        held_bytes = plane_now(&held);
    }
    let mut second = config(&place, 0, Buffers::Only(Mode::Export));
    second.size = Some((320, 180));
    beside(second, || {
        let frame = next(&mut consumer);
        assert_eq!((frame.descriptor().width, frame.descriptor().height), (320, 180));
        assert!(frame.new_epoch());
        assert!(!held.check(), "it no longer counts");
        assert_eq!(plane_now(&held), held_bytes, "but it can be read, and is as it was");
    });
}

/// The bytes of a plane, whether they still count or not: by a mapping of one's own.
fn plane_now(frame: &Frame) -> Vec<u8> {
    let fd = frame.plane_fd(0).unwrap();
    let plane = frame.descriptor().planes[0];
    let map = framelane_camera::v4l2::read_buffer(&fd, plane.offset_bytes, plane.size_bytes);
    map.unwrap()
}

#[test]
fn what_a_camera_cannot_do_is_said_at_once() {
    let place = Place::new();
    let kind = |config| Camera::open(config).map(|_| ()).unwrap_err().kind();
    let base = config(&place, 0, Buffers::Auto);
    assert_eq!(kind(Config { device: "/dev/video99".into(), ..base.clone() }), ErrorKind::NotFound);
    assert_eq!(kind(Config { device: "/dev/null".into(), ..base.clone() }), ErrorKind::Unsupported);
    let odd = Config { size: Some((123, 77)), ..base.clone() };
    assert_eq!(kind(odd), ErrorKind::InvalidArgument);
    let text = Camera::open(Config { controls: vec![("no_such".into(), 1)], ..base })
        .map(|_| ())
        .unwrap_err()
        .to_string();
    assert!(text.contains("has no control \"no_such\"; it has brightness"), "{text}");
}

#[test]
fn cameras_are_listed_with_what_they_offer() {
    let found = list();
    assert!(found.cameras.len() >= 3, "{found:?}");
    let first = &found.cameras[0];
    assert_eq!((&*first.driver, first.multi_planar), ("vivid", false));
    assert!(found.cameras[1].multi_planar);
    assert!(first.formats.iter().any(|f| f.fourcc == "NV12" && f.sizes.contains(&SIZE)));
    assert!(first.controls.iter().any(|control| control.name == "Brightness"));
}
