//! Frames in hb_mem through the C functions, which is how every language that builds on them
//! reads: nothing but opening the lane is needed.

use framelane::{MemoryKind, Mode, Producer, ProducerOptions};
use framelane_ffi as ffi;
use framelane_hobot::{Format, Memory, Picture, describe_picture, usage};
use framelane_standin_ion::Place;
use std::process::Command;
use std::ptr::null_mut;

const LANE: &std::ffi::CStr = c"camera";
const SECONDS_20: u64 = 20_000_000_000;

/// In a process of its own, where the environment names the library and the lane.
#[test]
fn child_entry() {
    if std::env::var_os("FRAMELANE_HOBOT_DIR").is_none() {
        return;
    }
    let options = ffi::framelane_consumer_options {
        struct_bytes: size_of::<ffi::framelane_consumer_options>() as u32,
        mode: Mode::Latest.number().into(),
        leases: 1,
        reattach: 1,
        wait_for_lane_ns: SECONDS_20,
        return_on_signal: 0,
        wants_writable: 0,
        directory: std::ptr::null(),
    };
    let mut consumer = null_mut();
    assert_eq!(ffi::framelane_consumer_open(LANE.as_ptr(), &options, null_mut(), &mut consumer), 0);
    let mut frame = empty();
    assert_eq!(ffi::framelane_consumer_next(consumer, SECONDS_20, null_mut(), &mut frame), 0);
    let mut plane = ffi::framelane_plane_view {
        data: std::ptr::null(),
        size_bytes: 0,
        stride_bytes: 0,
        rows: 0,
        revocable: 0,
        reserved: 0,
    };
    assert_eq!(ffi::framelane_frame_plane(&frame, 1, null_mut(), &mut plane), 0);
    assert_eq!((plane.size_bytes, plane.stride_bytes, plane.rows), (1024, 64, 16));
    assert_eq!(plane.revocable, 1);
    let mut chroma = [0; 1024];
    let into = chroma.as_mut_ptr();
    assert_eq!(ffi::framelane_frame_copy_to(&frame, 1, into, 1024, null_mut()), 0);
    assert_eq!(chroma, [77; 1024]);
    assert_eq!(ffi::framelane_frame_check(&frame), 1);
    assert_eq!(ffi::framelane_frame_release(&mut frame, null_mut()), 0);
    ffi::framelane_consumer_close(consumer);
}

fn empty() -> ffi::framelane_frame {
    ffi::framelane_frame {
        live: 0,
        handle: [0; 6],
        sequence: 0,
        epoch: 0,
        missed: 0,
        slot: 0,
        new_epoch: 0,
        switch_epoch: 0,
        lane_index: 0,
        switched: 0,
    }
}

#[test]
fn a_c_program_reads_frames_in_hb_mem_like_all_others() {
    let scratch = tempfile::tempdir().unwrap();
    let place = Place::new(&scratch.path().join("board")).unwrap();
    let memory = Memory::open(Some(place.folder())).unwrap();
    let flags = usage::CPU_READ_OFTEN | usage::CACHED | usage::GRAPHIC_CONTIGUOUS;
    let (width, height, format) = (64, 32, Format::NV12);
    let picture = Picture { width, height, format, flags, stride: 0, vstride: 0 };
    let buffer = memory.alloc_graphic(&picture).unwrap();
    place.ion().hardware_writes(buffer.raw().share_id[0], 2048, &[77; 1024]).unwrap();
    let directory = Some(scratch.path().to_owned());
    let options = ProducerOptions::new().memory(MemoryKind::HbMem).directory(directory);
    let producer = Producer::create(LANE.to_str().unwrap(), options).unwrap();
    let descriptor = describe_picture(buffer.raw()).unwrap();
    producer.publish_external(&descriptor, Box::new(|_| ())).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_entry"])
        .env("FRAMELANE_HOBOT_DIR", place.folder())
        .env("FRAMELANE_DIR", scratch.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
