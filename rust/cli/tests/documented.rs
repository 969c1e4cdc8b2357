//! Every key of every JSON stands in the README, in its command's section.

mod common;

use common::video::{Clip, units};
use common::{DEADLINE, Scene, finish, publish, stale_socket};
use framelane::{Consumer, ConsumerOptions, Mode, SwitchController, SwitchControllerOptions};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const README: &str = include_str!("../README.md");

fn section(command: &str) -> &'static str {
    let start = README.find(&format!("\n## {command}\n")).expect(command) + 4;
    let rest = &README[start..];
    &rest[..rest.find("\n## ").unwrap_or(rest.len())]
}

fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, into)),
        _ => {}
    }
}

#[test]
fn the_readme_has_every_key() {
    let scene = Scene::new();
    let producer = scene.grey("lane");
    stale_socket(scene.path(), "killed");
    let options = SwitchControllerOptions::new().directory(scene.directory());
    let _both = SwitchController::create("both", &["lane", "other"], options).unwrap();
    publish(&producer);
    let options = ConsumerOptions::new(Mode::Latest).directory(scene.directory());
    let mut reader = Consumer::open("lane", options).unwrap();
    let _held = reader.next(common::DEADLINE).unwrap().unwrap();
    let file = scene.path().join("picture.png");
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                publish(&producer);
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        let commands: &[&[&str]] = &[
            &["camera", "shown", "--frames", "3"],
            &["ls"],
            &["info", "lane"],
            &["who", "lane"],
            &["hz", "lane", "--duration", "0.5"],
            &["latency", "lane", "--duration", "0.5"],
            &["top", "--once"],
            &["snapshot", "lane", "-o", file.to_str().unwrap()],
            &["doctor"],
            &["switch", "create", "switch", "lane", "--duration", "0.1"],
            &["switch", "status", "both"],
            &["info", "both"],
            &["schema", "--lane", "lane"],
        ];
        let told: Vec<Value> = commands.iter().map(|command| scene.json(command)).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        commands.iter().zip(told).for_each(|(command, value)| check(command[0], &value));
    });
}

fn check(command: &str, told: &Value) {
    let mut found = BTreeSet::new();
    keys(told, &mut found);
    assert!(found.len() > 2, "{told}");
    for key in found {
        let (plain, list) = (format!("`{key}`"), format!("`{key}[]`"));
        let text = section(command);
        assert!(text.contains(&plain) || text.contains(&list), "{command}: {key}");
    }
}

#[test]
fn the_readme_has_every_key_of_recordings() {
    let scene = Scene::new();
    let clip = Clip::new(&scene, "libx264", &[]);
    let file = scene.path().join("out.mp4");
    let play = ["play", clip.text(), "v", "--lossless", "--json"];
    let play = scene.command(&play).spawn().unwrap();
    let record = ["record", "v", file.to_str().unwrap(), "--lossless", "--until-end"];
    check("record", &scene.json(&record));
    check("play", &serde_json::from_slice(&finish(play).out).unwrap());
}

/// The commands of the first page, as they stand there.
#[test]
fn the_first_page_records_and_plays_back() {
    const PAGE: &str = include_str!("../../../README.md");
    let scene = Scene::new();
    let section = PAGE.split("\n## ").find(|part| part.starts_with("Record with pre-roll"));
    let block = section.unwrap().split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = Path::new(env!("CARGO_BIN_EXE_framelane")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-ec", block]).current_dir(scene.path()).process_group(0);
    shell.env("PATH", path).env("FRAMELANE_DIR", scene.path());
    // The camera and the encoder outlive the shell.
    let said = File::create(scene.path().join("said")).unwrap();
    shell.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said);
    let mut shell = shell.spawn().unwrap();
    let group = rustix::process::Pid::from_child(&shell);
    let start = Instant::now();
    while shell.try_wait().unwrap().is_none() && start.elapsed() < DEADLINE {
        std::thread::sleep(Duration::from_millis(20));
    }
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    let said = std::fs::read_to_string(scene.path().join("said")).unwrap();
    assert!(shell.wait().unwrap().success(), "{said}");
    let bytes = |name: &str| -> Vec<Vec<u8>> {
        units(&scene.path().join(name)).into_iter().map(|unit| unit.bytes).collect()
    };
    let (event, copy) = (bytes("event.mp4"), bytes("copy.mp4"));
    assert!(event == copy && copy.len() > 20, "{} {}", event.len(), copy.len());
}
