//! A writer or reader of a stream whose process forks: the handles stay the parent's, whatever the
//! child does with its copies of them and however it ends.

mod common;

use common::child::{await_word, entry, say};
use common::forks::{Stray, exec, exit, expect_good, fork, stay};
use common::streams::{Tale, assert_whole, raw, video, write};
use common::{Child, DEADLINE, LANE, Place, until};
use framelane::{
    Error, ErrorKind, Record, RecordMut, StreamReader, StreamReaderOptions, StreamStart,
    StreamWriter, StreamWriterOptions,
};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("reader", reader), ("writer", writer), ("staying-writer", staying_writer)]);
}

/// What forked children do, and what is done after each.
const WAYS: &[&str] = &["exit", "exec", "drop", "use"];

fn is_forked<T>(result: Result<T, Error>) {
    let error = result.map(|_| ()).expect_err("the handle is the parent's");
    assert_eq!(error.kind(), ErrorKind::Forked, "{error}");
}

fn oldest() -> StreamReaderOptions {
    StreamReaderOptions::new().start(StreamStart::OldestKey)
}

fn attach(lossless: bool) -> StreamReader {
    StreamReader::open(LANE, oldest().lossless(lossless).wait_for_lane(DEADLINE)).unwrap()
}

/// Holds a record over a fork of each kind, then goes on as if nothing had been.
fn reader(args: &[&str]) {
    let lossless = args == ["lossless"];
    let mut reader = Some(attach(lossless));
    let mut tale = Tale::of(reader.as_ref().unwrap());
    say("attached");
    let mut held = Some(tale.next(reader.as_mut().unwrap()));
    for way in WAYS {
        let child = fork(|| match *way {
            "exit" => exit(),
            "exec" => exec(),
            "drop" => drop((held.take(), reader.take())),
            _ => use_reader(reader.as_mut().unwrap(), held.take().unwrap(), lossless),
        });
        expect_good(child);
        say(way);
        tale.next(reader.as_mut().unwrap());
        assert_whole(held.as_ref().unwrap());
    }
    let reader = reader.unwrap();
    assert_eq!(reader.held(), u32::from(lossless));
    assert_eq!((reader.received(), reader.missed()), (5, 0));
    say("done");
    await_word("end");
}

/// In the child: every handle answers Forked, a copied record is its own, and a handle of the
/// child's own works.
fn use_reader(reader: &mut StreamReader, held: Record, lossless: bool) {
    is_forked(reader.try_next());
    is_forked(reader.next(Duration::from_secs(1)));
    is_forked(reader.wait(Duration::ZERO));
    is_forked(reader.ready());
    is_forked(reader.seek(StreamStart::OldestKey, Duration::ZERO));
    is_forked(reader.request_key_frame());
    if !lossless {
        assert_whole(&held);
    }
    reader.closer().close();
    drop(held);
    let mut own = attach(false);
    assert_whole(&own.next(DEADLINE).unwrap().expect("a record"));
}

#[test]
fn a_forked_reader_is_the_parents() {
    for way in ["live", "lossless"] {
        let place = Place::new();
        let writer = place.writer(StreamWriterOptions::new(video()).lossless(true));
        let mut child = Child::start(&place, &format!("reader {way}"));
        child.expect("attached");
        let wishes = writer.report().stream.key_requests;
        write(&writer, 1);
        for (sequence, way) in (2..).zip(WAYS) {
            child.expect(way);
            write(&writer, sequence);
        }
        child.expect("done");
        until("only the parent is attached", || writer.readers() == 1);
        let report = writer.report();
        assert_eq!((report.consumers[0].received, report.stream.key_requests), (5, wishes));
        if way == "lossless" {
            assert_eq!(report.consumers[0].cursor, 1, "the first record is still held");
        }
        child.say("end");
        child.expect_success();
        until("nobody is attached", || writer.readers() == 0);
    }
}

/// Has a record begun over a fork of each kind, and commits it.
fn writer(_args: &[&str]) {
    let options = StreamWriterOptions::new(video()).lossless(true);
    let mut writer = Some(StreamWriter::create(LANE, options).unwrap());
    await_word("begin"); // somebody is attached
    for way in WAYS {
        let mut begun = Some(begin(writer.as_ref().unwrap()));
        let child = fork(|| match *way {
            "exit" => exit(),
            "exec" => exec(),
            "drop" => drop((begun.take(), writer.take())),
            _ => use_writer(writer.as_ref().unwrap(), begun.take().unwrap()),
        });
        expect_good(child);
        let mut begun = begun.unwrap();
        begun.append(b"of the parent").unwrap();
        begun.commit().unwrap();
        say(way);
    }
    let report = writer.as_ref().unwrap().report();
    assert_eq!((report.published, report.abandoned), (4, 0));
    await_word("end");
}

fn begin(writer: &StreamWriter) -> RecordMut {
    let mut record = writer.begin(100).unwrap();
    *record.info_mut() = raw(true);
    record.append(b"whole, ").unwrap();
    record
}

fn use_writer(writer: &StreamWriter, mut begun: RecordMut) {
    is_forked(begun.append(b"of the child"));
    is_forked(begun.commit());
    is_forked(writer.begin(1));
    is_forked(writer.write(&raw(true), &[b"of the child"]));
    assert_eq!((writer.readers(), writer.report().published), (0, 0));
    let taken = StreamWriter::create(LANE, StreamWriterOptions::new(video()));
    assert_eq!(taken.map(|_| ()).unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[test]
fn a_forked_writer_is_the_parents() {
    let place = Place::new();
    let mut child = Child::start(&place, "writer");
    let mut readers = [false, true].map(|lossless| place.reader(oldest().lossless(lossless)));
    child.say("begin");
    for (sequence, way) in (1..).zip(WAYS) {
        child.expect(way);
        for reader in &mut readers {
            let record = reader.next(DEADLINE).unwrap().expect("the parent's record");
            assert_eq!((record.sequence(), record.missed()), (sequence, 0), "{way}");
            assert_eq!(record.bytes(), b"whole, of the parent", "{way}");
        }
    }
    child.say("end");
    child.expect_success();
}

/// Writes one record; its forked child keeps everything it inherited open.
fn staying_writer(_args: &[&str]) {
    let writer = StreamWriter::create(LANE, StreamWriterOptions::new(video())).unwrap();
    write(&writer, 1);
    await_word("fork"); // somebody is attached
    say(fork(stay).as_raw_nonzero());
    await_word("close");
    drop(writer);
    say("closed");
    drop(StreamWriter::create(LANE, StreamWriterOptions::new(video())).unwrap());
    say("free");
    await_word("end");
}

#[test]
fn a_writer_is_gone_though_its_child_keeps_the_socket() {
    for way in ["killed", "closed"] {
        let place = Place::new();
        let mut child = Child::start(&place, "staying-writer");
        let mut told = place.reader(oldest().reattach(false));
        assert_whole(&told.next(DEADLINE).unwrap().expect("a record"));
        child.say("fork");
        let stray = Stray::new(&child.line());
        if way == "killed" {
            child.kill();
        } else {
            child.say("close");
            child.expect("closed");
            child.expect("free");
        }
        let error = told.next(DEADLINE).map(|_| ()).expect_err("the writer is gone");
        assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
        if way == "killed" {
            stray.kill(); // it has the lock still
        }
        let writer = place.writer(StreamWriterOptions::new(video()));
        write(&writer, 1);
        let mut reader = place.reader(oldest());
        assert_whole(&reader.next(DEADLINE).unwrap().expect("a record of the new writer"));
    }
}
