//! `doctor`: what it finds wrong, and that it says what to do.

mod common;

use common::{Scene, stale_socket};
use serde_json::Value;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

fn findings<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().unwrap();
    all.iter().filter(|finding| finding["check"] == check).collect()
}

fn only<'a>(report: &'a Value, check: &str) -> &'a Value {
    let found = findings(report, check);
    assert_eq!(found.len(), 1, "{check}: {report}");
    found[0]
}

#[test]
fn every_finding_has_a_status_and_what_is_not_ok_a_fix() {
    let scene = Scene::new();
    let _producer = scene.grey("lane");
    let ran = scene.run(&["doctor", "--json"]);
    let report: Value = serde_json::from_slice(&ran.out).unwrap();
    for check in [
        "kernel",
        "memfd_seals",
        "madv_populate",
        "futex_waitv",
        "open_files",
        "locked_memory",
        "memory",
        "huge_pages",
        "runtime_directory",
        "producer_directory",
        "lanes",
        "trial",
        "board_library",
    ] {
        assert!(!findings(&report, check).is_empty(), "{check}: {report}");
    }
    let mut worst = "ok";
    for finding in report["findings"].as_array().unwrap() {
        let status = finding["status"].as_str().unwrap();
        assert!(["ok", "warn", "bad"].contains(&status), "{finding}");
        assert_eq!(status == "ok", finding["fix"].is_null(), "{finding}");
        worst = match (worst, status) {
            ("bad", _) | (_, "bad") => "bad",
            ("warn", _) | (_, "warn") => "warn",
            _ => "ok",
        };
    }
    assert_eq!(report["status"], worst);
    assert_eq!(ran.code, i32::from(worst == "bad"));
    assert_eq!(only(&report, "lanes")["found"], "live: lane");
    assert_eq!(only(&report, "trial")["status"], "ok");
    let told = only(&report, "runtime_directory")["found"].as_str().unwrap();
    assert!(told.contains(scene.path().to_str().unwrap()) && told.contains("writable"), "{told}");
}

#[test]
fn the_text_has_the_fix_under_each_finding() {
    let scene = Scene::new();
    stale_socket(scene.path(), "killed");
    let text = scene.run(&["doctor", "-q"]).text();
    assert!(text.contains("lane killed is stale"), "{text}");
    let socket = scene.path().join("killed.sock");
    assert!(text.contains(&format!("-> rm {}", socket.display())), "{text}");
    assert!(!text.contains("\nok "), "quiet: {text}");
    assert!(text.lines().last().unwrap().ends_with(" bad"), "{text}");
}

#[test]
fn left_over_sockets_are_found() {
    let scene = Scene::new();
    stale_socket(scene.path(), "killed");
    stale_socket(scene.path(), ".lane.0123abcd");
    let half_made = scene.path().join(".lane.0123abcd.sock");
    let before = Scene::old_time();
    rustix::fs::utimensat(rustix::fs::CWD, &half_made, &before, rustix::fs::AtFlags::empty())
        .unwrap();
    let report = scene.json(&["doctor"]);
    let killed = only(&report, "lane");
    assert_eq!(killed["status"], "warn");
    let half = only(&report, "left_over");
    assert_eq!(half["fix"], format!("rm {}", half_made.display()));
}

impl Scene {
    fn old_time() -> rustix::fs::Timestamps {
        let long_ago = rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 0 };
        rustix::fs::Timestamps { last_access: long_ago, last_modification: long_ago }
    }
}

#[test]
fn a_lock_that_a_child_inherited_is_found() {
    let scene = Scene::new();
    let lock = scene.path().join("lane.lock");
    let file = std::fs::File::create(&lock).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    std::fs::write(&lock, std::process::id().to_string()).unwrap();
    let report = scene.json(&["doctor"]);
    assert_eq!(only(&report, "left_over")["status"], "warn");
    stale_socket(scene.path(), "lane");
    let ran = scene.run(&["doctor", "--json"]);
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_slice(&ran.out).unwrap();
    let finding = only(&report, "lane");
    assert_eq!((&finding["status"], &report["status"]), (&"bad".into(), &"bad".into()));
    let found = finding["found"].as_str().unwrap();
    assert!(found.contains(&format!("process {}", std::process::id())), "{found}");
    assert!(finding["fix"].as_str().unwrap().contains("fuser -v"), "{finding}");
}

#[test]
fn a_directory_that_is_not_there_or_not_safe_is_found() {
    let scene = Scene::new();
    std::fs::set_permissions(scene.path(), Permissions::from_mode(0o777)).unwrap();
    let report = scene.json(&["doctor"]);
    let finding = only(&report, "runtime_directory");
    assert_eq!(finding["status"], "warn", "{finding}");
    assert!(finding["fix"].as_str().unwrap().starts_with("chmod +t "), "{finding}");

    let nowhere = scene.path().join("no/such/place");
    let ran = common::finish(
        scene.command(&["doctor", "--json"]).env("FRAMELANE_DIR", &nowhere).spawn().unwrap(),
    );
    assert_eq!(ran.code, 1);
    let report: Value = serde_json::from_slice(&ran.out).unwrap();
    let finding = only(&report, "producer_directory");
    let fix = finding["fix"].as_str().unwrap();
    assert!(fix.starts_with(&format!("mkdir -p {}", nowhere.display())), "{fix}");

    let file = scene.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let ran = common::finish(
        scene.command(&["doctor", "--json"]).env("FRAMELANE_DIR", &file).spawn().unwrap(),
    );
    let report: Value = serde_json::from_slice(&ran.out).unwrap();
    assert_eq!(only(&report, "runtime_directory")["status"], "bad");
}

#[test]
fn small_limits_are_found() {
    let scene = Scene::new();
    let limited = |limit: &str| {
        let script = format!("ulimit {limit}; exec \"$0\" doctor --json");
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_framelane")]);
        let output = command.env("FRAMELANE_DIR", scene.path()).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report
    };
    let report = limited("-n 60");
    let finding = only(&report, "open_files");
    assert_eq!(finding["status"], "warn", "{finding}");
    assert!(finding["fix"].as_str().unwrap().contains("ulimit -n"), "{finding}");
    let report = limited("-n 24");
    assert_eq!(only(&report, "open_files")["status"], "bad");
    assert_eq!(only(&report, "trial")["status"], "bad", "and no lane can be made");
}
