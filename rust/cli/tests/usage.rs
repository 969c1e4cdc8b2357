//! Exit codes, errors that say what to do, and a standard output that cannot be written.

mod common;

use common::{Scene, stale_socket};

#[test]
fn a_lane_that_is_not_there_is_exit_code_3_with_the_places() {
    let scene = Scene::new();
    stale_socket(scene.path(), "killed");
    for command in ["info", "who", "hz", "snapshot", "latency"] {
        let args = [command, "nosuch"];
        let ran = scene.run(&args);
        assert_eq!(ran.code, 3, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(scene.path().to_str().unwrap()), "{}", ran.err);
        assert!(ran.err.contains("try: framelane ls"), "{}", ran.err);
        assert!(ran.out.is_empty());
    }
    let ran = scene.run(&["schema", "--lane", "nosuch"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let ran = scene.run(&["info", "killed"]);
    assert_eq!(ran.code, 3);
    assert!(
        ran.err.contains("nobody listens on") && ran.err.contains("killed.sock"),
        "{}",
        ran.err
    );
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let scene = Scene::new();
    let _producer = scene.grey("lane");
    for args in [
        &["info", "Bad/Name"][..],
        &["info"],
        &["nonsense"],
        &["ls", "--quiet", "--json"],
        &["hz", "lane", "--window", "1"],
        &["hz", "lane", "--duration", "-1"],
        &["top", "--interval", "0.01"],
        &["metrics", "--listen", "9464"],
        &["camera", "--metrics", ":9464"],
        &["snapshot", "lane", "-o", "x.txt"],
        &["snapshot", "lane", "-o", "-", "--json"],
        &["completions", "tcsh"],
    ] {
        let ran = scene.run(args);
        assert_eq!(ran.code, 2, "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty());
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error_and_a_full_disk_is_one() {
    let scene = Scene::new();
    let _producer = scene.grey("lane");
    for args in [&["schema"][..], &["ls"], &["info", "lane"]] {
        let mut child = scene.command(args).spawn().unwrap();
        drop(child.stdout.replace(unread()));
        assert_eq!(common::finish(child).code, 0, "{args:?}");
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = scene.command(args);
        let output = command.stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("standard output") && text.contains("No space left"), "{text}");
    }
}

/// Stands in for the pipe that was closed.
fn unread() -> std::process::ChildStdout {
    rustix::pipe::pipe().unwrap().0.into()
}
