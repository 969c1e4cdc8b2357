//! Frames in hb_mem through a lane: readers in other processes see them in place.

mod common;

use common::{Board, DEADLINE, Role, board, entry, hear, say};
use framelane::layout::FrameFlag;
use framelane::{
    Consumer, ConsumerOptions, Frame, FrameDescriptor, MemoryKind, Mode, Producer, ProducerOptions,
};
use framelane_hobot::{Format, GraphicBuffer, Memory, Picture, describe_picture, usage};
use framelane_standin_ion::Fault;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::{Duration, Instant};

const READ: i64 = usage::CPU_READ_OFTEN;
const VIO: i64 = READ | usage::CPU_WRITE_OFTEN | usage::CACHED | usage::GRAPHIC_CONTIGUOUS;
const LANE: &str = "camera";

#[test]
fn child_entry() {
    entry(&[("reader", reader)]);
}

/// Reads as it is told.
fn reader() {
    framelane_hobot::register();
    let options = ConsumerOptions::new(Mode::Latest).leases(3).wait_for_lane(DEADLINE);
    let mut consumer = match Consumer::open(LANE, options) {
        Ok(consumer) => consumer,
        Err(error) => return say(format!("{}: {error}", error.kind().name())),
    };
    say("attached");
    let mut held: Vec<Frame> = Vec::new();
    while let Some(order) = hear() {
        match order.as_str() {
            "next" => match consumer.next(DEADLINE) {
                Ok(Some(frame)) => {
                    say(content(&frame));
                    held.push(frame);
                }
                other => say(format!("{:?}", other.map(|frame| frame.is_some()))),
            },
            "check" => say(held.last().is_some_and(Frame::check)),
            "starve" => say(limit_descriptors(0)),
            "feed" => say(limit_descriptors(1024)),
            "rights" => say(rights(held.last().unwrap())),
            "release" => {
                let released = held.pop().unwrap().release();
                say(released.map_or_else(|error| error.to_string(), |()| "released".into()));
            }
            other => panic!("{other}"),
        }
    }
}

/// What a frame shows: its number and the first byte of each plane.
fn content(frame: &Frame) -> String {
    let mut words = vec![frame.sequence().to_string()];
    for index in 0..frame.plane_count() {
        let size = frame.descriptor().planes[index].size_bytes as usize;
        let mut copy = vec![0; size];
        match frame.copy_to(index, &mut copy) {
            Ok(()) if copy.iter().all(|byte| *byte == copy[0]) => words.push(copy[0].to_string()),
            Ok(()) => words.push("torn".into()),
            Err(error) => return error.to_string(),
        }
    }
    words.join(" ")
}

/// So many descriptors can be had from now on, those that are open included.
fn limit_descriptors(count: u64) -> &'static str {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum }).unwrap();
    "so be it"
}

fn rights(frame: &Frame) -> String {
    let address = frame.revocable_plane(0).unwrap().address as usize;
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.starts_with(&format!("{address:x}-")));
    line.unwrap().split(' ').nth(1).unwrap().to_owned()
}

/// A producer with a ring of buffers, and a place for its lanes.
struct Camera {
    lanes: tempfile::TempDir,
    memory: Memory,
    lease: Duration,
    ring: Vec<GraphicBuffer>,
    producer: Option<Producer>,
}

impl Camera {
    fn new(flags: i64) -> Self {
        Self::with_lease(flags, DEADLINE)
    }

    fn with_lease(flags: i64, lease: Duration) -> Self {
        let memory = Memory::open(Some(&common::folder())).unwrap();
        let lanes = tempfile::tempdir().unwrap();
        let mut camera = Camera { lanes, memory, lease, ring: Vec::new(), producer: None };
        camera.ring = (0..3).map(|_| camera.buffer(flags)).collect();
        camera.start();
        camera
    }

    fn buffer(&self, flags: i64) -> GraphicBuffer {
        let (width, height, format) = (64, 32, Format::NV12);
        let picture = Picture { width, height, format, flags, stride: 0, vstride: 0 };
        self.memory.alloc_graphic(&picture).unwrap()
    }

    /// A new epoch of the lane.
    fn start(&mut self) {
        drop(self.producer.take());
        let options = ProducerOptions::new().memory(MemoryKind::HbMem).history(0);
        let place = Some(self.lanes.path().to_owned());
        let options = options.lease(self.lease).directory(place);
        self.producer = Some(Producer::create(LANE, options).unwrap());
    }

    fn reader(&self, board: &Board) -> Role {
        let reader = self.shy_reader(board);
        assert_eq!(reader.line(), "attached");
        reader
    }

    fn shy_reader(&self, board: &Board) -> Role {
        let place = self.lanes.path().to_str().unwrap().to_owned();
        board.start_with("reader", &[("FRAMELANE_DIR", place)])
    }

    /// The hardware fills a buffer of the ring with one number, and it is published.
    fn publish(&self, board: &Board, index: usize, value: u8) -> FrameDescriptor {
        let buffer = &self.ring[index];
        fill(board, buffer, value);
        let descriptor = describe_picture(buffer.raw()).unwrap();
        self.publish_described(&descriptor);
        descriptor
    }

    fn publish_described(&self, descriptor: &FrameDescriptor) {
        let producer = self.producer.as_ref().unwrap();
        producer.publish_external(descriptor, Box::new(|_| ())).unwrap();
    }
}

/// What hardware does to a buffer, of one part or of one for each plane.
fn fill(board: &Board, buffer: &GraphicBuffer, value: u8) {
    let raw = buffer.raw();
    let (contiguous, ion) = (raw.is_contig == 1, board.place.ion());
    for plane in 0..2 {
        let (id, at) = if contiguous {
            (raw.share_id[0], plane as u64 * raw.size[0])
        } else {
            (raw.share_id[plane], 0)
        };
        let bytes = vec![value + plane as u8; raw.size[plane] as usize];
        ion.hardware_writes(id, at, &bytes).unwrap();
    }
}

fn ask(reader: &mut Role, order: &str) -> String {
    reader.say(order);
    reader.line()
}

fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn readers_see_each_frame_fresh_in_place_and_cannot_write() {
    let board = board();
    for flags in [VIO, READ | usage::CPU_WRITE_OFTEN, READ | usage::CACHED] {
        let camera = Camera::new(flags);
        let mut reader = camera.reader(&board);
        for round in 0..12 {
            let value = 3 * round as u8 + 1;
            let descriptor = camera.publish(&board, round % 3, value);
            let cached = descriptor.flags & FrameFlag::CPU_CACHED != 0;
            assert_eq!(cached, flags & usage::CACHED != 0);
            let seen = ask(&mut reader, "next");
            assert_eq!(seen, format!("{} {value} {}", round + 1, value + 1), "{flags:#x}");
            assert_eq!(ask(&mut reader, "rights"), "r--s");
            assert_eq!(ask(&mut reader, "release"), "released");
        }
        let id = camera.ring[0].raw().share_id[0];
        assert_eq!(board.counts(id), (2, 0), "imported once, not for each frame");
        reader.ends_well();
        assert_eq!(board.counts(id), (1, 0));
    }
}

#[test]
fn imports_are_given_up_with_the_epoch_and_a_reused_id_shows_the_new_buffer() {
    let board = board();
    let mut camera = Camera::new(VIO);
    let mut reader = camera.reader(&board);
    camera.publish(&board, 0, 10);
    assert_eq!(ask(&mut reader, "next"), "1 10 11");
    assert_eq!(ask(&mut reader, "release"), "released");
    let old = camera.ring[0].raw().share_id[0];
    assert_eq!(board.counts(old).0, 2);
    camera.producer = None;
    camera.ring.clear();
    camera.ring = vec![camera.buffer(VIO)];
    camera.start();
    camera.publish(&board, 0, 20);
    assert_eq!(ask(&mut reader, "next"), "1 20 21");
    let new = camera.ring[0].raw().share_id[0];
    until("the old buffers are gone", || board.ids() == [new]);
    reader.ends_well();
}

#[test]
fn a_frame_whose_id_names_another_buffer_by_now_is_refused_and_the_next_is_read() {
    let board = board();
    let mut camera = Camera::new(VIO);
    let mut reader = camera.reader(&board);
    let stale = describe_picture(camera.ring[0].raw()).unwrap();
    drop(camera.ring.remove(0));
    let other = camera.buffer(VIO);
    assert_eq!(other.raw().share_id[0], stale.planes[0].share_id, "the id is given again");
    camera.publish_described(&stale);
    let id = stale.planes[0].share_id;
    let words =
        format!("importing buffer {id}: hb_mem_import_graph_buf: INVALID_PARAMS (-16777214)");
    assert_eq!(ask(&mut reader, "next"), words);
    ask(&mut reader, "release");
    camera.publish(&board, 0, 5);
    assert_eq!(ask(&mut reader, "next"), "2 5 6");
    reader.ends_well();
}

#[test]
fn a_buffer_that_is_not_what_it_was_is_imported_again() {
    let board = board();
    let camera = Camera::new(VIO);
    let mut reader = camera.reader(&board);
    camera.publish(&board, 0, 1);
    assert_eq!(ask(&mut reader, "next"), "1 1 2");
    ask(&mut reader, "release");
    let failing = Fault::of("hb_mem_invalidate_buf_with_vaddr", -16_777_212);
    board.place.ion().plan(failing.in_process(reader.pid())).unwrap();
    camera.publish(&board, 0, 3);
    assert_eq!(ask(&mut reader, "next"), "2 3 4");
    let id = camera.ring[0].raw().share_id[0];
    assert_eq!(board.counts(id).0, 2);
    reader.ends_well();
}

#[test]
fn a_reader_that_imports_slowly_past_the_lease_is_told_that_its_frame_was_taken_back() {
    let board = board();
    let camera = Camera::with_lease(VIO, Duration::from_secs(1));
    let mut reader = camera.reader(&board);
    let slow = Fault::of("hb_mem_import_graph_buf", 0).delay_ms(2500);
    board.place.ion().plan(slow.in_process(reader.pid())).unwrap();
    camera.publish(&board, 0, 1);
    assert_eq!(
        ask(&mut reader, "next"),
        "frame 1 of lane \"camera\" was taken back at its deadline"
    );
    assert_eq!(ask(&mut reader, "check"), "false");
    camera.publish(&board, 1, 7);
    assert_eq!(ask(&mut reader, "next"), "2 7 8");
    reader.ends_well();
}

#[test]
fn a_reader_without_a_descriptor_left_is_told_so_and_reads_on_when_it_has_one() {
    let board = board();
    let camera = Camera::new(VIO);
    let mut reader = camera.reader(&board);
    ask(&mut reader, "starve");
    camera.publish(&board, 0, 1);
    let id = camera.ring[0].raw().share_id[0];
    let words = format!("importing buffer {id}: hb_mem_import_graph_buf: TOO_MANY_FD (-16777210)");
    assert_eq!(ask(&mut reader, "next"), words);
    ask(&mut reader, "release");
    assert_eq!(board.counts(id), (1, 0), "what failed holds nothing");
    ask(&mut reader, "feed");
    camera.publish(&board, 0, 5);
    assert_eq!(ask(&mut reader, "next"), "2 5 6");
    reader.ends_well();
}

#[test]
fn a_killed_reader_holds_nothing() {
    let board = board();
    let camera = Camera::new(VIO);
    let mut reader = camera.reader(&board);
    camera.publish(&board, 0, 1);
    ask(&mut reader, "next");
    reader.kill();
    assert_eq!(board.counts(camera.ring[0].raw().share_id[0]), (1, 0));
}

#[test]
fn a_reader_on_a_machine_without_the_library_is_told_so() {
    let board = board();
    let camera = Camera::new(VIO);
    let nowhere = tempfile::tempdir().unwrap();
    let place = camera.lanes.path().to_str().unwrap().to_owned();
    let nowhere = nowhere.path().to_str().unwrap().to_owned();
    let places = [("FRAMELANE_DIR", place), ("FRAMELANE_HOBOT_DIR", nowhere)];
    let reader = board.start_with("reader", &places);
    let line = reader.line();
    assert!(line.starts_with("unsupported: attaching to lane"), "{line}");
    assert!(line.contains("libhbmem.so.1 cannot be loaded"), "{line}");
    reader.ends_well();
}
