//! The shmbuf ring between two processes, and how segments come and go.

mod common;

use common::child::{entry, say};
use common::forks::{expect_good, fork};
use common::messages::{
    CAPACITY, RING, message, open_receiver, receive, receiving, send, sending, shared_folder,
};
use common::{Child, DEADLINE, Place, task};
use framelane::shmbuf::{Receiver, Sender, SenderOptions, remove};
use framelane::{Error, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const COUNT: u64 = 3000;

#[test]
fn child_entry() {
    entry(&[("echo-ring", echo_ring)]);
}

/// Sends back on another ring what it receives.
fn echo_ring(args: &[&str]) {
    let (folder, bell) = (Path::new(args[0]), args[1] == "bell");
    let to = Sender::create("back", bells(sending(folder), bell)).unwrap();
    let options = receiving(folder).bell(bell).poll_interval(poll(bell));
    let mut from = Receiver::open(RING, options.wait_for_sender(DEADLINE)).unwrap();
    let mut to = to;
    for _ in 0..COUNT {
        let number = receive(&mut from);
        send(&mut to, number);
    }
    assert!(to.drain(DEADLINE).unwrap());
    say("done");
}

/// With the bell nobody gets on by looking often.
fn poll(bell: bool) -> Duration {
    if bell { DEADLINE } else { Duration::from_micros(100) }
}

fn bells(options: SenderOptions, bell: bool) -> SenderOptions {
    options.bell(bell).poll_interval(poll(bell))
}

fn kind<T>(result: Result<T, Error>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it succeeds"),
        Err(error) => error.kind(),
    }
}

fn ping_pong(bell: bool) {
    let place = Place::new();
    let folder = shared_folder();
    let word = if bell { "bell" } else { "poll" };
    let mut child = Child::start(&place, &format!("echo-ring {} {word}", folder.path().display()));
    let mut to = Sender::create(RING, bells(sending(folder.path()), bell)).unwrap();
    let options = receiving(folder.path()).bell(bell).poll_interval(poll(bell));
    let mut from = Receiver::open("back", options.wait_for_sender(DEADLINE)).unwrap();
    // One at a time, so that both sides sleep for each.
    for number in 0..COUNT / 3 {
        send(&mut to, number);
        assert_eq!(receive(&mut from), number);
    }
    let sender = task("sending", move || {
        for number in COUNT / 3..COUNT {
            send(&mut to, number);
        }
        assert!(to.drain(DEADLINE).unwrap());
    });
    for number in COUNT / 3..COUNT {
        assert_eq!(receive(&mut from), number);
    }
    sender.join();
    child.expect("done");
    assert_eq!(from.received(), COUNT);
}

#[test]
fn every_message_goes_there_and_back_by_looking() {
    ping_pong(false);
}

#[test]
fn every_message_goes_there_and_back_by_the_bell() {
    ping_pong(true);
}

#[test]
fn a_receiver_reads_what_is_left_and_then_the_next_sender() {
    let folder = shared_folder();
    let mut first = Sender::create(RING, sending(folder.path())).unwrap();
    let mut receiver = open_receiver(folder.path());
    send(&mut first, 1);
    send(&mut first, 2);
    drop(first);
    let mut second = Sender::create(RING, sending(folder.path())).unwrap();
    send(&mut second, 3);
    assert_eq!([(); 3].map(|()| receive(&mut receiver)), [1, 2, 3]);
    assert_eq!((receiver.received(), receiver.restarts()), (3, 1));
}

#[test]
fn a_receiver_that_never_waits_finds_the_next_sender_too() {
    let _watchdog = Place::new();
    let folder = shared_folder();
    let first = Sender::create(RING, sending(folder.path())).unwrap();
    let mut receiver = open_receiver(folder.path());
    drop(first);
    let mut second = Sender::create(RING, sending(folder.path())).unwrap();
    send(&mut second, 1);
    let mut bytes = Vec::new();
    while !receiver.try_recv(&mut bytes).unwrap() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!((bytes, receiver.restarts()), (message(1), 1));
}

#[test]
fn the_end_of_the_sender_is_told_where_nobody_waits_for_the_next() {
    let folder = shared_folder();
    let mut sender = Sender::create(RING, sending(folder.path())).unwrap();
    let mut receiver = Receiver::open(RING, receiving(folder.path()).reattach(false)).unwrap();
    assert!(sender.has_receiver().unwrap());
    send(&mut sender, 1);
    sender.close();
    assert_eq!(receive(&mut receiver), 1);
    assert_eq!(kind(receiver.wait(DEADLINE)), ErrorKind::Disconnected);
}

#[test]
fn who_does_not_reattach_reads_what_is_left_and_not_from_the_next_sender() {
    let folder = shared_folder();
    let mut first = Sender::create(RING, sending(folder.path())).unwrap();
    let mut receiver = Receiver::open(RING, receiving(folder.path()).reattach(false)).unwrap();
    send(&mut first, 1);
    first.close();
    let mut second = Sender::create(RING, sending(folder.path())).unwrap();
    send(&mut second, 2);
    assert_eq!(receive(&mut receiver), 1);
    assert_eq!(kind(receiver.wait(DEADLINE)), ErrorKind::Disconnected);
    assert_eq!((receiver.received(), receiver.restarts()), (1, 0));
    assert!(!second.has_receiver().unwrap(), "the next one is left to others");
}

#[test]
fn a_segment_has_one_sender_and_one_receiver() {
    let folder = shared_folder();
    let sender = Sender::create(RING, sending(folder.path())).unwrap();
    assert_eq!(kind(Sender::create("ring", sending(folder.path()))), ErrorKind::AlreadyExists);
    assert_eq!(kind(remove(RING, Some(folder.path()))), ErrorKind::AlreadyExists);
    let receiver = open_receiver(folder.path());
    let second = Receiver::open(RING, receiving(folder.path()));
    assert_eq!(kind(second), ErrorKind::TooMany);
    drop(receiver);
    assert!(!sender.has_receiver().unwrap());
    drop(open_receiver(folder.path()));
    assert!(folder.path().join("ring").exists(), "a receiver takes no name away");
    drop(sender);
    assert!(!folder.path().join("ring").exists(), "its sender does");
}

#[test]
fn what_a_dead_or_upstream_sender_has_left_is_replaced() {
    let folder = shared_folder();
    drop(Sender::create(RING, sending(folder.path()).keep(true)).unwrap());
    assert!(folder.path().join("ring").exists());
    for stale in [&b""[..], &[0xff; 40], &[0; 5000]] {
        std::fs::write(folder.path().join("ring"), stale).unwrap();
        let mut sender = Sender::create(RING, sending(folder.path()).keep(true)).unwrap();
        let mut receiver = open_receiver(folder.path());
        send(&mut sender, 5);
        assert_eq!(receive(&mut receiver), 5);
    }
    assert!(remove(RING, Some(folder.path())).unwrap());
    assert!(!remove(RING, Some(folder.path())).unwrap());
}

#[test]
fn the_mode_is_what_was_asked_for() {
    let folder = shared_folder();
    for mode in [0o600, 0o660, 0o666] {
        let _sender = Sender::create(RING, sending(folder.path()).mode(mode)).unwrap();
        let meta = std::fs::metadata(folder.path().join("ring")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode, "whatever the umask");
        assert_eq!(meta.len(), CAPACITY + 16);
    }
}

#[test]
fn a_receiver_waits_for_size_and_header() {
    let folder = shared_folder();
    let path = folder.path().join("ring");
    let open = || Receiver::open(RING, receiving(folder.path()));
    assert_eq!(kind(open()), ErrorKind::NotFound);
    std::fs::write(&path, []).unwrap();
    assert_eq!(kind(open()), ErrorKind::TimedOut);
    std::fs::write(&path, [0; 80]).unwrap();
    assert_eq!(kind(open()), ErrorKind::TimedOut);
    let waiting = receiving(folder.path()).wait_for_sender(DEADLINE);
    let receiver = task("opening", move || Receiver::open(RING, waiting).unwrap());
    std::thread::sleep(Duration::from_millis(20));
    write_at(&path, 8, &64_u32.to_le_bytes());
    let mut receiver = receiver.join();
    assert_eq!((receiver.capacity_bytes(), receiver.next_bytes().unwrap()), (64, None));
    write_at(&path, 16, &[3, 0, 0, 0, 7, 8, 9]);
    write_at(&path, 0, &7_u32.to_le_bytes());
    let mut message = Vec::new();
    assert!(receiver.recv(&mut message, DEADLINE).unwrap());
    assert_eq!(message, [7, 8, 9]);
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(bytes, at).unwrap();
}

#[test]
fn impossible_headers_and_lengths_are_refused() {
    let folder = shared_folder();
    let path = folder.path().join("ring");
    for capacity in [3_u32, 65, 128, 1 << 31, u32::MAX] {
        std::fs::write(&path, [0; 80]).unwrap();
        write_at(&path, 8, &capacity.to_le_bytes());
        let refused = Receiver::open(RING, receiving(folder.path()).wait_for_sender(DEADLINE));
        assert_eq!(kind(refused), ErrorKind::Protocol, "capacity {capacity}");
    }
    for (head, tail, length) in
        [(65, 0, 1), (3, 0, 1), (8, 0, 5), (64, 0, u32::MAX), (8, 0, u32::MAX - 3), (0, 65, 1)]
    {
        let mut bytes = vec![0; 80];
        for (at, word) in [(0, head), (4, tail), (8, 64), (16, length)] {
            bytes[at..at + 4].copy_from_slice(&u32::to_le_bytes(word));
        }
        std::fs::write(&path, &bytes).unwrap();
        let mut receiver = Receiver::open(RING, receiving(folder.path())).unwrap();
        let refused = receiver.wait(DEADLINE);
        assert_eq!(kind(refused), ErrorKind::Protocol, "{head} {tail} {length}");
        // The next sender is found all the same.
        let mut sender = Sender::create(RING, sending(folder.path())).unwrap();
        send(&mut sender, 1);
        assert_eq!(receive(&mut receiver), 1);
    }
}

#[test]
fn a_receiver_that_lies_stops_its_sender_alone() {
    let folder = shared_folder();
    let path = folder.path().join("ring");
    let mut sender = Sender::create(RING, sending(folder.path())).unwrap();
    send(&mut sender, 1);
    for tail in [5000_u32, 50, 1 << 31] {
        write_at(&path, 4, &tail.to_le_bytes());
        assert_eq!(kind(sender.try_send(&message(2))), ErrorKind::Protocol);
        assert_eq!(kind(sender.unread_bytes()), ErrorKind::Protocol);
    }
    write_at(&path, 4, &0_u32.to_le_bytes());
    write_at(&path, 8, &u32::MAX.to_le_bytes());
    send(&mut sender, 2);
    assert_eq!(sender.capacity_bytes() as u64, CAPACITY, "its own capacity counts");
}

#[test]
fn a_forked_child_can_neither_use_nor_end_what_its_parent_has() {
    let folder = shared_folder();
    let mut sender = Some(Sender::create(RING, sending(folder.path()).bell(true)).unwrap());
    let mut receiver = Some(open_receiver(folder.path()));
    let child = fork(|| {
        let (mut sender, mut receiver) = (sender.take().unwrap(), receiver.take().unwrap());
        assert_eq!(kind(sender.try_send(b"from the child")), ErrorKind::Forked);
        assert_eq!(kind(receiver.next_bytes()), ErrorKind::Forked);
        drop((sender, receiver));
    });
    expect_good(child);
    assert!(folder.path().join("ring").exists());
    send(sender.as_mut().unwrap(), 1);
    assert_eq!(receive(receiver.as_mut().unwrap()), 1);
}

#[test]
fn links_folders_and_pipes_are_no_segments() {
    let folder = shared_folder();
    let path = folder.path().join("ring");
    let target = folder.path().join("target");
    std::fs::write(&target, [0; 80]).unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let open = || Receiver::open(RING, receiving(folder.path()));
    assert_eq!(kind(open()), ErrorKind::Protocol);
    assert_eq!(kind(Sender::create(RING, sending(folder.path()))), ErrorKind::Protocol);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(kind(open()), ErrorKind::Protocol);
    std::fs::remove_dir(&path).unwrap();
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(kind(open()), ErrorKind::Protocol);
}
