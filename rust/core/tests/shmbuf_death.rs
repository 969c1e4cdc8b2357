//! Either side of a shmbuf ring killed at each labelled step.

mod common;

use common::child::{await_word, entry, say};
use common::messages::{RING, open_receiver, receive, receiving, send, sending, shared_folder};
use common::steps::{self, Role};
use common::{Child, DEADLINE, Place};
use framelane::shmbuf::{Receiver, Sender};
use std::path::Path;

#[test]
fn child_entry() {
    entry(&[("sender", sender), ("receiver", receiver)]);
}

/// Sends numbered messages until it is killed.
fn sender(args: &[&str]) {
    let options = sending(Path::new(args[0])).bell(args.contains(&"bell"));
    let python = args.contains(&"python");
    let mut sender = Sender::create(RING, options.python_receiver(python)).unwrap();
    if python {
        sender.start_at(u32::MAX - 5000);
    }
    say("made");
    await_word("go");
    for number in 1.. {
        send(&mut sender, number);
    }
}

/// Tells the numbers it receives until it is killed.
fn receiver(args: &[&str]) {
    let options = receiving(Path::new(args[0])).bell(args.contains(&"bell"));
    let mut receiver = Receiver::open(RING, options.wait_for_sender(DEADLINE)).unwrap();
    say("open");
    loop {
        say(receive(&mut receiver));
    }
}

#[test]
fn a_sender_is_killed_and_only_whole_messages_arrive() {
    for step in steps::of(Role::ShmbufSender) {
        for (round, bell) in [(1, "poll"), (40, "bell")] {
            let setting_back = step == "shmbuf-send.head";
            let (round, peer) = if setting_back { (1, "python") } else { (round, bell) };
            kill_sender(&step, round, peer);
        }
    }
}

fn kill_sender(step: &str, round: u64, peer: &str) {
    println!("{peer} sender killed at {step}, time {round}");
    let place = Place::new();
    let folder = shared_folder();
    let role = format!("sender {} {peer}", folder.path().display());
    let mut first = Child::failing(&place, &role, &format!("{step}:kill:{round}"));
    first.expect("made");
    let mut receiver = open_receiver(folder.path());
    first.say("go");
    let mut next = 1;
    while next + 1 < round {
        assert_eq!(receive(&mut receiver), next);
        next += 1;
    }
    first.expect_killed();
    let mut second = Child::start(&place, &role);
    second.expect("made"); // the name is taken over at once
    second.say("go");
    let mut number = receive(&mut receiver);
    while receiver.restarts() == 0 {
        assert_eq!(number, next, "whole and in order");
        next += 1;
        number = receive(&mut receiver);
    }
    assert!(next <= round + 1, "no more than were sent");
    assert_eq!(number, 1, "the first of the second sender");
    for number in 2..20 {
        assert_eq!(receive(&mut receiver), number);
    }
}

#[test]
fn a_receiver_is_killed_and_the_next_one_goes_on() {
    for step in steps::of(Role::ShmbufReceiver) {
        let place = Place::new();
        let folder = shared_folder();
        let mut sender = Sender::create(RING, sending(folder.path()).bell(true)).unwrap();
        let role = format!("receiver {} bell", folder.path().display());
        let mut first = Child::failing(&place, &role, &format!("{step}:kill:3"));
        first.expect("open");
        for number in 1..=5 {
            send(&mut sender, number);
        }
        let mut told = Vec::new();
        while let Some(line) = first.try_line() {
            told.push(line.parse::<u64>().unwrap());
        }
        first.expect_killed();
        assert_eq!(told, [1, 2], "{step}");
        let mut second = open_receiver(folder.path());
        let next = receive(&mut second);
        // The third was copied out; whether it was counted as read is what the step decides.
        assert_eq!(next, if step == "shmbuf-recv.copied" { 3 } else { 4 }, "{step}");
        for number in next + 1..=5 {
            assert_eq!(receive(&mut second), number);
        }
        assert_eq!(sender.unread_bytes().unwrap(), 0);
    }
}

#[test]
fn a_segment_in_the_making_is_whole_or_not_there() {
    for step in steps::of(Role::ShmbufMaker) {
        let place = Place::new();
        let folder = shared_folder();
        drop(Sender::create(RING, sending(folder.path()).keep(true)).unwrap());
        let role = format!("sender {}", folder.path().display());
        Child::failing(&place, &role, &format!("{step}:kill:1")).expect_killed();
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert!(names <= 1, "{step}: nothing but the segment");
        if names == 1 {
            assert_eq!(open_receiver(folder.path()).next_bytes().unwrap(), None, "{step}");
        }
        let mut next = Child::start(&place, &role);
        next.expect("made");
        next.say("go");
        assert_eq!(receive(&mut open_receiver(folder.path())), 1, "{step}");
    }
}
