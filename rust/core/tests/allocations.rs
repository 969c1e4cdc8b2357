//! What is allocated for each frame and each record: nothing.
#![allow(unsafe_code, reason = "an allocator that counts")]

mod common;

use common::streams::{raw, video};
use common::{DEADLINE, Place};
use framelane::{
    ConsumerOptions, Mode, ProducerOptions, StreamReaderOptions, StreamStart, StreamWriter,
    StreamWriterOptions,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // Late in the life of a thread there is nothing to count.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: everything is done by the system's allocator; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the rules of the same call.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread while `body` runs.
fn allocations(body: impl FnOnce()) -> u64 {
    let before = COUNT.get();
    body();
    COUNT.get() - before
}

#[test]
fn allocations_are_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![0; 1 << 20]))), 1);
}

#[test]
fn a_frame_allocates_nothing() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    let mut turn = || {
        producer.claim().unwrap().publish().unwrap();
        let frame = consumer.next(DEADLINE).unwrap().expect("a frame waits");
        assert!(!frame.plane(0).unwrap().is_empty());
        frame.release().unwrap();
    };
    turn();
    assert_eq!(allocations(|| (0..100).for_each(|_| turn())), 0);
}

/// Allocations of a reader of records of changing sizes, two of them in hand at a time.
fn of_records(lossless: bool) -> u64 {
    let place = Place::new();
    let options = StreamWriterOptions::new(video()).data_bytes(4 << 20).lossless(true);
    let writer: StreamWriter = place.writer(options);
    let options = StreamReaderOptions::new().start(StreamStart::OldestKey).lossless(lossless);
    let mut reader = place.reader(options);
    let bytes = vec![7; 300_000];
    let mut turn = |size: usize| {
        let sizes = [size, size / 10];
        for size in sizes {
            writer.write(&raw(true), &[&bytes[..size]]).unwrap();
        }
        allocations(|| {
            let records = sizes.map(|_| reader.next(DEADLINE).unwrap().expect("a record waits"));
            assert_eq!(records.each_ref().map(|record| record.bytes().len()), sizes);
        })
    };
    assert!(turn(bytes.len()) > 0, "the config, at least");
    turn(bytes.len());
    (0..100).map(|round| turn(200_000 + round * 1000)).sum()
}

#[test]
fn a_record_that_is_read_in_place_allocates_nothing() {
    assert_eq!(of_records(true), 0);
}

#[test]
fn a_record_that_is_copied_allocates_nothing_once_the_largest_has_come() {
    assert_eq!(of_records(false), 0);
}
