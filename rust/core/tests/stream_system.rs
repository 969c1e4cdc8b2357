//! System calls of each record, counted exactly.

mod common;

use common::child::entry;
use common::os;
use common::streams::{raw, video};
use common::trace::{counted, in_peace, trace};
use common::{DEADLINE, LANE, Place, until};
use framelane::{
    StreamReader, StreamReaderOptions, StreamStart, StreamWriter, StreamWriterOptions,
};
use libc::SYS_futex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[test]
fn child_entry() {
    entry(&[("nobody-sleeps", nobody_sleeps), ("sleeper", sleeper)]);
}

/// Records counted in each situation.
const RECORDS: u64 = 20;
const BYTES: usize = 400 << 10;

const WRITE: u64 = 1;
const COPY: u64 = 2;
const IN_PLACE: u64 = 3;
const SLEEP: u64 = 4;

fn writer() -> StreamWriter {
    let options = StreamWriterOptions::new(video()).data_bytes(8 << 20).lossless(true);
    StreamWriter::create(LANE, options).unwrap()
}

fn open(lossless: bool) -> StreamReader {
    let options = StreamReaderOptions::new().start(StreamStart::OldestKey).lossless(lossless);
    StreamReader::open(LANE, options.wait_for_lane(DEADLINE)).unwrap()
}

/// A key record in two pieces.
fn write(writer: &StreamWriter, piece: &[u8]) -> u64 {
    let mut record = writer.begin(BYTES).unwrap();
    *record.info_mut() = raw(true);
    record.append(piece).unwrap();
    record.append(piece).unwrap();
    record.commit().unwrap()
}

/// Writes to readers that read what waits for them.
fn nobody_sleeps(_: &[&str]) {
    let writer = writer();
    let (mut live, mut lossless) = (open(false), open(true));
    let piece = vec![7; BYTES / 2];
    let mut turn = |sequence: u64, counts: bool| {
        let counted = |label, body: &mut dyn FnMut() -> bool| match counts {
            true => counted(label, body),
            false => assert!(body()),
        };
        counted(WRITE, &mut || write(&writer, &piece) == sequence);
        for (reader, label) in [(&mut live, COPY), (&mut lossless, IN_PLACE)] {
            counted(label, &mut || {
                let record = reader.next(DEADLINE).unwrap().expect("a record waits");
                record.sequence() == sequence && record.bytes().len() == BYTES
            });
        }
    };
    // The first ones bring the config.
    (1..=3).for_each(|sequence| turn(sequence, false));
    in_peace(|| (4..4 + RECORDS).for_each(|sequence| turn(sequence, true)));
}

#[test]
fn nobody_sleeps_and_no_call_is_made() {
    let place = Place::new();
    let traced = trace(&place, "nobody-sleeps");
    traced.expect(WRITE, "begin, append, commit while nobody sleeps", &[]);
    traced.expect(COPY, "next and release of a record that is copied", &[]);
    traced.expect(IN_PLACE, "next and release of a record that is read in place", &[]);
    assert_eq!(traced.background, [0u64; 0], "the service thread sleeps");
}

/// Writes to a reader that sleeps.
fn sleeper(_: &[&str]) {
    let writer = writer();
    let mut reader = open(false);
    let piece = vec![7; BYTES / 2];
    let [begun, ended, slow] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
    let (sender, receiver) = std::sync::mpsc::channel();
    let told = [&begun, &ended, &slow].map(Arc::clone);
    std::thread::spawn(move || {
        sender.send(rustix::thread::gettid()).unwrap();
        let [begun, ended, slow] = told;
        loop {
            begun.fetch_add(1, SeqCst);
            counted(SLEEP, || {
                let start = Instant::now();
                let record = reader.next(DEADLINE).unwrap().expect("a record comes");
                // A sleep of a whole slice looks at the connection: that is no sample.
                let in_one = start.elapsed() < Duration::from_millis(50);
                slow.fetch_add(u64::from(!in_one), SeqCst);
                in_one && record.sequence() > 3
            });
            ended.fetch_add(1, SeqCst);
        }
    });
    let tid = receiver.recv().unwrap();
    let until_waiting = || {
        until("the reader begins", || begun.load(SeqCst) == ended.load(SeqCst) + 1);
        os::until_asleep(tid);
    };
    until_waiting();
    in_peace(|| {
        for sequence in 1..=RECORDS {
            until_waiting();
            let slow_before = slow.load(SeqCst);
            counted(WRITE, || {
                assert_eq!(write(&writer, &piece), sequence);
                // Without a system call. Who was between two sleeps was not waiting.
                while ended.load(SeqCst) < sequence {
                    std::hint::spin_loop();
                }
                slow.load(SeqCst) == slow_before
            });
        }
    });
    until_waiting();
    std::process::exit(0); // with the reader waiting
}

#[test]
fn a_sleeper_costs_one_call_on_either_side() {
    let place = Place::new();
    let traced = trace(&place, "sleeper");
    traced.expect(WRITE, "commit to a sleeper", &[SYS_futex]);
    traced.expect(SLEEP, "next of a sleeper", &[SYS_futex]);
    assert_eq!(traced.background, [0u64; 0], "the service thread sleeps");
}
