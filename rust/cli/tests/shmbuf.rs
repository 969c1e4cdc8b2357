//! `framelane shmbuf`: messages from file to file, into a lane, and what goes wrong.

mod common;

use common::{DEADLINE, Scene, finish};
use framelane::shmbuf::{Receiver, ReceiverOptions, Sender, SenderOptions};
use framelane::{Consumer, ConsumerOptions, Mode};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Child;

const README: &str = include_str!("../README.md");

/// A scene with a folder for segments.
struct Rings {
    scene: Scene,
    folder: tempfile::TempDir,
}

impl Rings {
    fn new() -> Self {
        Rings { scene: Scene::new(), folder: tempfile::tempdir_in("/dev/shm").unwrap() }
    }

    fn args<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let directory = self.folder.path().to_str().unwrap();
        [&["shmbuf"], args, &["--directory", directory]].concat()
    }

    fn start(&self, args: &[&str]) -> Child {
        self.scene.command(&self.args(args)).spawn().unwrap()
    }

    fn run(&self, args: &[&str]) -> common::Ran {
        finish(self.start(args))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.scene.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn receiver(&self) -> Receiver {
        let options = ReceiverOptions::new().wait_for_sender(DEADLINE);
        Receiver::open("ring", options.directory(Some(self.folder.path().into()))).unwrap()
    }

    fn sender(&self, capacity: u64) -> Sender {
        let options = SenderOptions::new(capacity).directory(Some(self.folder.path().into()));
        Sender::create("ring", options).unwrap()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The summary, whose keys must stand in the README.
fn summary(ran: &common::Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.err);
    let value: Value = serde_json::from_slice(&ran.out).expect("one JSON object");
    let start = README.find("\n## shmbuf\n").expect("a section") + 4;
    let section = &README[start..];
    let section = &section[..section.find("\n## ").unwrap_or(section.len())];
    for key in value.as_object().unwrap().keys() {
        assert!(section.contains(&format!("`{key}`")), "{key} is not in the README");
    }
    value
}

fn prefixed(messages: &[&[u8]]) -> Vec<u8> {
    let one = |message: &&[u8]| [&(message.len() as u32).to_le_bytes(), *message].concat();
    messages.iter().flat_map(one).collect()
}

#[test]
fn messages_go_from_file_to_file() {
    for bell in [&[][..], &["--bell"]] {
        let rings = Rings::new();
        let long = vec![7; 3000];
        let from = rings.file("from", &prefixed(&[b"one", &long, b"3"]));
        let to = rings.scene.path().join("to");
        let receive = ["recv", "/ring", text(&to), "--json", "--timeout", "60"];
        let receive = rings.start(&[&receive[..], bell].concat());
        let send = ["send", "ring", text(&from), "--capacity", "4096", "--repeat", "20", "--json"];
        let sent = rings.run(&[&send[..], bell, &["--timeout", "60"]].concat());
        let (sent, received) = (summary(&sent), summary(&finish(receive)));
        assert_eq!((&sent["sent"], &sent["unread_bytes"]), (&60.into(), &0.into()));
        assert_eq!((&received["received"], &received["restarts"]), (&60.into(), &0.into()));
        assert_eq!(sent["sent_bytes"], received["received_bytes"]);
        assert_eq!(std::fs::read(&to).unwrap(), std::fs::read(&from).unwrap().repeat(20));
        assert!(!rings.folder.path().join("ring").exists(), "the sender removes what it made");
    }
}

#[test]
fn messages_of_one_size_need_no_length() {
    let rings = Rings::new();
    let from = rings.file("from", b"abcdefghijkl");
    let receive = ["recv", "ring", "--size", "4", "--count", "2", "--timeout", "60"];
    let receive = rings.start(&receive);
    let send = ["send", "ring", text(&from), "--size", "4", "--capacity", "64", "--count", "2"];
    assert_eq!(rings.run(&[&send[..], &["--timeout", "60"]].concat()).code, 0);
    let ran = finish(receive);
    assert_eq!((ran.code, &ran.out[..]), (0, &b"abcdefgh"[..]), "{}", ran.err);
}

#[test]
fn a_full_ring_ends_the_wait_or_drops() {
    let rings = Rings::new();
    let from = rings.file("from", &[1; 40]);
    let send =
        ["send", "ring", text(&from), "--size", "10", "--capacity", "32", "--timeout", "0.1"];
    let ran = rings.run(&send);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("no room for 0.1 s"), "{}", ran.err);
    let ran = rings.run(&[&send[..], &["--drop", "--keep", "--mode", "660", "--json"]].concat());
    let told = summary(&ran);
    assert_eq!((&told["sent"], &told["dropped"]), (&2.into(), &2.into()));
    assert_eq!(told["unread_bytes"], 28);
    let mut message = Vec::new();
    let mut receiver = rings.receiver();
    assert!(receiver.recv(&mut message, DEADLINE).unwrap() && message == [1; 10]);
    drop(receiver);
    assert_eq!(summary(&rings.run(&["rm", "/ring", "--json"]))["removed"], true);
    assert_eq!(summary(&rings.run(&["rm", "/ring", "--json"]))["removed"], false);
}

#[test]
fn pictures_go_into_a_lane() {
    let rings = Rings::new();
    let bridge = ["bridge", "ring", "--lane", "video", "--format", "grey", "--size", "8x4"];
    let bridge = rings.start(&[&bridge[..], &["--count", "3", "--json"]].concat());
    let options = ConsumerOptions::new(Mode::Ordered).wait_for_lane(DEADLINE);
    let mut consumer = Consumer::open("video", options.directory(rings.scene.directory())).unwrap();
    let mut sender = rings.sender(4096);
    for number in 1..=3_u8 {
        assert!(sender.send(b"no picture", DEADLINE).unwrap());
        assert!(sender.send(&[number; 32], DEADLINE).unwrap());
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
        assert_eq!(frame.plane(0).unwrap(), [number; 32]);
    }
    let told = summary(&finish(bridge));
    assert_eq!((&told["published"], &told["other_size"]), (&3.into(), &3.into()));
}

#[test]
fn mistakes_say_what_they_are() {
    let rings = Rings::new();
    let ran = rings.run(&["recv", "nosuch", "--timeout", "0"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("there is no shmbuf nosuch"), "{}", ran.err);
    assert!(!ran.err.contains("framelane ls"), "{}", ran.err);
    // What no waiting mends ends at once, although there is no --timeout.
    let damaged = rings.file("damaged", &[0xff; 80]);
    std::fs::copy(&damaged, rings.folder.path().join("damaged")).unwrap();
    let bridge = ["bridge", "damaged", "--lane", "video", "--format", "grey", "--size", "8x4"];
    for args in [&["recv", "damaged"][..], &bridge] {
        let ran = rings.run(args);
        assert!(ran.code == 1 && ran.err.contains("damaged: a ring of"), "{}", ran.err);
    }
    for args in [
        &["send", "a/b", "--capacity", "64"][..],
        &["send", "ring", "--capacity", "64", "--repeat", "2"],
        &["send", "ring", "--capacity", "64", "--mode", "777"],
        &["send", "ring"],
        &["recv", "ring", "--json"],
    ] {
        assert_eq!(rings.run(args).code, 2, "{args:?}");
    }
    let ran = rings.run(&["send", "ring", "--capacity", "3"]);
    assert!(ran.code == 1 && ran.err.contains("a shmbuf ring of 3 bytes"), "{}", ran.err);
    let large = rings.file("large", &prefixed(&[&[0; 61]]));
    let ran = rings.run(&["send", "ring", text(&large), "--capacity", "64"]);
    assert!(ran.code == 1 && ran.err.contains("the ring takes 1 to 60"), "{}", ran.err);
    let _sender = rings.sender(64);
    let ran = rings.run(&["rm", "ring"]);
    assert!(ran.code == 1 && ran.err.contains("end it first"), "{}", ran.err);
}
