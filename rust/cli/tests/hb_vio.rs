//! `framelane camera --source hb_vio` on the stand-in's cameras, and the other commands beside it.

mod common;

use common::play::scrape;
use common::{DEADLINE, Ran, Scene, finish};
use framelane_standin_ion::{Fault, Place};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::os::unix::net::UnixDatagram;
use std::process::Child;

const CONFIG: &str = r#"
[[camera]]
host = 0
[camera.sensor]
width = 640
height = 480
[[camera.channel]]
number = 0
size = [320, 240]
[[camera.channel]]
number = 1
size = [64, 48]
transport = "copy"
[[camera]]
host = 2
[[camera.channel]]
number = 1
size = [64, 48]
"#;

/// A runtime directory, a board in it, and a configuration.
struct Bench {
    scene: Scene,
    place: Place,
    config: String,
}

impl Bench {
    fn new() -> Self {
        let scene = Scene::new();
        let place = Place::new(&scene.path().join("board")).unwrap();
        let config = scene.path().join("cameras.toml");
        std::fs::write(&config, CONFIG).unwrap();
        Bench { config: config.to_str().unwrap().to_owned(), scene, place }
    }

    fn command(&self, args: &[&str]) -> std::process::Command {
        let mut command = self.scene.command(args);
        command.env("FRAMELANE_HOBOT_DIR", self.place.folder());
        command
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = finish(self.command(&[args, &["--json"]].concat()).spawn().unwrap());
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
        serde_json::from_slice(&ran.out).unwrap()
    }
}

/// The command at work; it does not outlive a test that fails.
struct Camera(Option<Child>);

impl Camera {
    fn end(mut self) -> Ran {
        let child = self.0.take().unwrap();
        kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::TERM).unwrap();
        finish(child)
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn cameras_come_from_a_file_and_every_command_reads_their_lanes() {
    let bench = Bench::new();
    let metrics = bench.scene.path().join("metrics");
    let args = ["camera", "--source", "hb_vio", "--config", &bench.config, "--json"];
    let args = [&args[..], &["--metrics", metrics.to_str().unwrap()]].concat();
    let socket = bench.scene.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let camera = bench.command(&args).env("NOTIFY_SOCKET", &socket).spawn().unwrap();
    let camera = Camera(Some(camera));
    let mut told = [0; 32];
    let length = systemd.recv(&mut told).unwrap();
    assert_eq!(&told[..length], b"READY=1\n");
    let lanes = ["pet_camera_active_zc", "pet_camera_yolo_zc", "pet_camera_yolo_zc_cam1"];
    let listed = bench.json(&["ls"]);
    assert_eq!(listed["lanes"].as_array().unwrap().len(), lanes.len(), "{listed}");
    for (lane, kind) in lanes.into_iter().zip(["hb_mem", "inline", "hb_mem"]) {
        let info = bench.json(&["info", lane]).to_string();
        assert!(info.contains(&format!("\"{kind}\"")), "{lane}: {info}");
        let rate = bench.json(&["hz", lane, "--duration", "0.5"]);
        assert!(rate["received"].as_u64().unwrap() > 2, "{rate}");
        let latency = bench.json(&["latency", lane, "--duration", "0.5"]);
        assert!(latency["stages"][0]["count"].as_u64().unwrap() > 2, "{latency}");
        let picture = bench.scene.path().join("picture.png");
        bench.json(&["snapshot", lane, "-o", picture.to_str().unwrap()]);
        let size = image::image_dimensions(&picture).unwrap();
        assert_eq!(size, if lane == lanes[0] { (320, 240) } else { (64, 48) });
    }
    let metrics = scrape(&metrics, "GET /metrics HTTP/1.0\r\n\r\n");
    for lane in lanes {
        assert!(metrics.contains(&format!("lane=\"{lane}\"")), "{lane}: {metrics}");
    }
    let ran = camera.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    let channels = |camera: usize| summary["cameras"][camera]["channels"].as_array().unwrap();
    assert_eq!((channels(0).len(), channels(1).len()), (2, 1));
    assert_eq!(channels(0)[0]["transport"], "zero-copy");
    assert_eq!(channels(0)[0]["copied_bytes"], 0);
    assert_eq!(channels(0)[1]["transport"], "copy");
    let readme = include_str!("../README.md");
    for object in [&summary, &summary["cameras"][0], &channels(0)[0]] {
        for key in object.as_object().unwrap().keys() {
            let (plain, list) = (format!("`{key}`"), format!("`{key}[]`"));
            assert!(readme.contains(&plain) || readme.contains(&list), "{key}");
        }
    }
    let left = bench.place.ion().look(|state| state.buffers.len()).unwrap();
    assert_eq!(left, 0, "every buffer is given back");
}

#[test]
fn where_readers_could_not_import_it_copies_and_says_so_in_the_log_and_in_info() {
    let bench = Bench::new();
    // Of three channels one is copied anyway.
    let refuse = Fault::of("hb_mem_import_graph_buf", -16_777_214).times(2);
    bench.place.ion().plan(refuse).unwrap();
    let socket = bench.scene.path().join("notify");
    let systemd = UnixDatagram::bind(&socket).unwrap();
    systemd.set_read_timeout(Some(DEADLINE)).unwrap();
    let args = ["camera", "--source", "hb_vio", "--config", &bench.config, "--json"];
    let camera = bench.command(&args).env("NOTIFY_SOCKET", &socket).spawn().unwrap();
    let camera = Camera(Some(camera));
    systemd.recv(&mut [0; 32]).unwrap();
    for lane in ["pet_camera_active_zc", "pet_camera_yolo_zc_cam1"] {
        let info = bench.json(&["info", lane]).to_string();
        assert!(info.contains("\"inline\""), "{lane}: {info}");
        let rate = bench.json(&["hz", lane, "--duration", "0.5"]);
        assert!(rate["received"].as_u64().unwrap() > 2, "{rate}");
    }
    let ran = camera.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    let said = ran.err.matches("readers could not import: frames are copied").count();
    assert_eq!(said, 2, "{}", ran.err);
    assert!(ran.err.contains("INVALID_PARAMS (-16777214)"), "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    for camera in summary["cameras"].as_array().unwrap() {
        for channel in camera["channels"].as_array().unwrap() {
            assert_eq!(channel["transport"], "copy", "{channel}");
        }
    }
}

#[test]
fn doctor_looks_at_the_vendors_libraries() {
    let bench = Bench::new();
    let look = || {
        let ran = finish(bench.command(&["doctor", "--json"]).spawn().unwrap());
        let report: Value = serde_json::from_slice(&ran.out).unwrap();
        let findings = report["findings"].as_array().unwrap().clone();
        let of_board = |f: &Value| f["check"].as_str().unwrap().starts_with("board_");
        findings.into_iter().filter(of_board).collect::<Vec<Value>>()
    };
    let findings = look();
    assert_eq!(findings.len(), 5, "{findings:?}");
    assert!(findings.iter().all(|finding| finding["status"] == "ok"), "{findings:?}");
    bench.place.ion().plan(Fault::of("hb_mem_module_open", -16_777_207)).unwrap();
    std::fs::remove_file(bench.place.folder().join("libmultimedia.so.1")).unwrap();
    let findings = look();
    let statuses: Vec<&str> = findings.iter().map(|f| f["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["ok", "ok", "ok", "warn", "bad"]);
    assert!(findings[3]["found"].as_str().unwrap().contains("libmultimedia.so.1 cannot be loaded"));
    assert!(findings[4]["found"].as_str().unwrap().contains("MODULE_OPEN_FAIL"), "{findings:?}");
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let bench = Bench::new();
    let run = |args: &[&str]| finish(bench.command(args).spawn().unwrap());
    let ran = run(&["camera", "--source", "hb_vio"]);
    assert!(ran.code == 2 && ran.err.contains("hb_vio needs --config FILE"), "{}", ran.err);
    let ran = run(&["camera", "--config", &bench.config]);
    assert!(ran.code == 2 && ran.err.contains("--config is for --source hb_vio"), "{}", ran.err);
    std::fs::write(&bench.config, CONFIG.replace("host = 2", "host = 0")).unwrap();
    let args = ["camera", "--source", "hb_vio", "--config", &bench.config];
    let ran = run(&args);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("cameras.toml: two cameras at host 0"), "{}", ran.err);
    std::fs::write(&bench.config, CONFIG).unwrap();
    let mut elsewhere = bench.scene.command(&args);
    let ran = finish(elsewhere.env("FRAMELANE_HOBOT_DIR", bench.scene.path()).spawn().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("libhbmem.so.1 cannot be loaded"), "{}", ran.err);
}
