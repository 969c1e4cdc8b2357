//! `framelane camera` and `framelane render` as processes of their own, and `watch` beside them.

mod common;

use common::{DEADLINE, Ran, Scene, finish, until};
use framelane::{Consumer, ConsumerOptions, Mode};
use framelane_camera::strip;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::process::Child;

const PHOTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/media/chelsea.jpg");

fn object(ran: &Ran) -> Value {
    let lines = ran.text();
    let last = lines.lines().last().expect("something is printed");
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {lines} {}", ran.err))
}

fn start(scene: &Scene, args: &[&str]) -> Child {
    scene.command(args).spawn().unwrap()
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
}

fn reader(scene: &Scene, lane: &str, mode: Mode) -> Consumer {
    let options = ConsumerOptions::new(mode).wait_for_lane(DEADLINE).reattach(false);
    Consumer::open(lane, options.directory(scene.directory())).unwrap()
}

#[test]
fn every_format_reaches_a_reader_whole() {
    let scene = Scene::new();
    for format in ["nv12", "i420", "yuyv", "rgb24", "bgr24", "grey"] {
        let args =
            ["camera", "lane", "--format", format, "--size", "162x99", "--camera-id", "65539"];
        let camera = start(&scene, &[&args[..], &["--fps", "200", "--json"]].concat());
        let mut consumer = reader(&scene, "lane", Mode::Latest);
        let mut last = 0;
        for _ in 0..5 {
            let frame = consumer.next(DEADLINE).unwrap().expect("a frame within the deadline");
            let mark = strip::verify_frame(&frame).unwrap().mark;
            assert!(mark.number > last && mark.camera == 3, "{mark:?} after {last}");
            last = mark.number;
        }
        consumer.close();
        signal(&camera, Signal::TERM);
        let ran = finish(camera);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let summary = object(&ran);
        assert_eq!(summary["format"], format);
        assert!(summary["published"].as_u64().unwrap() >= 5);
        assert_eq!(summary["copied_bytes"], 0);
    }
    assert_eq!(scene.json(&["ls"])["lanes"].as_array().unwrap().len(), 0, "nothing is left");
}

#[test]
fn a_real_clip_is_proved_from_the_camera_to_the_reader() {
    let scene = Scene::new();
    let clip = scene.path().join("cat.y4m");
    let clip = clip.to_str().unwrap();
    let rendered = scene.run(&["render", PHOTO, clip, "--size", "320x240", "--frames", "7"]);
    assert_eq!(rendered.code, 0, "{}", rendered.err);
    assert!(rendered.err.contains("7 frames of 320x240"), "{}", rendered.err);
    let source = format!("y4m:{clip}");
    let args = ["camera", "cat", "--source", &source, "--fps", "100", "--lossless", "--json"];
    let watch = ["watch", "cat", "--mode", "lossless", "--verify-strip", "--json"];

    let camera = start(&scene, &[&args[..], &["--strip"]].concat());
    let watched = finish(start(&scene, &[&watch[..], &["--frames", "30"]].concat()));
    signal(&camera, Signal::INT);
    let played = object(&finish(camera));
    let books = object(&watched);
    assert_eq!(watched.code, 0, "{books} {}", watched.err);
    for (key, expected) in [("received", 30), ("torn", 0), ("missed", 0), ("out_of_order", 0)] {
        assert_eq!(books[key], expected, "{key} in {books}");
    }
    assert_eq!(played["source"], source);
    assert!(played["published"].as_u64().unwrap() >= 30, "longer than the clip: it is looped");

    let camera = start(&scene, &args);
    let watched = finish(start(&scene, &[&watch[..], &["--frames", "3"]].concat()));
    signal(&camera, Signal::INT);
    assert_eq!(finish(camera).code, 0);
    assert_eq!((watched.code, &object(&watched)["torn"]), (1, &3.into()), "nothing proves these");
    let books = object(&watched);
    assert!(books["first_error"].as_str().unwrap().contains("no strip"), "{books}");
}

#[test]
fn photographs_are_shown_in_motion() {
    let scene = Scene::new();
    let source = format!("images:{PHOTO}");
    let camera = start(
        &scene,
        &["camera", "photo", "--source", &source, "--strip", "--size", "320x240", "--json"],
    );
    let mut consumer = reader(&scene, "photo", Mode::Latest);
    let mut pictures = Vec::new();
    for _ in 0..2 {
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame within the deadline");
        strip::verify_frame(&frame).unwrap();
        pictures.push(frame.plane(0).unwrap()[100 * 320..].to_vec());
    }
    assert_ne!(pictures[0], pictures[1]);
    signal(&camera, Signal::TERM);
    assert_eq!(finish(camera).code, 0);
}

#[test]
fn it_ends_by_itself_when_told_and_says_what_it_did() {
    let scene = Scene::new();
    let size = ["--size", "64x48"];
    let ran =
        scene.run(&[&["camera", "lane", "--frames", "4", "--fps", "500"], &size[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.text().starts_with("lane: 4 frames in "), "{}", ran.text());
    assert!(ran.err.contains("lane lane is open in"), "{}", ran.err);
    let ran = scene.run(&[&["camera", "--frames", "1"], &size[..]].concat());
    assert!(ran.text().starts_with("camera: 1 frames in "), "{}", ran.text());
    let args = ["camera", "--lane", "lane", "--duration", "0.2", "--slots", "9", "--history", "3"];
    let summary = scene.json(&[&args[..], &size].concat());
    assert!(summary["elapsed_ns"].as_u64().unwrap() >= 200_000_000, "{summary}");
}

#[test]
fn a_second_camera_of_the_name_and_sources_that_fail_say_why() {
    let scene = Scene::new();
    let camera = start(&scene, &["camera", "lane", "--size", "64x48"]);
    let query = || framelane::query("lane", Some(scene.path()), DEADLINE);
    until("the lane is there", || query().is_ok());
    let fails = |args: &[&str], code: i32, expected: &str| {
        let ran = scene.run(&[&["camera"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
    };
    fails(&["lane"], 1, &camera.id().to_string());
    signal(&camera, Signal::TERM);
    assert_eq!(finish(camera).code, 0);

    fails(&["Bad/Name"], 2, "Bad/Name");
    fails(&["a", "--source", "no-such:thing"], 2, "pattern, y4m:FILE, images:");
    for option in ["--strip", "--slots 9", "--mlock", "--huge-pages try", "--numa-node 0"]
        .into_iter()
        .chain(["--ring-mib 8", "--ring-records 64"])
    {
        let given: Vec<_> = option.split(' ').collect();
        let expected = format!("{} is not for v4l2", given[0]);
        fails(&[&["a", "--source", "v4l2:/dev/null"], &given[..]].concat(), 2, &expected);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let args = ["a", "--source", "v4l2:/dev/null", "--metrics", &address];
    fails(&args, 1, "is in use by another program");
    fails(&args[..3], 1, "/dev/null is no V4L2 device");
    fails(&["a", "--source", "y4m:/no/such.y4m"], 1, "/no/such.y4m");
    fails(&["a", "--source", &format!("y4m:{PHOTO}")], 1, "chelsea.jpg: not a YUV4MPEG2 clip");
    fails(&["a", "--size", "640"], 2, "not a size like 640x480");
    fails(&["a", "--size", "8x8"], 1, "16x14");
    fails(&["a", "--format", "nv21"], 2, "nv12");
    fails(&["a", "--fps", "0"], 2, "cannot be paced");
    fails(&["a", "--slots", "3"], 1, "3 slots leave none to lease");
    fails(&["a", "--slots", "9", "--leases", "2"], 2, "cannot be used with");
    fails(&["a", "--leases", "80"], 1, "80 leases + 1 claims + 1 + 1 history make 83 slots");
    fails(&["a", "--lease-ms", "66"], 1, "inline frames are never revoked");
    fails(&["a", "--group", "no such group"], 2, "no group");
    fails(&["a", "--numa-node", "4000"], 1, "4000");
}

#[test]
fn options_reach_the_lane() {
    let scene = Scene::new();
    let args = ["camera", "lane", "--size", "64x48", "--leases", "3", "--history", "2"];
    let more = ["--lossless", "--untrusted", "--everyone", "--mlock", "--huge-pages", "try"];
    let camera = start(&scene, &[&args[..], &more].concat());
    let query = || framelane::query("lane", Some(scene.path()), DEADLINE);
    until("the lane is there", || query().is_ok_and(|report| report.published > 0));
    let info = scene.json(&["info", "lane"]);
    assert_eq!((&info["slots"]["slots"], &info["slots"]["lease_budget"]), (&7.into(), &3.into()));
    assert_eq!(
        (&info["rules"]["lossless"], &info["rules"]["trust"]),
        (&true.into(), &"untrusted".into())
    );
    assert_eq!(info["socket_mode"], "0666");
    assert_eq!(info["newest"]["color_matrix"], "bt601");
    assert_eq!(info["newest"]["capture_clock"], "monotonic");
    signal(&camera, Signal::TERM);
    assert_eq!(finish(camera).code, 0);
}
