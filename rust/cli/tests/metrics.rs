//! Metrics of the long-running commands, and of all lanes.

mod common;

use common::play::scrape;
use common::streams::{write, writer};
use common::{DEADLINE, Ran, Scene, finish, publish, stale_socket, until};
use framelane::{Consumer, ConsumerOptions, Mode, SwitchController, SwitchControllerOptions};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Child;

const GET: &str = "GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";

/// A command that serves metrics at a socket; it does not outlive a test that fails.
struct Served(Option<Child>, PathBuf);

impl Served {
    fn start(scene: &Scene, args: &[&str]) -> Self {
        let socket = scene.path().join("metrics");
        let args = [args, &[socket.to_str().unwrap()]].concat();
        let child = scene.command(&args).spawn().unwrap();
        let served = Served(Some(child), socket);
        until("it does not serve", || UnixStream::connect(&served.1).is_ok());
        served
    }

    fn end(mut self) -> Ran {
        let child = self.0.take().unwrap();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        finish(child)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What is served; None when turned away.
fn scraped(socket: &Path) -> Option<String> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = stream.write_all(GET.as_bytes());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.contains("framelane_lane_up").then_some(answer)
}

/// Value of the first line that begins so.
fn value(text: &str, start: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(start));
    let line = line.unwrap_or_else(|| panic!("no {start} in {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn a_camera_tells_of_its_lane_and_takes_its_socket_with_it() {
    let scene = Scene::new();
    let _other = scene.grey("other");
    let camera = Served::start(&scene, &["camera", "shown", "--fps", "200", "--metrics"]);
    let mode = std::fs::metadata(&camera.1).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let answer = scrape(&camera.1, GET);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let (head, first) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}", first.len())), "{head}");
    assert!(first.contains("lane=\"shown\"") && !first.contains("lane=\"other\""), "{first}");
    assert_eq!(value(first, "framelane_lane_up{"), 1.0);
    let published = |text: &str| value(text, "framelane_lane_published_total{");
    let before = published(first);
    until("it stands still", || published(&scrape(&camera.1, GET)) > before);
    let socket = camera.1.clone();
    let ran = camera.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!socket.exists());
}

#[test]
fn a_recording_tells_of_the_lane_it_reads() {
    let scene = Scene::new();
    let producer = scene.grey("frames");
    let file = scene.path().join("clip.y4m");
    let args = ["record", "frames", file.to_str().unwrap(), "--metrics"];
    let recording = Served::start(&scene, &args);
    until("it records nothing", || {
        publish(&producer);
        let text = scrape(&recording.1, GET);
        text.contains("framelane_consumer_received_total{lane=\"frames\"")
            && value(&text, "framelane_consumer_received_total{") > 0.0
    });
    let ran = recording.end();
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn the_exporter_tells_of_every_lane_and_consumer() {
    let scene = Scene::new();
    let producer = scene.grey("frames");
    let stream = writer(&scene);
    stale_socket(scene.path(), "killed");
    let options = ConsumerOptions::new(Mode::Latest).directory(scene.directory());
    let mut reader = Consumer::open("frames", options).unwrap();
    publish(&producer);
    let held = reader.next(DEADLINE).unwrap().unwrap();
    for _ in 0..3 {
        publish(&producer);
    }
    write(&stream, true);
    let text = scene.text(&["metrics"]);
    let of = |name: &str, lane: &str| value(&text, &format!("{name}{{lane=\"{lane}\""));
    assert_eq!((of("framelane_lane_up", "frames"), of("framelane_lane_up", "killed")), (1.0, 0.0));
    assert_eq!(of("framelane_lane_published_total", "frames"), 4.0);
    assert_eq!(of("framelane_consumer_lag", "frames"), 3.0);
    assert_eq!(of("framelane_consumer_held_frames", "frames"), 1.0);
    assert_eq!(of("framelane_lane_held_frames", "frames"), 1.0);
    assert!(of("framelane_consumer_held_age_seconds", "frames") < DEADLINE.as_secs_f64());
    assert_eq!(of("framelane_stream_written_bytes_total", "video"), 1000.0);
    assert!(!text.contains("framelane_lane_held_frames{lane=\"video\""), "it has no leases");
    drop(held);
}

#[test]
fn names_follow_the_rules_and_stand_in_the_readme() {
    let scene = Scene::new();
    let producer = scene.grey("frames");
    let stream = writer(&scene);
    let options = ConsumerOptions::new(Mode::Latest).directory(scene.directory());
    let mut reader = Consumer::open("frames", options).unwrap();
    publish(&producer);
    let _held = reader.next(DEADLINE).unwrap().unwrap();
    write(&stream, true);
    let options = SwitchControllerOptions::new().directory(scene.directory());
    let _switch = SwitchController::create("switch", &["frames"], options).unwrap();
    let text = scene.text(&["metrics"]);
    let mut types = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(types.insert(name), "{name} comes once");
        assert!(["counter", "gauge"].contains(&kind), "{line}");
        assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        assert!(!["_ns", "_ms", "_us"].iter().any(|unit| name.contains(unit)), "{name}");
    }
    let readme = include_str!("../README.md");
    let documented: BTreeSet<&str> = readme
        .split('`')
        .filter(|word| word.starts_with("framelane_") || word.starts_with("process_"))
        .collect();
    assert_eq!(types, documented);
}

#[test]
fn a_slow_scraper_stops_neither_others_nor_the_camera() {
    let scene = Scene::new();
    let camera = Served::start(&scene, &["camera", "shown", "--fps", "200", "--metrics"]);
    let mut silent: Vec<UnixStream> =
        (0..3).map(|_| UnixStream::connect(&camera.1).unwrap()).collect();
    silent[0].write_all(b"GET /met").unwrap();
    until("another one is not served", || scraped(&camera.1).is_some());
    // The fourth of those who say nothing is served, the fifth is turned away at once.
    let crowd: Vec<UnixStream> = (0..20).map(|_| UnixStream::connect(&camera.1).unwrap()).collect();
    // Each is dropped in the end, with or without having been served.
    for mut stream in silent.into_iter().chain(crowd) {
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).map_err(|error| {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
        });
        assert!(rest.is_empty());
    }
    let published = |text: &str| value(text, "framelane_lane_published_total{");
    let count = || scraped(&camera.1).map_or(0.0, |text| published(&text));
    until("nobody is served", || count() > 0.0);
    let first = count();
    until("the camera stands still", || count() > first);
    assert_eq!(camera.end().code, 0);
}

#[test]
fn what_is_no_scrape_is_answered_as_such() {
    let scene = Scene::new();
    let served = Served::start(&scene, &["metrics", "--listen"]);
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405"),
        ("\r\x01\x02\r\n\r\n", "400"),
    ] {
        let answer = scrape(&served.1, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer}");
    }
    assert_eq!(served.end().code, 0);
}

#[test]
fn an_address_in_use_is_a_clear_error() {
    let scene = Scene::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for args in [["camera", "--metrics", &address], ["metrics", "--listen", &address]] {
        let ran = scene.run(&args);
        assert_eq!(ran.code, 1, "{}", ran.err);
        let told = format!("metrics: {address} is in use by another program");
        assert!(ran.err.contains(&told), "{}", ran.err);
    }
}
