//! Every key of every JSON stands in the README, in its command's section.

mod common;

use common::{Scene, publish, stale_socket};
use framelane::{Consumer, ConsumerOptions, Mode, SwitchController, SwitchControllerOptions};
use serde_json::Value;
use std::collections::BTreeSet;

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
        for (command, value) in commands.iter().zip(told) {
            let mut found = BTreeSet::new();
            keys(&value, &mut found);
            assert!(found.len() > 2, "{value}");
            for key in found {
                let (plain, list) = (format!("`{key}`"), format!("`{key}[]`"));
                let text = section(command[0]);
                assert!(text.contains(&plain) || text.contains(&list), "{}: {key}", command[0]);
            }
        }
    });
}
