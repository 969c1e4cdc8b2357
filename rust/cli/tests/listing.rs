//! `ls`, `info` and `who` beside lanes of this process.

mod common;

use common::{Scene, layout, publish, stale_socket};
use framelane::{
    Access, Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use serde_json::{Value, json};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn camera(scene: &Scene) -> Producer {
    let padded = FrameLayout::with_stride_align(PixelFormat::Nv12, 638, 481, 64).unwrap();
    let options = ProducerOptions::new().layout(padded).history(2).lossless(true);
    let producer = scene.producer("camera", options);
    publish(&producer);
    publish(&producer);
    let mut frame = producer.claim().unwrap();
    let descriptor = frame.descriptor_mut();
    descriptor.capture_id = 4711;
    descriptor.capture_ns = framelane::monotonic_ns();
    descriptor.color_matrix = framelane::ColorMatrix::Bt709.number();
    descriptor.color_range = framelane::ColorRange::Limited.number();
    descriptor.flags = framelane::layout::FrameFlag::CORRECTED;
    frame.publish().unwrap();
    producer
}

fn consumer(scene: &Scene, mode: Mode, leases: u32) -> Consumer {
    let options = ConsumerOptions::new(mode).leases(leases).directory(scene.directory());
    Consumer::open("camera", options).unwrap()
}

/// Compares text for people with its snapshot, without what differs from run to run. The columns'
/// widths are among that; that they line up is tested where tables are made.
fn assert_text(name: &str, scene: &Scene, text: &str) {
    let text = text.replace(scene.path().to_str().unwrap(), "[dir]");
    let mut settings = insta::Settings::clone_current();
    for (volatile, stand_in) in [
        (r" {2,}", "  "),
        (r"0x[0-9a-f]{16}", "[id]"),
        (r"\d+(\.\d+)? (ns|us|ms|s|min|h)( \d+ (s|min))?\b", "[time]"),
        (r"inline, .* in all", "inline, [size] in all"),
        (r"process \d+ \(.*\) of user \d+", "process [pid] ([command]) of user [uid]"),
        (r"process \d+", "process [pid]"),
        (r"(?m)^(#\d+)  \d+  \S+  \d+  ", "$1  [pid]  [command]  [uid]  "),
        (r"  \d+  \[dir\]", "  [pid]  [dir]"),
        (r"(?m)(peer_)?pidfd$", "[liveness]"),
    ] {
        settings.add_filter(volatile, stand_in);
    }
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn lane<'a>(listing: &'a Value, name: &str) -> &'a Value {
    let lanes = listing["lanes"].as_array().unwrap();
    lanes.iter().find(|lane| lane["name"] == name).unwrap_or_else(|| panic!("{name}: {listing}"))
}

#[test]
fn nothing_is_listed_where_nothing_is() {
    let scene = Scene::new();
    let listing = scene.json(&["ls"]);
    assert_eq!(listing["lanes"], json!([]));
    assert_eq!(listing["places"][0]["directory"], scene.path().to_str().unwrap());
    let place = scene.path().display();
    assert_eq!(scene.text(&["ls"]), format!("no lanes; looked in {place}\n"));
    assert_eq!(scene.text(&["ls", "-q"]), "");
}

#[test]
fn live_lanes_are_listed_with_what_they_carry() {
    let scene = Scene::new();
    let producer = camera(&scene);
    let _empty = scene.grey("empty");
    let mut reader = consumer(&scene, Mode::Latest, 1);
    reader.try_next().unwrap();
    let listing = scene.json(&["ls", "--no-rate"]);
    let row = lane(&listing, "camera");
    assert_eq!(row["state"], "live");
    assert_eq!(row["epoch"], format!("{:#018x}", producer.epoch()));
    assert_eq!((&row["format"], &row["kind"]), (&json!("nv12"), &json!("frame")));
    assert_eq!((&row["width"], &row["height"]), (&json!(638), &json!(481)));
    assert_eq!((&row["published"], &row["consumers"]), (&json!(3), &json!(1)));
    assert_eq!(row["producer_pid"], std::process::id());
    assert_eq!((&row["fps"], &row["reason"]), (&Value::Null, &Value::Null));
    assert!(row["newest_age_ns"].as_u64().unwrap() > 0);
    let row = lane(&listing, "empty");
    assert_eq!((&row["format"], &row["newest_age_ns"]), (&Value::Null, &Value::Null));
    assert_eq!(scene.text(&["ls", "-q"]), "camera\nempty\n");
    assert_text("ls", &scene, &scene.text(&["ls"]));
}

#[test]
fn the_rate_is_measured_between_two_looks() {
    let scene = Scene::new();
    let producer = scene.grey("camera");
    publish(&producer);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                publish(&producer);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let mut fps = 0.0;
        // On a busy machine none may come while we look.
        common::until("no frame was seen to come", || {
            fps = lane(&scene.json(&["ls"]), "camera")["fps"].as_f64().unwrap();
            fps > 0.0
        });
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(fps <= 200.0, "never faster than they were published: {fps}");
    });
    assert_eq!(lane(&scene.json(&["ls"]), "camera")["fps"], 0.0, "stalled");
}

#[test]
fn dead_entries_are_shown_as_such() {
    let scene = Scene::new();
    stale_socket(scene.path(), "killed");
    std::fs::write(scene.path().join("file.sock"), b"").unwrap();
    let listing = scene.json(&["ls"]);
    for (name, reason) in [("killed", "its producer was killed"), ("file", "is no socket")] {
        let row = lane(&listing, name);
        assert_eq!(row["state"], "stale");
        assert!(row["reason"].as_str().unwrap().contains(reason), "{row}");
        assert_eq!(row["producer_pid"], Value::Null);
    }
    assert_text("ls_dead", &scene, &scene.text(&["ls"]));
    assert_eq!(scene.text(&["ls", "-q"]), "");
}

/// Runs as a user who may not connect to lanes of this one.
fn as_stranger(scene: &Scene, directory: &Path, args: &[&str]) -> common::Ran {
    let mut command = scene.command(args);
    if rustix::process::geteuid().is_root() {
        // A copy that another user can reach, whatever the build folder's rights are. Made by a
        // process of its own: a test that forks beside us would inherit the file open for writing,
        // and such a file cannot be run.
        let program = scene.path().join("framelane");
        let mut copy = Command::new("cp");
        copy.arg(env!("CARGO_BIN_EXE_framelane")).arg(&program);
        assert!(copy.status().unwrap().success());
        command = Command::new(&program);
        std::os::unix::process::CommandExt::uid(&mut command, 65534);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    common::finish(command.env("FRAMELANE_DIR", directory).spawn().unwrap())
}

#[test]
fn a_lane_that_refuses_this_user_is_shown_as_such() {
    let scene = Scene::new();
    std::fs::set_permissions(scene.path(), Permissions::from_mode(0o755)).unwrap();
    let _own = scene.grey("own");
    // Who is not root cannot become another user, but can lock itself out.
    std::fs::set_permissions(scene.path().join("own.sock"), Permissions::from_mode(0o0)).unwrap();
    let options = ProducerOptions::new().layout(layout(PixelFormat::Grey, 8, 8));
    let _open = scene.producer("open", options.access(Access::Everyone));
    let ran = as_stranger(&scene, scene.path(), &["ls", "--json", "--no-rate"]);
    let listing: Value = serde_json::from_str(&ran.text()).unwrap();
    assert_eq!(lane(&listing, "open")["state"], "live");
    let own = lane(&listing, "own");
    assert_eq!(own["state"], "refused");
    assert!(own["reason"].as_str().unwrap().contains("Permission denied"), "{own}");
    let ran = as_stranger(&scene, scene.path(), &["info", "own"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("Permission denied") && ran.err.contains("try: "), "{}", ran.err);
    let ran = as_stranger(&scene, scene.path(), &["doctor", "--json"]);
    let report: Value = serde_json::from_str(&ran.text()).unwrap();
    let owner = rustix::process::geteuid().as_raw();
    let advice = format!("sudo -u '#{owner}' framelane info own");
    let told = report["findings"].as_array().unwrap().iter().any(|finding| {
        finding["check"] == "lane"
            && finding["status"] == "warn"
            && finding["fix"].as_str().unwrap().contains(&advice)
    });
    assert!(told, "{report}");
}

#[test]
fn a_place_that_cannot_be_read_is_named_and_no_failure() {
    let scene = Scene::new();
    std::fs::set_permissions(scene.path(), Permissions::from_mode(0o755)).unwrap();
    let closed = scene.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, Permissions::from_mode(0o000)).unwrap();
    let ran = as_stranger(&scene, &closed, &["ls", "--json"]);
    let listing: Value = serde_json::from_str(&ran.text()).unwrap();
    let error = listing["places"][0]["error"].as_str().unwrap();
    assert!(error.contains("Permission denied"), "{error}");
    let ran = as_stranger(&scene, &closed, &["ls"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.text().contains("Permission denied"), "{}", ran.text());
    let ran = as_stranger(&scene, &closed, &["info", "lane"]);
    assert_eq!(ran.code, 1, "the only place there is: {}", ran.err);
}

#[test]
fn info_tells_everything_of_a_lane() {
    let scene = Scene::new();
    let producer = camera(&scene);
    let mut reader = consumer(&scene, Mode::Ordered, 3);
    let frame = reader.latest().unwrap().unwrap();
    frame.copy_to(1, &mut vec![0; 640 * 241]).unwrap();
    let info = scene.json(&["info", "camera"]);
    assert_eq!(info["epoch"], format!("{:#018x}", producer.epoch()));
    assert_eq!(info["socket_mode"], "0600");
    assert_eq!(info["producer"]["pid"], std::process::id());
    let slots = json!({
        "slots": 12, "lease_budget": 8, "claims": 1, "history": 2, "leases_granted": 3
    });
    assert_eq!(info["slots"], slots);
    let counts = json!({
        "head_sequence": 3, "published": 3, "abandoned": 0, "no_free_slot": 0, "revoked": 0,
        "consumers": 1
    });
    assert_eq!(info["counts"], counts);
    assert_eq!(info["copies"]["consumers_bytes"], 640 * 241);
    assert_eq!(info["copies"]["producer_bytes"], 0);
    assert_eq!(info["memory"]["kind"], "inline");
    assert!(info["memory"]["enforced"].as_str().unwrap().contains("no consumer write"));
    assert_eq!(
        (&info["rules"]["lossless"], &info["rules"]["trust"]),
        (&json!(true), &json!("same_user"))
    );
    let newest = &info["newest"];
    assert_eq!((&newest["sequence"], &newest["capture_id"]), (&json!(3), &json!(4711)));
    assert_eq!(
        (&newest["color_matrix"], &newest["color_range"]),
        (&json!("bt709"), &json!("limited"))
    );
    assert_eq!((&newest["format"], &newest["flags"]), (&json!("nv12"), &json!(["corrected"])));
    assert_eq!(newest["planes"][1]["stride_bytes"], 640);
    assert_eq!(newest["planes"][1]["rows"], 241);
    assert_text("info", &scene, &scene.text(&["info", "camera"]));
}

#[test]
fn a_lane_without_frames_has_no_newest() {
    let scene = Scene::new();
    let _producer = scene.grey("empty");
    assert_eq!(scene.json(&["info", "empty"])["newest"], Value::Null);
    assert!(scene.text(&["info", "empty"]).ends_with("no frame yet\n"));
}

#[test]
fn who_names_the_holder_of_each_slot() {
    let scene = Scene::new();
    let producer = camera(&scene);
    let mut holder = consumer(&scene, Mode::Latest, 2);
    let mut idle = consumer(&scene, Mode::Lossless, 1);
    let held = holder.next(common::DEADLINE).unwrap().unwrap();
    let (old_slot, sequence) = (held.slot(), held.sequence());
    publish(&producer);
    let second = holder.next(common::DEADLINE).unwrap().unwrap();
    publish(&producer);
    let claimed = producer.claim().unwrap();
    let who = scene.json(&["who", "camera"]);
    assert_eq!((&who["head_sequence"], &who["leases_granted"]), (&json!(5), &json!(3)));
    let consumers = who["consumers"].as_array().unwrap();
    assert_eq!(consumers.len(), 2);
    let by_mode = |mode: &str| consumers.iter().find(|entry| entry["mode"] == mode).unwrap();
    let entry = by_mode("latest");
    assert_eq!((&entry["pid"], &entry["leases"]), (&json!(std::process::id()), &json!(2)));
    assert_eq!((&entry["received"], &entry["missed"]), (&json!(2), &json!(0)));
    assert_eq!((&entry["last_sequence"], &entry["lag_frames"]), (&json!(4), &json!(1)));
    assert_eq!(entry["held_slots"].as_array().unwrap().len(), 2);
    assert_eq!((&entry["bell"], &entry["cursor"]), (&json!("shared"), &Value::Null));
    assert!(entry["liveness"].as_str().unwrap().contains("pidfd"), "{entry}");
    assert!(entry["held_for_ns"].as_u64().unwrap() > 0);
    let lossless = by_mode("lossless");
    assert_eq!((&lossless["cursor"], &lossless["lag_frames"]), (&json!(4), &Value::Null));
    let slots = who["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 12);
    assert_eq!(slots[old_slot]["held_by"], json!([entry["consumer_id"]]));
    let phases = |phase: &str| slots.iter().filter(|slot| slot["phase"] == phase).count();
    assert_eq!((phases("ready"), phases("claimed")), (3, 1));
    assert_eq!(slots.iter().filter(|slot| slot["newest"] == true).count(), 1);
    assert_text("who", &scene, &scene.text(&["who", "camera"]));
    assert!(idle.next(common::DEADLINE).unwrap().is_some());
    drop((claimed, held, second));
    assert_eq!(sequence, 3);
}
