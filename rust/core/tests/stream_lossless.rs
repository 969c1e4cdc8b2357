//! Lossless readers of streams: nothing is lost, and the writer waits no longer than it is told.

mod common;

use common::streams::{Tale, assert_whole, raw, small, try_write, write, write_all};
use common::{DEADLINE, Place, task};
use framelane::{
    Codec, ErrorKind, StreamConfig, StreamReaderOptions, StreamStart, StreamWriterOptions,
};
use std::time::Duration;

fn lossless(start: StreamStart) -> StreamReaderOptions {
    StreamReaderOptions::new().start(start).lossless(true)
}

fn opaque() -> StreamWriterOptions {
    StreamWriterOptions::new(StreamConfig::new(Codec::Opaque)).lossless(true)
}

#[test]
fn every_record_reaches_a_slow_reader() {
    let place = Place::new();
    let writer = place.writer(small().lossless(true));
    let mut reader = place.reader(lossless(StreamStart::Next));
    let writing = task("the writer", move || {
        write_all(&writer, 1..=400);
        writer
    });
    let mut tale = Tale::of(&reader);
    let mut held = Vec::new();
    for sequence in 1..=400 {
        let record = tale.next(&mut reader);
        assert_eq!(record.sequence(), sequence);
        if sequence % 50 == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        held.push(record);
        if held.len() > 3 {
            // Not in the order they came.
            let record = held.remove(sequence as usize % 3);
            assert_whole(&record);
        }
    }
    assert_eq!((reader.received(), reader.missed(), tale.laps), (400, 0, 0));
    assert_eq!(reader.held() as usize, held.len());
    held.iter().for_each(assert_whole);
    let writer = writing.join();
    assert_eq!(writer.report().consumers[0].copied_bytes, 0, "read in place");
    drop((writer, reader));
    held.iter().for_each(assert_whole);
}

#[test]
fn a_held_record_stays_until_it_is_released() {
    let place = Place::new();
    let writer = place.writer(opaque().data_bytes(4096));
    let half = vec![5; writer.record_limit_bytes()];
    let mut reader = place.reader(lossless(StreamStart::Next));
    writer.write(&raw(false), &[&half]).unwrap();
    let record = reader.next(DEADLINE).unwrap().unwrap();
    writer.write(&raw(false), &[&half]).unwrap();
    let error = writer.write(&raw(false), &[b"x"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot);
    let pid = std::process::id().to_string();
    let text = error.to_string();
    assert!(text.contains(&pid) && text.contains("has not released record 1"), "{text}");
    let error = writer.write_within(&raw(false), &[b"x"], Duration::from_millis(5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot);
    assert_eq!(record.bytes(), half);
    let waiting = task("the writer", move || {
        writer.write_within(&raw(false), &[b"x"], DEADLINE).unwrap();
        writer
    });
    std::thread::sleep(Duration::from_millis(20));
    drop(record);
    let writer = waiting.join();
    // Room for the whole ring: only what is at the cursor or after it is needed.
    assert_eq!(writer.report().consumers[0].cursor, 2);
    assert_eq!(writer.report().no_free_slot, 2);
}

#[test]
fn a_reader_that_leaves_lets_the_writer_go_on() {
    let place = Place::new();
    let writer = place.writer(small().lossless(true));
    let reader = place.reader(lossless(StreamStart::Next));
    let writing = task("the writer", move || {
        write_all(&writer, 1..=200);
    });
    std::thread::sleep(Duration::from_millis(20));
    assert!(!writing.is_over());
    drop(reader);
    writing.join();
}

#[test]
fn what_a_reader_begins_with_is_pinned_before_it_is_admitted() {
    let place = Place::new();
    let writer = place.writer(small().lossless(true));
    for sequence in 1..=100 {
        write(&writer, sequence);
    }
    let oldest = writer.report().stream.oldest;
    let writing = task("the writer", move || {
        for sequence in 101..=3000 {
            if try_write(&writer, sequence, DEADLINE).is_err() {
                return;
            }
        }
    });
    for start in [StreamStart::OldestKey, StreamStart::NewestKey, StreamStart::KeyBefore] {
        for _ in 0..5 {
            let mut reader = place.reader(lossless(start));
            let mut tale = Tale::of(&reader);
            for number in 0..20 {
                let record = tale.next(&mut reader);
                assert!(record.sequence() > oldest);
                assert!(number > 0 || record.is_key());
            }
            assert_eq!((tale.laps, reader.missed()), (0, 0));
        }
    }
    writing.join();
}

#[test]
fn a_lossless_reader_only_seeks_forward() {
    let place = Place::new();
    let writer = place.writer(small().lossless(true));
    let mut reader = place.reader(lossless(StreamStart::Next));
    write_all(&writer, 1..=15);
    reader.seek(StreamStart::NewestKey, Duration::ZERO).unwrap();
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().sequence(), 11);
    let back = reader.seek(StreamStart::OldestKey, Duration::ZERO).unwrap_err();
    assert_eq!(back.kind(), ErrorKind::Unsupported);
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().sequence(), 12);
    reader.seek(StreamStart::Next, Duration::ZERO).unwrap();
    write(&writer, 16);
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().sequence(), 16);
}

#[test]
fn a_config_that_would_cost_held_records_waits() {
    let place = Place::new();
    let writer = place.writer(opaque());
    let mut reader = place.reader(lossless(StreamStart::Next));
    let config = |width| StreamConfig::video(Codec::Jpeg, width, 1);
    writer.write(&raw(false), &[b"x"]).unwrap();
    for width in 1..=7 {
        writer.set_config(&config(width)).unwrap();
    }
    let error = writer.set_config(&config(8)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot, "{error}");
    let record = reader.next(DEADLINE).unwrap().unwrap();
    assert_eq!(record.config().id, 1);
    drop(record);
    assert_eq!(writer.set_config_within(&config(8), DEADLINE).unwrap(), 9);
}
