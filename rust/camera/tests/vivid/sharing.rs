//! Frames in other processes: the same bytes, of the same memory, and never to be written.

use crate::child::{Child, say};
use crate::common::*;
use framelane::{Frame, MemoryKind};
use framelane_camera::v4l2::{Buffers, Config, Mode};
use std::collections::{BTreeMap, BTreeSet};

/// Another process: for each frame its number, its sum, and the file it is in.
pub fn sums(words: &[&str]) {
    let mut consumer = reader(2);
    say("attached");
    for _ in 0..words[0].parse().unwrap() {
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
        say(format!("{} {} {}", frame.descriptor().capture_id, sum(&frame), file(&frame, 0)));
    }
}

/// Another process: tries to get at a frame for writing, in every way there is.
pub fn rights(_: &[&str]) {
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

/// Frames reach another process as the camera wrote them, in the same memory, and nobody copied
/// them but the test itself, to add them up.
fn reaches_another_process(number: u32, buffers: Buffers, kinds: &[MemoryKind]) {
    const FRAMES: usize = 8;
    let place = Place::new();
    // Adding up is slow in the machine; a real camera need not have so small a size.
    let small = std::env::var_os("FRAMELANE_CAMERA").is_none().then_some((320, 180));
    let usual = config(&place, number, buffers);
    let stats = beside(Config { size: small.or(usual.size), ..usual }, || {
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
        assert!(compared >= 2, "{compared} frames were seen by both");
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
fn thirty_frames_a_second_arrive() {
    let place = Place::new();
    let usual = config(&place, 0, Buffers::Auto);
    // The older driver has no more than 25 of the usual size.
    let size = if old_kernel() { (320, 180) } else { SIZE };
    let stats = beside(Config { size: Some(size), ..usual }, || {
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
    // The driver's own thread may be late for one while the machine starts processes.
    assert!(stats.missed <= 2 && stats.starved == 0, "{stats:?}");
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
