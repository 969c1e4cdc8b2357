//! Writers and readers of streams that die, stop and come again.

mod common;

use common::child::{await_word, entry, say};
use common::readers::By;
use common::steps::{self, Role};
use common::streams::{Tale, assert_whole, small, try_write, video, write};
use common::threads::Task;
use common::{Child, DEADLINE, LANE, Place, task, until};
use framelane::{
    ErrorKind, Record, StreamConfig, StreamReader, StreamReaderOptions, StreamStart, StreamWriter,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Signal;
use std::time::{Duration, Instant};

#[test]
fn child_entry() {
    entry(&[("writer", writer), ("reader", reader)]);
}

/// Writes a record every millisecond until it is killed.
fn writer(_: &[&str]) {
    let writer = StreamWriter::create(LANE, small().lossless(true)).unwrap();
    say("made");
    await_word("go");
    for sequence in 1.. {
        if sequence % 10 == 1 {
            // None of them is like the one before.
            let config = StreamConfig { camera_id: sequence as u32, ..video() };
            writer.set_config_within(&config, DEADLINE).unwrap();
        }
        write(&writer, sequence);
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Reads until it is killed.
fn reader(args: &[&str]) {
    let options = StreamReaderOptions::new()
        .start(StreamStart::OldestKey)
        .lossless(args == ["lossless"])
        .wait_for_lane(DEADLINE);
    let mut reader = StreamReader::open(LANE, options).unwrap();
    say("attached");
    let mut tale = Tale::of(&reader);
    loop {
        tale.next(&mut reader);
    }
}

fn options() -> StreamReaderOptions {
    StreamReaderOptions::new().start(StreamStart::OldestKey)
}

/// The next record by sleeping, by its descriptor or by asking again and again.
fn next(tale: &mut Tale, reader: &mut StreamReader, by: By) -> Record {
    if matches!(by, By::Futex) {
        return tale.next(reader);
    }
    let deadline = Instant::now() + DEADLINE;
    loop {
        match reader.try_next() {
            Ok(Some(record)) => {
                tale.see(&record);
                return record;
            }
            Ok(None) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Lapped, "{error}");
                tale.last += error.missed();
                continue;
            }
        }
        assert!(Instant::now() < deadline, "no record within the deadline, by {by:?}");
        match by {
            By::Fd => {
                let fd = reader.fd();
                let mut polled = [PollFd::new(&fd, PollFlags::IN)];
                let timeout = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
                assert_eq!(poll(&mut polled, Some(&timeout)).unwrap(), 1, "nothing to poll");
            }
            _ => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}

/// Reads on into the epoch after so many restarts, until so many records of it were read.
fn follow(
    place: &Place,
    options: StreamReaderOptions,
    by: By,
    restarts: u64,
    until: u64,
) -> Task<Tale> {
    let mut reader = place.reader(options);
    task(&format!("the reader by {by:?}"), move || {
        let mut tale = Tale::of(&reader);
        while tale.restarts < restarts || tale.last < until {
            next(&mut tale, &mut reader, by);
        }
        tale
    })
}

/// Three readers of different kinds.
fn readers(place: &Place, restarts: u64, until: u64) -> Vec<Task<Tale>> {
    vec![
        follow(place, options(), By::Futex, restarts, until),
        follow(place, options(), By::Fd, restarts, until),
        follow(place, options().lossless(true), By::Spin, restarts, until),
    ]
}

fn kill_at(step: &str, round: u64) {
    println!("killed at {step}, time {round}");
    let place = Place::new();
    let mut first = Child::failing(&place, "writer", &format!("{step}:kill:{round}"));
    first.expect("made");
    let mut told = place.reader(options().reattach(false));
    let following = readers(&place, 1, 25);
    first.say("go");
    first.expect_killed();
    // Whole records only, up to the end.
    let mut tale = Tale::of(&told);
    loop {
        match told.next(DEADLINE) {
            Ok(Some(record)) => tale.see(&record),
            Ok(None) => panic!("the death is noticed"),
            Err(error) if error.kind() == ErrorKind::Lapped => tale.last += error.missed(),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
                break;
            }
        }
    }
    let mut second = Child::start(&place, "writer");
    second.expect("made"); // the name is free at once
    second.say("go");
    for reader in following {
        assert_eq!(reader.join().restarts, 1);
    }
}

#[test]
fn a_writer_killed_at_its_first_record_leaves_nothing_or_a_whole_one() {
    for step in steps::of(Role::Writer) {
        // Configs and announcements come at other times.
        if !["commit.announced", "commit.config"].contains(&step.as_str()) {
            kill_at(&step, 1);
        }
    }
}

/// When a step comes round that overwrites something.
fn while_overwriting(step: &str) -> u64 {
    if step == "commit.config" { 12 } else { 40 }
}

#[test]
fn a_writer_killed_while_it_overwrites_leaves_whole_records() {
    for step in steps::of(Role::Writer) {
        kill_at(&step, while_overwriting(&step));
    }
}

#[test]
fn a_writer_stopped_at_each_step_harms_nobody() {
    for step in steps::of(Role::Writer) {
        println!("stopped at {step}");
        let place = Place::new();
        let plan = format!("{step}:stop:{}", while_overwriting(&step));
        let mut child = Child::failing(&place, "writer", &plan);
        child.expect("made");
        let following = readers(&place, 0, 100);
        let mut reader = place.reader(options());
        child.say("go");
        child.expect_stopped();
        let mut tale = Tale::of(&reader);
        while let Some(record) = tale.try_next(&mut reader, Duration::from_millis(5)) {
            assert_whole(&record);
        }
        // Once more from the start of what is there.
        reader.seek(StreamStart::OldestKey, Duration::ZERO).unwrap();
        tale = Tale::of(&reader);
        assert!(tale.try_next(&mut reader, DEADLINE).expect("a record").is_key());
        child.signal(Signal::CONT);
        for reader in following {
            assert_eq!(reader.join().restarts, 0, "a pause is no death");
        }
        child.kill();
    }
}

/// Writes so many records, none of which may wait.
fn write_without_waiting(writer: &StreamWriter, from: u64, count: u64) {
    for sequence in from..from + count {
        try_write(writer, sequence, Duration::ZERO).expect("a live reader costs no time");
    }
}

#[test]
fn a_reader_stopped_at_each_step_never_delays_the_writer() {
    for step in steps::of(Role::StreamReader) {
        if step == "read.advanced" {
            continue; // a lossless reader's
        }
        println!("stopped at {step}");
        let place = Place::new();
        let writer = place.writer(small());
        let mut child = Child::failing(&place, "reader", &format!("{step}:stop:3"));
        child.expect("attached");
        let mut sequence = 1;
        until("the reader stops", || {
            write_without_waiting(&writer, sequence, 1);
            sequence += 1;
            child.has_stopped()
        });
        // Ten times round the ring while it is in the middle of a record.
        write_without_waiting(&writer, sequence, 300);
        child.signal(Signal::CONT);
        until("it reads on", || {
            sequence = writer.report().head + 1;
            write_without_waiting(&writer, sequence, 1);
            std::thread::sleep(Duration::from_millis(1));
            assert!(!child.has_ended(), "it gets nothing but whole records");
            writer.report().consumers[0].last_sequence + 60 > sequence
        });
        child.kill();
        until("it is gone", || writer.readers() == 0);
    }
}

#[test]
fn a_lossless_reader_killed_at_each_step_lets_the_writer_go_on() {
    for step in steps::of(Role::StreamReader) {
        if step == "read.copied" {
            continue; // a live reader's
        }
        println!("killed at {step}");
        let place = Place::new();
        let writer = place.writer(small().lossless(true));
        let mut child = Child::failing(&place, "reader lossless", &format!("{step}:kill:20"));
        child.expect("attached");
        for sequence in 1..=200 {
            write(&writer, sequence);
        }
        child.expect_killed();
        until("it is gone", || writer.readers() == 0);
    }
}

#[test]
fn a_stopped_lossless_reader_is_named() {
    let place = Place::new();
    let writer = place.writer(small().lossless(true));
    let mut child = Child::failing(&place, "reader lossless", "read.advanced:stop:3");
    child.expect("attached");
    let error = (1..1000)
        .find_map(|sequence| try_write(&writer, sequence, Duration::from_millis(300)).err())
        .expect("the ring fills up");
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot);
    let pid = child.pid.as_raw_nonzero().to_string();
    assert!(error.to_string().contains(&pid), "{error} names {pid}");
    child.kill();
    until("it is gone", || writer.readers() == 0);
    write(&writer, writer.report().head + 1);
}
