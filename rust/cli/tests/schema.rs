//! `schema` and `completions`.

mod common;

use common::Scene;
use framelane::layout::{
    ErrorKind, FIELDS, LAYOUT_HASH, MessageHeader, MessageType, Refused, layout::WIRE_MAGIC,
    layout_table,
};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;
use zerocopy::IntoBytes;

#[test]
fn the_whole_layout_is_printed() {
    let scene = Scene::new();
    let text = scene.text(&["schema"]);
    assert!(text.contains(&format!("{LAYOUT_HASH:#018x}")));
    for field in FIELDS {
        let row = text.lines().find(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words
                == [
                    &field.offset.to_string(),
                    &field.size.to_string(),
                    field.type_name,
                    field.field,
                ]
        });
        assert!(row.is_some(), "{field:?}");
    }
    assert!(
        text.contains("\nFrameDescriptor, 576 bytes\n") && text.contains("\nReport, "),
        "{text}"
    );
    let table: Value = serde_json::from_str(&scene.text(&["schema", "--json"])).unwrap();
    assert_eq!(table, serde_json::from_str::<Value>(layout_table()).unwrap());
}

#[test]
fn a_lane_of_this_build_has_the_same_layout() {
    let scene = Scene::new();
    let _producer = scene.grey("lane");
    let text = scene.text(&["schema", "--lane", "lane"]);
    assert_eq!(text, format!("same layout {LAYOUT_HASH:#018x}\n"));
    let told = scene.json(&["schema", "--lane", "lane"]);
    assert_eq!((&told["same"], &told["difference"]), (&Value::Bool(true), &Value::Null));
}

/// A producer of another build: it refuses everybody, with its own layout table.
fn foreign_producer(scene: &Scene, lane: &str, table: String, callers: usize) {
    let flags = SocketFlags::CLOEXEC;
    let listener =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
    let path = scene.path().join(format!("{lane}.sock"));
    rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&listener, 8).unwrap();
    std::thread::spawn(move || {
        for _ in 0..callers {
            refuse(&rustix::net::accept(&listener).unwrap(), &table);
        }
    });
}

fn refuse(caller: &OwnedFd, table: &str) {
    rustix::net::recv(caller, &mut [0; 1024], RecvFlags::empty()).unwrap();
    let mut refused = Refused::ZERO;
    refused.header = MessageHeader {
        magic: WIRE_MAGIC,
        message_version: 1,
        message_type: MessageType::Refused.number(),
        length_bytes: size_of::<Refused>() as u32,
        reserved: 0,
        layout_hash: LAYOUT_HASH + 1,
    };
    refused.kind = ErrorKind::LayoutMismatch.number();
    refused.table_bytes = table.len() as u32;
    refused.text[..13].copy_from_slice(b"of other make");
    rustix::net::send(caller, refused.as_bytes(), SendFlags::NOSIGNAL).unwrap();
    // Who only asks how the lane is hangs up without it.
    let _ = rustix::net::send(caller, table.as_bytes(), SendFlags::NOSIGNAL);
}

#[test]
fn the_first_field_that_differs_is_named() {
    let scene = Scene::new();
    let moved = layout_table().replacen("[\"width\",\"u32\",68]", "[\"width\",\"u32\",72]", 1);
    foreign_producer(&scene, "lane", moved, 8);
    let ran = scene.run(&["schema", "--lane", "lane"]);
    assert_eq!(ran.code, 1);
    let difference = "FrameDescriptor.width is at offset 68 here and 72 there";
    assert!(ran.err.contains(difference), "{}", ran.err);
    let told = scene.json(&["schema", "--lane", "lane"]);
    assert_eq!(told["same"], false);
    assert!(told["difference"].as_str().unwrap().contains(difference), "{told}");
    let ran = scene.run(&["info", "lane"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("try: framelane schema --lane lane"), "{}", ran.err);
    let listing = scene.json(&["ls", "--no-rate"]);
    assert_eq!(listing["lanes"][0]["state"], "other_layout");
}

#[test]
fn completions_know_the_commands() {
    let scene = Scene::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = scene.text(&["completions", shell]);
        for command in ["ls", "info", "hz", "snapshot", "who", "doctor", "schema", "completions"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    // Bash is there wherever the project is built; it must at least read its script.
    let script = scene.path().join("completion");
    std::fs::write(&script, scene.text(&["completions", "bash"])).unwrap();
    assert!(std::process::Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
}

#[test]
fn help_tells_the_exit_codes() {
    let scene = Scene::new();
    let text = scene.text(&["--help"]);
    assert!(
        text.contains("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such lane."),
        "{text}"
    );
}
