//! The camera through the binding, on the stand-in's hardware.

mod common;

use common::{Board, board};
use framelane::ErrorKind;
use framelane_hobot::vio::{CameraSetup, ChannelSetup, Crop, Pipeline, SensorSetup, Vio, VioFrame};
use framelane_standin_ion::{Fault, Light, Scene, UNFINISHED, luma};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn channel(number: u32, width: u32, height: u32) -> ChannelSetup {
    ChannelSetup { number, width, height, crop: None, buffers: 3, cached: true }
}

fn setup(host: u32, channels: Vec<ChannelSetup>) -> CameraSetup {
    let sensor = SensorSetup { width: 320, height: 240, fps: 100, ..SensorSetup::default() };
    CameraSetup { host, sensor, channels }
}

/// The board with cameras; what libvpf holds for itself is given back with the frames.
fn vio(_: &Board) -> Arc<Vio> {
    Vio::open(Some(&common::folder())).unwrap()
}

fn start(vio: &Arc<Vio>, host: u32) -> Pipeline {
    let channels = vec![channel(0, 160, 120), channel(1, 64, 48)];
    Pipeline::start(vio, &setup(host, channels)).unwrap()
}

fn first_bytes(frame: &VioFrame) -> [u8; 2] {
    [0, 1].map(|plane| {
        let bytes = frame.plane(plane).unwrap();
        let other = bytes.iter().find(|byte| **byte != bytes[0]);
        assert_eq!(other, None, "one exposure, and not of {}", bytes[0]);
        bytes[0]
    })
}

#[test]
fn each_channel_shows_the_same_exposures_in_a_few_fixed_buffers() {
    let board = board();
    let vio = vio(&board);
    let cameras = [(0, start(&vio, 0)), (2, start(&vio, 2))];
    for (host, camera) in &cameras {
        for (number, width) in [(0, 160), (1, 64)] {
            let mut buffers = BTreeSet::new();
            for _ in 0..12 {
                let frame = camera.get(number, SECOND).unwrap();
                let value = luma(*host, number, frame.frame_id());
                assert_eq!(first_bytes(&frame), [value, value + 1]);
                let descriptor = frame.describe().unwrap();
                assert_eq!((descriptor.width, descriptor.plane_count), (width, 2));
                assert_eq!(descriptor.planes[1].offset_bytes, descriptor.planes[0].size_bytes);
                let plane = descriptor.planes[0];
                buffers.insert((plane.share_id, plane.physical_address, frame.buffer_index()));
            }
            assert_eq!(buffers.len(), 3, "{buffers:?}");
        }
    }
}

#[test]
fn a_buffer_is_overwritten_as_soon_as_it_is_given_back() {
    let board = board();
    let vio = vio(&board);
    let camera = start(&vio, 0);
    let frame = camera.get(0, SECOND).unwrap();
    let view = vio.memory().import_graphic(&framelane_hobot::GraphicBuf {
        flags: frame.buffer().flags & !0x10,
        ..*frame.buffer()
    });
    let view = view.unwrap();
    let value = luma(0, 0, frame.frame_id());
    board.place.ion().set_scene(0, Scene { frozen: true, ..Scene::default() }).unwrap();
    let ram = |id: i32| {
        let record = board.place.ion().look(|state| state.buffers[&id].clone()).unwrap();
        std::fs::read(board.place.folder().join(record.file)).unwrap()[0]
    };
    let id = view.raw().share_id[0];
    assert_eq!(ram(id), value);
    drop(frame);
    assert_eq!(ram(id), UNFINISHED, "an import protects the memory, not what is in it");
    board.place.ion().set_scene(0, Scene::default()).unwrap();
}

#[test]
fn holding_every_buffer_starves_the_hardware_until_one_is_back() {
    let board = board();
    let vio = vio(&board);
    let camera = start(&vio, 0);
    let mut held: Vec<_> = (0..3).map(|_| camera.get(0, SECOND).unwrap()).collect();
    let error = camera.get(0, Duration::from_millis(50)).err().unwrap();
    assert!(error.is_transient() && error.code() == Some(-43), "{error}");
    let last = held.last().unwrap().frame_id();
    held.remove(0);
    assert!(camera.get(0, SECOND).unwrap().frame_id() > last);
    camera.get(1, SECOND).unwrap();
}

#[test]
fn who_waits_is_told_at_once_when_the_flow_stops() {
    let board = board();
    let vio = vio(&board);
    board.place.ion().set_scene(0, Scene { frozen: true, ..Scene::default() }).unwrap();
    let begun = Instant::now();
    // So often that waiting a second each time would take longer than the deadline.
    for _ in 0..common::DEADLINE.as_secs() + 5 {
        let camera = start(&vio, 0);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| camera.get(0, SECOND).err().unwrap());
            std::thread::sleep(Duration::from_millis(20)); // most often it waits by now
            camera.stop();
            let error = waiter.join().unwrap();
            assert_eq!((error.code(), error.kind()), (Some(-43), ErrorKind::TimedOut));
        });
    }
    assert!(begun.elapsed() < common::DEADLINE, "not told at once");
    board.place.ion().set_scene(0, Scene::default()).unwrap();
}

#[test]
fn frames_may_outlive_the_camera_they_came_from() {
    let board = board();
    let vio = vio(&board);
    let camera = start(&vio, 0);
    let frame = camera.get(0, SECOND).unwrap();
    camera.stop();
    drop(camera);
    let id = frame.buffer().share_id[0];
    drop(frame);
    assert_eq!(board.counts(id), (0, 0), "the flow has ended with its last frame");
}

#[test]
fn the_statistics_tell_how_bright_the_scene_is() {
    let board = board();
    let vio = vio(&board);
    let cameras = [start(&vio, 0), start(&vio, 2)];
    board.place.ion().set_scene(2, Scene { brightness: 30, frozen: false }).unwrap();
    assert_eq!(cameras.each_ref().map(|camera| camera.brightness().unwrap()), [100.0, 30.0]);
    board.place.ion().set_scene(2, Scene::default()).unwrap();
}

/// Pictures of 64x48, each of one value, as a Y4M file.
fn write_clip(path: &Path, values: &[u8]) {
    let mut clip = b"YUV4MPEG2 W64 H48 F30:1 C420jpeg\n".to_vec();
    for value in values {
        clip.extend_from_slice(b"FRAME\n");
        clip.extend(vec![*value; 64 * 48]);
        clip.extend(vec![value + 1; 32 * 24 * 2]);
    }
    std::fs::write(path, clip).unwrap();
}

#[test]
fn a_clip_before_a_camera_is_what_it_sees_in_the_light_that_is_planned() {
    let board = board();
    let vio = vio(&board);
    let (folder, ion) = (tempfile::tempdir().unwrap(), board.place.ion());
    let path = folder.path().join("clip.y4m");
    write_clip(&path, &[40, 80, 120, 160]);
    ion.show(0, Some(&path)).unwrap();
    let light = |exposure, brightness| Light { exposure, brightness };
    ion.set_script(0, vec![light(1, 100), light(41, 20)]).unwrap();
    let camera = start(&vio, 0);
    let percent = |id: u32| 100 - 2 * (id.min(41) - 1);
    let mut newest = 0;
    while newest < 45 {
        let frame = camera.get(0, SECOND).unwrap();
        newest = frame.frame_id();
        let own = [40, 80, 120, 160][(newest as usize - 1) % 4];
        let lit = (own * percent(newest)).div_ceil(100) as u8;
        assert_eq!(first_bytes(&frame), [lit, own as u8 + 1], "exposure {newest}");
    }
    let brightness = camera.brightness().unwrap();
    assert!([8.0, 16.0, 24.0, 32.0].contains(&brightness), "{brightness}");
    drop(camera);
    ion.set_script(0, Vec::new()).unwrap();
    ion.show(0, None).unwrap();
    let camera = start(&vio, 0);
    let frame = camera.get(0, SECOND).unwrap();
    assert_eq!(first_bytes(&frame)[0], luma(0, 0, frame.frame_id()), "the pattern again");
}

#[test]
fn a_clip_that_cannot_be_shown_keeps_the_camera_from_starting() {
    let board = board();
    let vio = vio(&board);
    let empty = tempfile::tempdir().unwrap();
    board.place.ion().show(0, Some(empty.path())).unwrap();
    let error = Pipeline::start(&vio, &setup(0, vec![channel(0, 64, 48)])).err().unwrap();
    board.place.ion().show(0, None).unwrap();
    assert_eq!(error.to_string(), "hbn_vflow_start: node start (-36)");
    assert!(board.ids().is_empty());
}

#[test]
fn a_sensor_that_does_not_answer_at_once_is_tried_again() {
    let board = board();
    let vio = vio(&board);
    let slow = Fault::of("hbn_camera_attach_to_vin", -36).times(1);
    board.place.ion().plan(slow).unwrap();
    start(&vio, 0).get(0, SECOND).unwrap();
}

#[test]
fn whatever_fails_on_the_way_up_leaves_nothing_behind() {
    let board = board();
    let vio = vio(&board);
    for function in [
        "hbn_camera_create",
        "hbn_vnode_open",
        "hbn_vnode_set_attr",
        "hbn_vnode_set_ichn_attr",
        "hbn_vnode_set_ochn_attr",
        "hbn_vnode_set_ochn_buf_attr",
        "hbn_vflow_create",
        "hbn_vflow_add_vnode",
        "hbn_vflow_bind_vnode",
        "hbn_vflow_start",
    ] {
        board.place.ion().plan(Fault::of(function, -10)).unwrap();
        let error = Pipeline::start(&vio, &setup(0, vec![channel(0, 64, 48)])).err().unwrap();
        assert_eq!(error.to_string(), format!("{function}: illegal attribute (-10)"));
        assert!(board.ids().is_empty(), "{function}");
    }
    start(&vio, 0).get(0, SECOND).unwrap();
}

#[test]
fn what_the_scaler_cannot_do_is_refused_before_anything_is_opened() {
    let board = board();
    let vio = vio(&board);
    board.place.ion().plan(Fault::of("hbn_camera_create", -128)).unwrap();
    let crop = Some(Crop { x: 200, y: 0, width: 160, height: 120 });
    let outside = ChannelSetup { crop, ..channel(0, 64, 48) };
    let error = Pipeline::start(&vio, &setup(0, vec![outside])).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("is not inside the sensor's 320x240"), "{error}");
    let error = Pipeline::start(&vio, &setup(0, vec![channel(0, 64, 48)])).err().unwrap();
    assert_eq!(error.code(), Some(-128), "the fault was still waiting");
}
