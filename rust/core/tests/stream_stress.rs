//! Much more than 2^32 bytes through one ring, to a lossless reader and a live one in processes of
//! their own: nothing lost, torn or out of order. `FRAMELANE_STREAM_BYTES` says how many; 5 GiB are
//! for the long run.

mod common;

use common::child::{entry, hear, say};
use common::streams::raw;
use common::{Child, DEADLINE, LANE, Place};
use framelane::{
    Codec, ErrorKind, Record, StreamConfig, StreamReader, StreamReaderOptions, StreamStart,
    StreamWriter, StreamWriterOptions,
};

/// Of the ring. Some records are just half of it.
const RING: u64 = 4 << 20;
/// A child says how far it is each time so many bytes have come: it is not stuck.
const NEWS: u64 = 8 << 20;
/// Capture id of the last record.
const LAST: u64 = u64::MAX;

fn bytes_asked() -> u64 {
    let asked = std::env::var("FRAMELANE_STREAM_BYTES").ok();
    asked.map_or(24 << 20, |count| count.parse().expect("FRAMELANE_STREAM_BYTES is a number"))
}

#[test]
fn child_entry() {
    entry(&[("lossless", lossless), ("live", live)]);
}

/// None, half the ring, what divides it, and anything in between.
fn size_of(sequence: u64) -> usize {
    let size = match sequence % 64 {
        0 => RING / 2,
        1 => 0,
        2 => RING / 32,
        _ => sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 47,
    };
    size as usize
}

/// Word `index` of a record.
fn word(sequence: u64, index: usize) -> u64 {
    (sequence << 24 ^ index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn fill(bytes: &mut Vec<u8>, sequence: u64) {
    bytes.resize(size_of(sequence), 0);
    let mut words = bytes.chunks_exact_mut(8);
    for (index, bytes) in words.by_ref().enumerate() {
        bytes.copy_from_slice(&word(sequence, index).to_ne_bytes());
    }
    words.into_remainder().fill(sequence as u8);
}

fn assert_whole(record: &Record) {
    let sequence = record.sequence();
    assert_eq!(record.bytes().len(), size_of(sequence), "record {sequence}");
    let words = record.bytes().chunks_exact(8);
    assert!(words.remainder().iter().all(|&byte| byte == sequence as u8), "{sequence} is torn");
    let whole =
        words.enumerate().all(|(index, bytes)| bytes == word(sequence, index).to_ne_bytes());
    assert!(whole, "record {sequence} is torn");
}

fn open(lossless: bool) -> StreamReader {
    let options = StreamReaderOptions::new().start(StreamStart::OldestKey).lossless(lossless);
    let reader = StreamReader::open(LANE, options.wait_for_lane(DEADLINE).reattach(false)).unwrap();
    say("attached");
    reader
}

/// Reads all of it.
fn lossless(_: &[&str]) {
    let mut reader = open(true);
    let (mut expected, mut bytes, mut told) = (1, 0, 0);
    loop {
        let record = reader.next(DEADLINE).unwrap().expect("no wake-up is lost");
        assert_eq!((record.sequence(), record.missed()), (expected, 0), "in order, none missed");
        assert_whole(&record);
        expected += 1;
        bytes += record.bytes().len() as u64;
        if record.info().capture_id == LAST {
            break;
        }
        if bytes - told >= NEWS {
            told = bytes;
            say("goes on");
        }
    }
    say("end");
    say(bytes);
    hear();
}

/// Reads what it can, and is told of the rest.
fn live(_: &[&str]) {
    let mut reader = open(false);
    let mut last = 0;
    loop {
        match reader.next(DEADLINE) {
            Ok(record) => {
                let record = record.expect("no wake-up is lost");
                assert_eq!(record.sequence(), last + record.missed() + 1, "all accounted for");
                assert_whole(&record);
                last = record.sequence();
                if record.info().capture_id == LAST {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Lapped => last += error.missed(),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(reader.received() + reader.missed(), last);
    say(last);
    hear();
}

#[test]
fn more_bytes_than_a_word_counts_go_through_one_ring() {
    let asked = bytes_asked();
    let place = Place::new();
    let options = StreamWriterOptions::new(StreamConfig::new(Codec::Opaque));
    let writer: StreamWriter = place.writer(options.data_bytes(RING).lossless(true));
    let mut reader = Child::start(&place, "lossless");
    let mut live = Child::start(&place, "live");
    [&mut reader, &mut live].into_iter().for_each(|child| child.expect("attached"));
    let (mut bytes, mut total, mut sequence) = (Vec::new(), 0, 0);
    while total < asked {
        sequence += 1;
        fill(&mut bytes, sequence);
        total += bytes.len() as u64;
        let mut info = raw(true);
        info.capture_id = if total < asked { sequence } else { LAST };
        let (first, rest) = bytes.split_at(bytes.len() / 3);
        let written = writer.write_within(&info, &[first, rest], DEADLINE);
        assert_eq!(written.expect("the reader goes on"), sequence);
    }
    let report = writer.report();
    assert_eq!((report.published, report.stream.written_bytes), (sequence, total));
    // With what was left empty at the ring's end, which the last record's place counts too.
    let last = report.stream.newest;
    assert!(last.offset_bytes + u64::from(last.size_bytes) >= total);
    while reader.line() != "end" {}
    reader.expect(&total.to_string());
    live.expect(&sequence.to_string());
}
