//! The commands that make, use and show switches.

mod common;

use common::{DEADLINE, Scene, finish, publish, until};
use framelane::{ConsumerOptions, Mode, Switch, SwitchController, SwitchControllerOptions};
use serde_json::{Value, json};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command};

fn terminate(child: &Child) {
    let done = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(done.success());
}

/// `framelane switch create` with these arguments, once it is open.
fn create(scene: &Scene, args: &[&str]) -> Child {
    let path = scene.path().join("notify");
    let _ = std::fs::remove_file(&path);
    let told = UnixDatagram::bind(&path).unwrap();
    told.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut command = scene.command(&[&["switch", "create"], args].concat());
    let child = command.env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let mut word = [0; 64];
    let length = told.recv(&mut word).expect("it says that it is ready");
    assert_eq!(&word[..length], b"READY=1\n");
    child
}

#[test]
fn a_switch_is_made_selected_shown_and_ended() {
    let scene = Scene::new();
    let (day, night) = (scene.grey("day"), scene.grey("night"));
    let owner = create(&scene, &["camera", "day", "night", "--json"]);
    let options = ConsumerOptions::new(Mode::Latest).directory(scene.directory());
    let mut switch = Switch::open("camera", options).unwrap();
    publish(&day);
    assert_eq!(switch.next(DEADLINE).unwrap().unwrap().lane_name(), "day");
    let selected = scene.json(&["switch", "select", "camera", "night"]);
    assert_eq!((&selected["active"], &selected["active_lane"]), (&json!(1), &json!("night")));
    publish(&night);
    let frame = switch.next(DEADLINE).unwrap().unwrap();
    assert!(frame.switched() && frame.lane_name() == "night");
    let status = scene.json(&["switch", "status", "camera"]);
    assert_eq!((&status["held"], &status["switch_epoch"]), (&json!(true), &json!(2)));
    assert_eq!(status["lanes"][0]["state"], json!("live"));
    assert!(scene.text(&["switch", "status", "camera"]).contains("night, lane 1 of 2"));
    assert!(scene.text(&["switch", "select", "camera", "0"]).contains("day is active"));
    let text = scene.text(&["switch", "select", "camera", "auto"]);
    assert!(text.contains("day is active"), "nothing changes by itself: {text}");
    assert_eq!(scene.json(&["switch", "status", "camera"])["held"], json!(false));
    terminate(&owner);
    let ran = finish(owner);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let summary: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!((&summary["switches"], &summary["active_lane"]), (&json!(2), &json!("day")));
    assert_eq!(scene.run(&["switch", "status", "camera"]).code, 3);
}

#[test]
fn wrong_switches_are_refused() {
    let scene = Scene::new();
    let _day = scene.grey("day");
    let _owner = controller(&scene);
    for (args, code, says) in [
        (&["switch", "select", "camera", "dusk"][..], 2, "none of its lanes day, night"),
        (&["switch", "select", "camera", "2"], 2, "none of its lanes"),
        (&["switch", "select", "day", "0"], 1, "is no switch"),
        (&["switch", "status", "nosuch"], 3, "no producer of lane"),
        (&["switch", "create", "camera", "day"], 1, "already has a producer"),
        (&["switch", "create", "other"], 2, "LANE"),
        (&["switch", "create", "other", "day", "day"], 1, "stands twice"),
        (&["switch", "create", "other", "day", "--active", "1"], 1, "lane 1 of switch"),
        (&["switch", "create", "other", "day", "--policy", "brightness"], 1, "two lanes"),
    ] {
        let ran = scene.run(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}

fn controller(scene: &Scene) -> SwitchController {
    let options = SwitchControllerOptions::new().directory(scene.directory());
    SwitchController::create("camera", &["day", "night"], options).unwrap()
}

#[test]
fn a_switch_is_listed_like_a_lane() {
    let scene = Scene::new();
    let _controller = controller(&scene);
    let options = ConsumerOptions::new(Mode::Latest).directory(scene.directory());
    let _reader = Switch::open("camera", options).unwrap();
    let row = &scene.json(&["ls"])["lanes"][0];
    assert_eq!((&row["kind"], &row["active"]), (&json!("switch"), &json!("day")));
    assert_eq!((&row["fps"], &row["format"]), (&Value::Null, &Value::Null));
    assert!(scene.text(&["ls"]).contains("-> day"));
    let info = scene.json(&["info", "camera"]);
    assert_eq!((&info["kind"], &info["newest"]), (&json!("switch"), &Value::Null));
    assert_eq!(info["switch"]["lanes"][1]["name"], json!("night"));
    assert!(scene.text(&["info", "camera"]).contains("day, lane 0 of 2"));
    let who = scene.json(&["who", "camera"]);
    assert_eq!((&who["head_sequence"], &who["consumers"][0]["leases"]), (&json!(1), &json!(0)));
    assert!(scene.text(&["who", "camera"]).contains("switch epoch 1, 1 consumer"));
    assert!(scene.text(&["top", "--once"]).contains("camera"));
}

#[test]
fn a_switch_is_read_like_a_lane() {
    let scene = Scene::new();
    let (day, night) = (scene.grey("day"), scene.grey("night"));
    let controller = controller(&scene);
    controller.select(1).unwrap();
    publish(&night);
    let file = scene.path().join("picture.png");
    let taken = scene.json(&["snapshot", "camera", "-o", file.to_str().unwrap()]);
    assert_eq!(taken["epoch"], json!(format!("{:#018x}", night.epoch())));
    let over = std::sync::atomic::AtomicBool::new(false);
    let stop = || over.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 0.. {
                publish(&day);
                publish(&night);
                if turn % 10 == 9 {
                    controller.select(turn / 10 % 2).unwrap();
                }
                if stop() {
                    return;
                }
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        let watched = scene.text(&["watch", "camera", "--frames", "100", "--json"]);
        let measured = scene.json(&["hz", "camera", "--duration", "0.5"]);
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        let last: Value = serde_json::from_str(watched.lines().last().unwrap()).unwrap();
        assert_eq!((&last["received"], &last["final"]), (&json!(100), &json!(true)));
        assert_eq!((&last["out_of_order"], &last["unaccounted"]), (&json!(0), &json!(0)));
        assert!(measured["received"].as_u64().unwrap() > 0);
    });
}

#[test]
fn a_switch_follows_the_brightness_of_its_day_camera() {
    let scene = Scene::new();
    let day = scene.grey("day");
    let args = ["camera", "day", "night", "--policy", "brightness", "--dark-for", "0.2"];
    let owner = create(&scene, &args);
    let active = || scene.json(&["switch", "status", "camera"])["active_lane"].clone();
    assert_eq!(active(), json!("day"));
    until("it is dark", || {
        for _ in 0..10 {
            let mut frame = day.claim().unwrap();
            frame.descriptor_mut().brightness_avg = 12.0;
            frame.publish().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        active() == json!("night")
    });
    let status = scene.json(&["switch", "status", "camera"]);
    assert_eq!(status["lanes"][0]["brightness_avg"], json!(12.0));
    terminate(&owner);
    assert_eq!(finish(owner).code, 0);
}
