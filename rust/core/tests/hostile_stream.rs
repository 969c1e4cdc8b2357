//! Stream lanes that lie, and readers that do: an error, no record or bytes inside the ring; never
//! a crash, and never a wait for somebody who lies.

mod common;
mod raw;

use common::child::{entry, say};
use common::streams::{Tale, raw as info, small, try_write, write, write_all};
use common::{Child, DEADLINE, LANE, Place, until};
use framelane::layout::{
    ConsumerPage, Hello, LaneHeader, LaneKind, Mode, StreamConfig, StreamHeader, StreamStart,
};
use framelane::{ErrorKind, RecordInfo, StreamReader, StreamReaderOptions, StreamWriterOptions};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};
use raw::impostor::{Goods, Impostor, Memory};
use raw::wire::hello;
use raw::{Attached, Line, refused};
use std::mem::offset_of;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use zerocopy::{FromZeros, IntoBytes};

#[test]
fn child_entry() {
    entry(&[("scribbler", scribbler)]);
}

const HEADER_AT: usize = size_of::<LaneHeader>();
const INDEX_AT: usize = HEADER_AT + size_of::<StreamHeader>();
const CAPACITY: usize = 16;
const CONFIGS_AT: usize = INDEX_AT + CAPACITY * size_of::<RecordInfo>();
const DATA_AT: usize = (CONFIGS_AT + 8 * size_of::<StreamConfig>()).next_multiple_of(4096);
const DATA: usize = 8192;
const BYTES: u64 = (DATA_AT + DATA) as u64;

/// What a writer hands out, believable until a test spoils it.
struct Stream {
    goods: Goods,
    header: StreamHeader,
}

impl Stream {
    fn new(mode: Mode) -> Self {
        let mut goods = Goods { lane: Memory::lane(BYTES), ..Goods::default() };
        let lane = &mut goods.header;
        lane.lane_kind = LaneKind::Stream.number();
        lane.total_bytes = BYTES;
        (lane.slots_offset, lane.payload_offset, lane.payload_stride) = (0, 0, 0);
        (lane.payload_bytes, lane.slot_count, lane.history) = (0, 0, 0);
        (lane.claims, lane.lease_budget) = (0, 0);
        (goods.page.leases, goods.welcome.leases) = (0, 0);
        goods.page.mode = mode.number();
        goods.page.cursor = 1.into();
        let mut header = StreamHeader::new_zeroed();
        header.index_offset = INDEX_AT as u64;
        header.configs_offset = CONFIGS_AT as u64;
        header.data_offset = DATA_AT as u64;
        header.data_bytes = DATA as u64;
        header.record_limit_bytes = DATA as u64 / 2;
        (header.index_capacity, header.config_capacity) = (CAPACITY as u32, 8);
        header.oldest = 1.into();
        Stream { goods, header }
    }

    fn entry(&self, entry: &RecordInfo) {
        let at = INDEX_AT + entry.sequence as usize % CAPACITY * size_of::<RecordInfo>();
        self.goods.lane.write(at, entry.as_bytes());
    }

    fn config(&self, id: u32, config: &StreamConfig) {
        let at = CONFIGS_AT + id as usize % 8 * size_of::<StreamConfig>();
        self.goods.lane.write(at, config.as_bytes());
    }

    fn head(&self, sequence: u64) {
        self.goods.lane.word(offset_of!(LaneHeader, head), sequence);
    }

    fn oldest(&self, sequence: u64) {
        self.goods.lane.word(HEADER_AT + offset_of!(StreamHeader, oldest), sequence);
    }
}

fn options(mode: Mode) -> StreamReaderOptions {
    StreamReaderOptions::new()
        .start(StreamStart::OldestKey)
        .lossless(mode == Mode::Lossless)
        .reattach(false)
}

/// Attaches to an impostor that hands this out.
fn attach(mut stream: Stream, mode: Mode) -> (framelane::Result<StreamReader>, Stream, Line) {
    let place = Place::new();
    let impostor = Impostor::new(&place);
    std::thread::scope(|scope| {
        let player = scope.spawn(move || {
            let line = impostor.accept();
            stream.goods.lane.write(HEADER_AT, stream.header.as_mut_bytes());
            stream.goods.serve(&line);
            (stream, line)
        });
        let opened = place.try_reader(options(mode));
        let (stream, line) = player.join().expect("the impostor plays its part");
        (opened, stream, line)
    })
}

const MODES: [Mode; 2] = [Mode::Ordered, Mode::Lossless];

fn honest(sequence: u64) -> RecordInfo {
    RecordInfo { sequence, size_bytes: 8, config_id: 1, flags: 1, ..RecordInfo::ZERO }
}

fn first_config() -> StreamConfig {
    StreamConfig { id: 1, ..StreamConfig::ZERO }
}

#[test]
fn a_header_with_an_impossible_value_is_refused_and_named() {
    type Lie = fn(&mut LaneHeader, &mut StreamHeader);
    let lies: [(&str, Lie); 17] = [
        ("magic", |h, _| h.magic ^= 1),
        ("epoch", |h, _| h.epoch = 0),
        ("total bytes", |h, _| h.total_bytes = BYTES + 1),
        ("lane kind", |h, _| h.lane_kind = LaneKind::Frame.number()),
        ("index capacity 0", |_, s| s.index_capacity = 0),
        ("index capacity 15", |_, s| s.index_capacity = 15),
        ("config capacity", |_, s| s.config_capacity = 0),
        ("data bytes", |_, s| s.data_bytes = u64::MAX - 7),
        ("data bytes", |_, s| s.data_bytes = 8191),
        ("record limit", |_, s| s.record_limit_bytes = DATA as u64 / 2 + 1),
        ("do not fit", |_, s| s.index_capacity = 1 << 31),
        ("do not fit", |_, s| s.index_offset = 0),
        ("do not fit", |_, s| s.index_offset = u64::MAX - 7),
        ("do not fit", |_, s| s.configs_offset += 1),
        ("do not fit", |_, s| s.configs_offset = BYTES),
        ("do not fit", |_, s| s.data_offset += 8),
        ("do not fit", |_, s| (s.data_bytes, s.record_limit_bytes) = (0, 0)),
    ];
    for (words, lie) in lies {
        let mut stream = Stream::new(Mode::Ordered);
        lie(&mut stream.goods.header, &mut stream.header);
        let error = refused(attach(stream, Mode::Ordered).0);
        assert_eq!(error.kind(), ErrorKind::Protocol, "{words}: {error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn believable_goods_are_taken_and_read() {
    for mode in MODES {
        let (opened, stream, _line) = attach(Stream::new(mode), mode);
        let mut reader = opened.unwrap();
        stream.config(1, &first_config());
        stream.entry(&honest(1));
        stream.goods.lane.write(DATA_AT, b"8 bytes.");
        stream.head(1);
        let record = reader.next(DEADLINE).unwrap().expect("the impostor's record");
        assert_eq!((record.sequence(), record.bytes()), (1, &b"8 bytes."[..]));
    }
}

#[test]
fn an_impossible_entry_or_config_is_told_once_and_passed_over() {
    type Lie = fn(&mut RecordInfo, &mut StreamConfig);
    let lies: [(&str, Lie); 12] = [
        ("entry 1", |e, _| e.sequence = 17),
        ("entry 1", |e, _| e.size_bytes = DATA as u32 / 2 + 1),
        ("entry 1", |e, _| e.size_bytes = u32::MAX),
        ("entry 1", |e, _| e.offset_bytes = 4),
        ("entry 1", |e, _| e.offset_bytes = u64::MAX),
        ("entry 1", |e, _| (e.offset_bytes, e.size_bytes) = (DATA as u64 - 8, 9)),
        ("entry 1", |e, _| e.key_distance = 1),
        ("entry 1", |e, _| (e.flags, e.key_distance) = (0, 1)),
        ("entry 1", |e, _| e.flags = 0),
        ("config 1", |_, c| c.id = 2),
        ("config 1", |_, c| c.parameter_bytes = 1857),
        ("config 1", |_, c| c.parameter_bytes = u32::MAX),
    ];
    for (mode, (words, lie)) in MODES.into_iter().flat_map(|mode| lies.map(|lie| (mode, lie))) {
        let (opened, stream, _line) = attach(Stream::new(mode), mode);
        let mut reader = opened.unwrap();
        let (mut entry, mut config) = (honest(1), first_config());
        lie(&mut entry, &mut config);
        stream.goods.lane.write(INDEX_AT + size_of::<RecordInfo>(), entry.as_bytes());
        stream.config(1, &config);
        stream.head(1);
        let error = refused(reader.next(DEADLINE));
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert!(reader.next(Duration::from_millis(3)).unwrap().is_none());
        stream.config(1, &first_config());
        stream.entry(&honest(2));
        stream.head(2);
        let record = reader.next(DEADLINE).unwrap().expect("a right record after a wrong one");
        assert_eq!(record.sequence(), 2);
    }
}

#[test]
fn heads_and_announcements_that_jump_lead_nowhere() {
    for mode in MODES {
        let (opened, stream, _line) = attach(Stream::new(mode), mode);
        let mut reader = opened.unwrap();
        stream.config(1, &first_config());
        let mut last = 0;
        for (head, oldest) in [
            (5, 9),
            (3, 0),
            (u64::MAX, 1),
            (u64::MAX, u64::MAX),
            (0, 0),
            (1 << 63, 7),
            (u64::MAX - 1, 0),
        ] {
            (1..=CAPACITY as u64).for_each(|sequence| stream.entry(&honest(sequence)));
            stream.oldest(oldest);
            stream.head(head);
            for _ in 0..40 {
                match reader.next(Duration::ZERO) {
                    Ok(Some(record)) => {
                        assert!(record.sequence() > last, "never back");
                        last = record.sequence();
                    }
                    Ok(None) => break,
                    Err(error) => {
                        let known = [ErrorKind::Lapped, ErrorKind::Protocol];
                        assert!(known.contains(&error.kind()), "{error}");
                    }
                }
            }
            let _ = reader.seek(StreamStart::NewestKey, Duration::ZERO);
            let _ = reader.seek(StreamStart::Next, Duration::ZERO);
            last = 0; // a seek may go back
        }
    }
}

#[test]
fn scribbling_over_the_whole_lane_crashes_and_hangs_nobody() {
    for mode in MODES {
        let (opened, stream, _line) = attach(Stream::new(mode), mode);
        let mut reader = opened.unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| scribble(&stream, &stop));
            let _stop = StopAtEnd(&stop); // also when an assertion fails
            let end = Instant::now() + Duration::from_millis(500);
            let mut records = 0;
            while Instant::now() < end {
                match reader.next(Duration::from_millis(2)) {
                    Ok(Some(record)) => {
                        records += 1;
                        assert!(record.bytes().len() <= DATA / 2);
                        std::hint::black_box(record.bytes().to_vec());
                    }
                    Ok(None) => drop(reader.seek(StreamStart::OldestKey, Duration::ZERO)),
                    Err(error) => {
                        let known = [ErrorKind::Lapped, ErrorKind::Protocol];
                        assert!(known.contains(&error.kind()), "{error}");
                    }
                }
            }
            println!("{mode:?}: {records} records of nonsense");
        });
    }
}

/// Ends the scribbling, or a failed assertion would wait for it for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

/// Random words everywhere, and now and then something believable.
fn scribble(stream: &Stream, stop: &AtomicBool) {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let mut next = || random.next_u64();
    while !stop.load(Relaxed) {
        for _ in 0..20 {
            let at = (next() % (BYTES / 8)) as usize * 8;
            // `closed` would end the reading.
            if at != offset_of!(LaneHeader, closed) / 8 * 8 {
                stream.goods.lane.word(at, next());
            }
        }
        let head = next() % 1000 + 1;
        for sequence in head.saturating_sub(5).max(1)..=head {
            let offset_bytes = next() % DATA as u64 / 2 / 8 * 8;
            let size_bytes = (next() % 3000) as u32;
            stream.entry(&RecordInfo { offset_bytes, size_bytes, ..honest(sequence) });
        }
        stream.config(1, &first_config());
        stream.oldest(head.saturating_sub(next() % 8));
        stream.head(head);
    }
}

fn stream_hello(mode: Mode) -> Hello {
    let mut hello = hello(LANE);
    (hello.leases, hello.wants_stream) = (0, 1);
    hello.mode = mode.number();
    hello.start = StreamStart::Next.number();
    hello
}

#[test]
fn a_hello_that_makes_no_sense_for_a_stream_is_refused() {
    type Lie = fn(&mut Hello);
    let lies: [(ErrorKind, Lie); 5] = [
        (ErrorKind::Unsupported, |h| h.mode = Mode::Latest.number()),
        (ErrorKind::Protocol, |h| h.leases = 1),
        (ErrorKind::Protocol, |h| h.start = 0),
        (ErrorKind::Protocol, |h| h.start = 77),
        (ErrorKind::Unsupported, |h| h.wants_stream = 0),
    ];
    let place = Place::new();
    let writer = place.writer(small());
    for (kind, lie) in lies {
        let mut hello = stream_hello(Mode::Ordered);
        lie(&mut hello);
        let line = Line::connect(place.path(), LANE);
        line.send(hello.as_bytes()).unwrap();
        let (refused, _) = line.message::<framelane::layout::Refused>();
        assert_eq!(refused.kind, kind.number());
    }
    assert_eq!(writer.readers(), 0);
}

/// Random bytes over the whole page, for ever.
fn scribbler(args: &[&str]) {
    let directory = std::env::var_os("FRAMELANE_DIR").expect("set for children");
    let mode = if args == ["lossless"] { Mode::Lossless } else { Mode::Ordered };
    let peer = Attached::with(directory.as_ref(), LANE, &stream_hello(mode));
    say("attached");
    let mut random = TestRng::deterministic_rng(RngAlgorithm::XorShift);
    let mut bytes = [0; size_of::<ConsumerPage>()];
    loop {
        random.fill_bytes(&mut bytes);
        peer.poke(0, &bytes);
    }
}

#[test]
fn random_bytes_all_over_a_page_cost_nobody_a_record() {
    for role in ["scribbler", "scribbler lossless"] {
        let place = Place::new();
        let writer = place.writer(small().lossless(true));
        let mut child = Child::start(&place, role);
        child.expect("attached");
        let options = StreamReaderOptions::new().start(StreamStart::Next).lossless(true);
        let mut reader = place.reader(options);
        let mut tale = Tale::of(&reader);
        for sequence in 1..=3000 {
            write(&writer, sequence);
            writer.key_frame_wanted();
            assert_eq!(tale.next(&mut reader).sequence(), sequence);
        }
        child.kill();
    }
}

#[test]
fn a_cursor_that_lies_disconnects_its_reader_by_name() {
    // Each after an honest step to 3: far ahead, one too many, one back, the start, all ones.
    for lie in [1 << 40, 5, 2, 0, u64::MAX] {
        let place = Place::new();
        let writer = place.writer(small().lossless(true));
        let peer = Attached::with(place.path(), LANE, &stream_hello(Mode::Lossless));
        write_all(&writer, 1..=2);
        peer.cursor(3);
        write(&writer, 3);
        peer.cursor(lie);
        // What finds it neither waits for it nor fails.
        for sequence in 4..200 {
            try_write(&writer, sequence, Duration::ZERO).unwrap();
        }
        let (kind, words) = peer.line.goodbye();
        assert_eq!(kind, ErrorKind::Protocol.number());
        assert!(words.starts_with("cursor ") && words.contains(" is outside 3..=4"), "{words}");
        until("it is gone", || writer.readers() == 0);
    }
}

#[test]
fn a_flood_of_wishes_is_one_wish() {
    let place = Place::new();
    let options = StreamWriterOptions::new(common::streams::video());
    let writer = place.writer(options.key_request_interval(Duration::ZERO));
    let peer = Attached::with(place.path(), LANE, &stream_hello(Mode::Ordered));
    let requests = offset_of!(ConsumerPage, key_frame_requests);
    for number in 1..=1000_u32 {
        peer.poke(requests, &number.to_ne_bytes());
        let _ = peer.line.send(&[framelane::layout::BellByte::KeyWanted.number()]);
    }
    assert!(writer.wait_key_frame_wanted(DEADLINE));
    writer.write(&info(true), &[b"key"]).unwrap();
    assert!(!writer.key_frame_wanted());
    assert_eq!(writer.report().stream.key_requests, 1);
}
