//! Stream lanes within one process: what is written is read, what is overwritten is told.

mod common;

use common::streams::{GOP, Tale, raw, small, video, write, write_all};
use common::{DEADLINE, Place, task, until};
use framelane::layout::RecordFlag;
use framelane::{
    Codec, ConsumerOptions, ErrorKind, Mode, Producer, ProducerOptions, StreamConfig,
    StreamReaderOptions, StreamStart, StreamWriterOptions,
};
use std::time::{Duration, Instant};

fn kind<T>(result: framelane::Result<T>) -> ErrorKind {
    result.map(|_| ()).expect_err("an error").kind()
}

fn from(start: StreamStart) -> StreamReaderOptions {
    StreamReaderOptions::new().start(start)
}

fn opaque() -> StreamWriterOptions {
    StreamWriterOptions::new(StreamConfig::new(Codec::Opaque))
}

#[test]
fn records_come_in_order_and_say_what_they_are() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let mut reader = place.reader(from(StreamStart::OldestKey));
    let mut tale = Tale::of(&reader);
    for sequence in 1..=50 {
        write(&writer, sequence);
        let record = tale.next(&mut reader);
        assert_eq!(record.sequence(), sequence);
        assert_eq!(record.new_config(), sequence == 1);
        assert_eq!(record.config().width, 640);
        assert_eq!(record.info().dts(), Some(sequence as i64 * 1000 - 1));
    }
    assert!(reader.try_next().unwrap().is_none());
    assert_eq!((reader.received(), reader.missed()), (50, 0));
}

#[test]
fn a_reader_starts_where_it_wants_to() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let before = StreamReaderOptions::new().start(StreamStart::KeyBefore);
    write_all(&writer, 1..=25);
    let middle = Instant::now();
    let gap = Duration::from_millis(300);
    std::thread::sleep(gap);
    write_all(&writer, 26..=35);
    for (options, first) in [
        (from(StreamStart::NewestKey), 31),
        (from(StreamStart::OldestKey), 1),
        (before.clone().start_age(Duration::from_secs(1000)), 1),
        (before.clone().start_age(Duration::ZERO), 31),
    ] {
        let mut reader = place.reader(options.clone());
        let record = reader.next(DEADLINE).unwrap().expect("a record");
        assert_eq!(record.sequence(), first, "{options:?}");
        assert_eq!(record.missed(), 0, "what came before was never meant for it");
    }
    until("an attach that takes less than the gap", || {
        let age = middle.elapsed();
        let mut reader = place.reader(before.clone().start_age(age));
        if middle.elapsed() - age >= gap {
            return false; // the age may have meant a record after the gap
        }
        assert_eq!(reader.next(DEADLINE).unwrap().expect("a record").sequence(), 21);
        true
    });
    let mut next = place.reader(from(StreamStart::Next));
    assert!(next.try_next().unwrap().is_none());
    write(&writer, 36);
    assert_eq!(next.next(DEADLINE).unwrap().unwrap().sequence(), 36, "a key record or not");
}

#[test]
fn a_reader_seeks_and_asks_where_there_is_no_key() {
    let place = Place::new();
    let writer =
        place.writer(StreamWriterOptions::new(video()).key_request_interval(Duration::ZERO));
    let mut reader = place.reader(from(StreamStart::Next));
    writer.write(&raw(false), &[b"no key"]).unwrap();
    assert!(!writer.key_frame_wanted(), "nobody has asked yet");
    for start in [StreamStart::NewestKey, StreamStart::OldestKey, StreamStart::KeyBefore] {
        assert_eq!(kind(reader.seek(start, Duration::ZERO)), ErrorKind::NoKeyFrame);
    }
    assert!(writer.wait_key_frame_wanted(DEADLINE), "asked for by itself");
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().bytes(), b"no key", "it stays where it was");
    for key in [true, false, true, false, false] {
        writer.write(&raw(key), &[b"x"]).unwrap();
    }
    assert!(!writer.key_frame_wanted(), "a key record has come");
    reader.seek(StreamStart::OldestKey, Duration::ZERO).unwrap();
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().sequence(), 2);
    reader.seek(StreamStart::NewestKey, Duration::ZERO).unwrap();
    let record = reader.next(DEADLINE).unwrap().unwrap();
    assert_eq!((record.sequence(), record.missed()), (4, 0), "sought is not missed");
    reader.seek(StreamStart::Next, Duration::ZERO).unwrap();
    assert!(reader.try_next().unwrap().is_none());
    reader.request_key_frame().unwrap();
    assert!(writer.wait_key_frame_wanted(DEADLINE));
    assert_eq!(reader.missed(), 0);
}

#[test]
fn wishes_for_a_key_record_are_told_once_per_interval() {
    let place = Place::new();
    let hour = Duration::from_secs(3600);
    let writer = place.writer(StreamWriterOptions::new(video()).key_request_interval(hour));
    let mut reader = place.reader(StreamReaderOptions::new());
    assert!(writer.wait_key_frame_wanted(DEADLINE), "there is none to begin with");
    reader.request_key_frame().unwrap();
    assert!(!writer.key_frame_wanted(), "not again so soon");
    writer.write(&raw(true), &[b"key"]).unwrap();
    assert!(!writer.key_frame_wanted(), "granted");
    reader.request_key_frame().unwrap();
    assert!(!writer.key_frame_wanted(), "a new wish waits for its time, too");
    assert_eq!(writer.report().stream.key_requests, 2);
}

#[test]
fn a_new_wish_is_told_once_the_interval_is_over() {
    let place = Place::new();
    let interval = Duration::from_millis(20);
    let writer = place.writer(StreamWriterOptions::new(video()).key_request_interval(interval));
    let mut reader = place.reader(StreamReaderOptions::new());
    for _ in 0..3 {
        assert!(writer.wait_key_frame_wanted(DEADLINE), "a new wish");
        writer.write(&raw(true), &[b"key"]).unwrap();
        assert!(!writer.key_frame_wanted(), "granted");
        reader.request_key_frame().unwrap();
    }
}

#[test]
fn a_wish_that_is_not_granted_is_told_again_to_a_writer_that_waits() {
    let place = Place::new();
    let interval = Duration::from_millis(20);
    let writer = place.writer(StreamWriterOptions::new(video()).key_request_interval(interval));
    let _reader = place.reader(StreamReaderOptions::new());
    for _ in 0..3 {
        assert!(writer.wait_key_frame_wanted(DEADLINE), "nobody rings for it again");
    }
}

#[test]
fn a_reader_that_waits_for_a_key_record_counts_what_it_passes_over() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let mut reader = place.reader(StreamReaderOptions::new());
    for key in [false, false, true] {
        writer.write(&raw(key), &[b"x"]).unwrap();
    }
    let record = reader.next(DEADLINE).unwrap().unwrap();
    assert_eq!((record.sequence(), record.missed()), (3, 2));
    assert_eq!(reader.missed(), 2);
}

#[test]
fn an_overtaken_reader_is_told_and_goes_on_at_a_key_record() {
    for (after, first) in [(StreamStart::NewestKey, 191), (StreamStart::OldestKey, 141)] {
        let place = Place::new();
        let writer = place.writer(small().data_bytes(4 << 20));
        let mut reader = place.reader(from(StreamStart::OldestKey).after_lap(after));
        let mut tale = Tale::of(&reader);
        write(&writer, 1);
        tale.next(&mut reader);
        write_all(&writer, 2..=200);
        let error = reader.next(DEADLINE).map(|_| ()).expect_err("it was overtaken");
        assert_eq!((error.kind(), error.missed()), (ErrorKind::Lapped, first - 2), "{error}");
        assert_eq!(reader.missed(), first - 2);
        tale.last += error.missed();
        assert_eq!(tale.next(&mut reader).sequence(), first);
    }
}

#[test]
fn the_largest_record_is_half_the_ring() {
    let place = Place::new();
    let writer = place.writer(opaque().data_bytes(4096));
    let limit = writer.record_limit_bytes();
    assert_eq!(limit * 2, 4096usize.next_multiple_of(rustix::param::page_size()));
    let mut reader = place.reader(StreamReaderOptions::new());
    let largest = vec![7; limit];
    for odd in [0, 8, 13] {
        writer.write(&raw(false), &[&vec![1; odd]]).unwrap();
        writer.write(&raw(false), &[&largest[..9], &largest[9..]]).unwrap();
        reader.seek(StreamStart::NewestKey, Duration::ZERO).unwrap();
        assert_eq!(reader.next(DEADLINE).unwrap().unwrap().bytes(), largest);
    }
    let newest = writer.report().head;
    assert_eq!(kind(writer.begin(limit + 1)), ErrorKind::RecordTooLarge);
    assert_eq!(kind(writer.write(&raw(false), &[&largest, b"x"])), ErrorKind::RecordTooLarge);
    let mut record = writer.begin(10).unwrap();
    record.append(b"12345").unwrap();
    assert_eq!(kind(record.append(b"123456")), ErrorKind::RecordTooLarge);
    assert_eq!((record.len(), record.room()), (5, 5), "it stays as it was");
    record.append(b"67890").unwrap();
    assert_eq!(record.commit().unwrap(), newest + 1);
    reader.seek(StreamStart::NewestKey, Duration::ZERO).unwrap();
    assert_eq!(reader.next(DEADLINE).unwrap().unwrap().bytes(), b"1234567890");
}

#[test]
fn an_empty_record_is_a_record() {
    let place = Place::new();
    let writer = place.writer(opaque().data_bytes(4096).index_capacity(4));
    let mut reader = place.reader(from(StreamStart::Next));
    for sequence in 1..=20 {
        assert_eq!(writer.write(&raw(false), &[]).unwrap(), sequence);
        let record = reader.next(DEADLINE).unwrap().unwrap();
        assert_eq!((record.sequence(), record.bytes().len()), (sequence, 0));
        assert!(record.is_key(), "nothing depends on another");
    }
}

#[test]
fn an_abandoned_record_leaves_no_trace_but_its_room() {
    let place = Place::new();
    let writer = place.writer(opaque().data_bytes(8192));
    let mut reader = place.reader(from(StreamStart::OldestKey));
    writer.write(&raw(false), &[&[1; 3000]]).unwrap();
    let mut record = writer.begin(4000).unwrap();
    assert_eq!(kind(writer.begin(1)), ErrorKind::NoFreeSlot, "one record at a time");
    record.append(&[9; 4000]).unwrap();
    record.abandon();
    assert_eq!(writer.write(&raw(false), &[&[2; 3000]]).unwrap(), 2);
    for byte in [1, 2] {
        assert_eq!(reader.next(DEADLINE).unwrap().unwrap().bytes(), [byte; 3000]);
    }
    assert_eq!(writer.report().abandoned, 1);
    // Room for the largest costs what was there, used or not.
    writer.begin(4096).unwrap().abandon();
    assert_eq!(writer.report().stream.oldest, 3);
}

#[test]
fn a_config_comes_with_the_first_record_that_needs_it() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let hevc =
        StreamConfig::video(Codec::H265, 1920, 1080).with_parameters(b"vps sps pps").unwrap();
    let mut reader = place.reader(from(StreamStart::OldestKey));
    assert_eq!(writer.set_config(&video()).unwrap(), 1, "nothing new");
    writer.write(&raw(true), &[b"a"]).unwrap();
    assert_eq!(writer.set_config(&hevc).unwrap(), 2);
    writer.write(&raw(true), &[b"b"]).unwrap();
    writer.write(&raw(false), &[b"c"]).unwrap();
    assert_eq!(writer.set_config(&video()).unwrap(), 3);
    writer.write(&raw(true), &[b"d"]).unwrap();
    let mut seen = Vec::new();
    while let Some(record) = reader.try_next().unwrap() {
        seen.push((record.bytes()[0], record.new_config(), record.config().width));
        if record.bytes() == b"b" {
            assert_eq!(record.config().parameter_sets(), b"vps sps pps");
            assert_eq!(record.config().known_codec(), Some(Codec::H265));
        }
    }
    let expected = [(b'a', true, 640), (b'b', true, 1920), (b'c', false, 1920), (b'd', true, 640)];
    assert_eq!(seen, expected);
    // Also far back in the ring.
    reader.seek(StreamStart::OldestKey, Duration::ZERO).unwrap();
    let record = reader.next(DEADLINE).unwrap().unwrap();
    assert!(record.new_config() && record.config().width == 640);
    assert_eq!(writer.report().stream.config_id, 3);
}

#[test]
fn the_ninth_config_back_goes_with_its_records() {
    let place = Place::new();
    let writer = place.writer(opaque());
    for width in 1..=12 {
        writer.set_config(&StreamConfig::video(Codec::Jpeg, width, 1)).unwrap();
        writer.write(&raw(false), &[&[width as u8]]).unwrap();
    }
    let mut reader = place.reader(from(StreamStart::OldestKey));
    for width in 5..=12 {
        let record = reader.next(DEADLINE).unwrap().unwrap();
        assert_eq!((record.bytes(), record.config().width), (&[width as u8][..], width));
    }
}

#[test]
fn a_sleeping_reader_wakes_by_a_record_by_its_closer_and_by_the_end() {
    let place = Place::new();
    let writer = place.writer(opaque());
    let mut reader = place.reader(from(StreamStart::Next).reattach(false));
    let mut closed = place.reader(StreamReaderOptions::new());
    let closer = closed.closer();
    let sleeper = task("the sleeper", move || {
        let first = reader.next(DEADLINE).unwrap().unwrap().sequence();
        (first, kind(reader.next(DEADLINE)))
    });
    let other = task("the other", move || kind(closed.next(DEADLINE)));
    std::thread::sleep(Duration::from_millis(20));
    closer.close();
    assert_eq!(other.join(), ErrorKind::Closed);
    writer.write(&raw(false), &[b"x"]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    drop(writer);
    assert_eq!(sleeper.join(), (1, ErrorKind::Disconnected));
}

#[test]
fn what_is_left_is_read_after_the_end() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let mut reader = place.reader(from(StreamStart::OldestKey).reattach(false));
    write_all(&writer, 1..=30);
    writer.close();
    let mut tale = Tale::of(&reader);
    (1..=30).for_each(|_| drop(tale.next(&mut reader)));
    assert_eq!(kind(reader.next(DEADLINE)), ErrorKind::Disconnected);
}

#[test]
fn frames_and_streams_are_not_taken_for_each_other() {
    let place = Place::new();
    let writer = place.writer(opaque());
    let error = place.try_consumer(ConsumerOptions::new(Mode::Latest)).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("is a stream lane"), "{error}");
    drop(writer);
    let options = ProducerOptions::new().payload_bytes(64).directory(place.directory());
    let _producer = Producer::create(common::LANE, options).unwrap();
    let error = place.try_reader(StreamReaderOptions::new()).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("is a frame lane"), "{error}");
}

#[test]
fn a_lane_without_lossless_readers_admits_none() {
    let place = Place::new();
    let _writer = place.writer(opaque());
    let lossless = StreamReaderOptions::new().lossless(true);
    assert_eq!(kind(place.try_reader(lossless)), ErrorKind::Unsupported);
    let odd = StreamReaderOptions::new().after_lap(StreamStart::Next);
    assert_eq!(kind(place.try_reader(odd)), ErrorKind::InvalidArgument);
}

#[test]
fn a_report_describes_a_stream() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()));
    let mut reader = place.reader(StreamReaderOptions::new());
    write_all(&writer, 1..=GOP + 1);
    while reader.try_next().unwrap().is_some() {}
    let report = framelane::query(common::LANE, Some(place.path()), DEADLINE).unwrap();
    let stream = report.stream;
    assert_eq!((report.head, report.published, stream.key_records), (GOP + 1, GOP + 1, 2));
    assert_eq!((stream.oldest, stream.newest.sequence), (1, GOP + 1));
    assert_eq!((stream.width, stream.height, stream.config_id), (640, 480, 1));
    assert!(stream.newest.flags & RecordFlag::KEY != 0 && stream.newest.publish_ns > 0);
    assert_eq!(stream.data_bytes, 8 << 20);
    let entry = &report.consumers[0];
    assert_eq!((report.consumer_count, entry.received), (1, GOP + 1));
    assert_eq!(entry.last_sequence, GOP + 1);
}
