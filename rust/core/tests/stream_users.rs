//! Streams between processes of different users. These tests start processes of other users and so
//! need root.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::streams::{Tale, small, try_write, video, write};
use common::{DEADLINE, LANE, Place, until};
use framelane::layout::BellKind;
use framelane::{
    Access, StreamReader, StreamReaderOptions, StreamStart, StreamWriterOptions, Trust,
};
use raw::users::{NOBODY, child_of, need_root, open_place};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, kill_process};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("reader", reader), ("attach", attach), ("wisher", wisher)]);
}

fn options(lossless: bool) -> StreamReaderOptions {
    let options = StreamReaderOptions::new().start(StreamStart::OldestKey).lossless(lossless);
    options.wait_for_lane(DEADLINE)
}

/// Reads every record up to a number, waiting in one way or the other.
fn reader(args: &[&str]) {
    let (lossless, by_fd) = (args[0] == "lossless", args[1] == "fd");
    let until: u64 = args[2].parse().unwrap();
    let mut reader = StreamReader::open(LANE, options(lossless)).unwrap();
    let mut tale = Tale::of(&reader);
    say("attached");
    while tale.last < until {
        if by_fd {
            while tale.try_next(&mut reader, Duration::ZERO).is_none() {
                let limit = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
                let fd = reader.fd();
                let ready = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit)).unwrap();
                assert_eq!(ready, 1, "the descriptor is rung within the deadline");
            }
        } else {
            drop(tale.next(&mut reader));
        }
    }
    say(format_args!("{} laps", tale.laps));
    hear();
}

/// Tries to attach; says the outcome.
fn attach(_: &[&str]) {
    let options = StreamReaderOptions::new();
    match StreamReader::open(LANE, options) {
        Ok(_) => say("attached"),
        Err(error) => say(format_args!("{:?}", error.kind())),
    }
}

/// Asks for a key record.
fn wisher(_: &[&str]) {
    let mut reader = StreamReader::open(LANE, options(false)).unwrap();
    reader.request_key_frame().unwrap();
    say("asked");
    hear();
}

fn shared() -> StreamWriterOptions {
    StreamWriterOptions::new(video()).access(Access::Everyone).lossless(true)
}

#[test]
fn a_stream_admits_its_owner_and_nobody_else_unless_told() {
    need_root();
    let place = open_place();
    let outcome = || child_of(&place, "attach", NOBODY).line();
    let closed = place.writer(StreamWriterOptions::new(video()));
    assert_eq!(outcome(), "PermissionDenied");
    drop(closed);
    let trusted = StreamWriterOptions::new(video()).trust(Trust::TrustedOnly);
    let _writer = place.writer(trusted.access(Access::Everyone));
    assert_eq!(outcome(), "PermissionDenied", "whatever the socket's mode");
}

/// A reader of another user, which is rung at a bell of its own.
fn read_across(way: &str, by: &str) {
    const RECORDS: u64 = 300;
    let place = open_place();
    let writer = place.writer(shared());
    let mut child = child_of(&place, &format!("reader {way} {by} {RECORDS}"), NOBODY);
    child.expect("attached");
    let report = writer.report();
    let entry = &report.consumers[0];
    assert_eq!((entry.uid, entry.bell), (NOBODY, BellKind::Private.number()));
    for sequence in 1..=RECORDS {
        write(&writer, sequence);
        if sequence % 50 == 0 {
            // It falls asleep now and then.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    child.expect("0 laps");
    assert_eq!(writer.report().consumers[0].received, RECORDS);
}

#[test]
fn records_cross_users_whole_and_in_order() {
    need_root();
    for way in ["live", "lossless"] {
        for by in ["futex", "fd"] {
            read_across(way, by);
        }
    }
}

#[test]
fn a_wish_for_a_key_record_crosses_users() {
    need_root();
    let place = open_place();
    let writer = place.writer(shared());
    write(&writer, 1);
    let _ = writer.key_frame_wanted();
    let mut child = child_of(&place, "wisher", NOBODY);
    child.expect("asked");
    until("the wish is seen", || writer.key_frame_wanted());
}

#[test]
fn a_stopped_reader_of_another_user_delays_no_live_writer() {
    need_root();
    let place: Place = open_place();
    let writer = place.writer(small().access(Access::Everyone));
    let mut child = child_of(&place, "reader live futex 1000000", NOBODY);
    child.expect("attached");
    write(&writer, 1);
    until("it reads", || writer.report().consumers[0].received == 1);
    kill_process(child.pid, Signal::STOP).unwrap();
    // Many times around the ring, without any time to wait.
    for sequence in 2..=1000 {
        try_write(&writer, sequence, Duration::ZERO).unwrap();
    }
    kill_process(child.pid, Signal::CONT).unwrap();
    until("it goes on", || {
        let entry = writer.report().consumers[0];
        entry.last_sequence > 900 && entry.missed > 800
    });
}
