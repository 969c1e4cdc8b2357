//! Waiting on a device lane whose newest frame cannot be had: readers sleep until there is another
//! one, in each way of waiting, and hear of it at once.

mod common;
mod raw;

use common::{DEADLINE, Place, task};
use framelane::{Consumer, ConsumerOptions, Mode, Producer, ProducerOptions};
use raw::device::{Book, device_lane};
use raw::latest;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::Duration;

/// How long a reader is watched.
const WATCHED: Duration = Duration::from_millis(600);

/// What this thread has used: processor time, and how often it went to sleep.
fn used() -> (Duration, u64) {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let nanoseconds = stat.split(' ').next().unwrap().parse().unwrap();
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    (Duration::from_nanos(nanoseconds), line.unwrap().trim().parse().unwrap())
}

/// Asserts that `wait` lasts its time, mostly asleep.
fn sleeps(what: &str, wait: impl FnOnce()) {
    let begun = std::time::Instant::now();
    let before = used();
    wait();
    let after = used();
    assert!(begun.elapsed() >= WATCHED, "{what}: it came back early");
    let (cpu, sleeps) = (after.0 - before.0, after.1 - before.1);
    assert!(cpu < WATCHED / 4, "{what}: {cpu:?} of {WATCHED:?} on the processor");
    // One slice of a futex sleep is 50 ms.
    assert!(sleeps < 100, "{what}: woken {sleeps} times");
}

/// Polls the reader's descriptor for the whole time, as an event loop would.
fn poll_for_nothing(reader: &mut Consumer) {
    let end = std::time::Instant::now() + WATCHED;
    while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
        assert!(reader.try_next().unwrap().is_none(), "there is nothing to read");
        let fd = reader.fd();
        let left = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&left)).unwrap();
    }
}

/// Ways to make the newest frame one that nobody can borrow.
type Spoil = fn(&Producer, &Book, &mut Consumer);

const SPOILS: [(&str, Spoil); 3] = [
    ("revoked", |producer, book, holder| {
        let frame = holder.next(DEADLINE).unwrap().expect("a frame");
        assert!(book.wait_for(frame.sequence()).revoked);
        assert_eq!(producer.report().revoked, 1);
    }),
    ("recalled", |producer, book, _| {
        producer.recall();
        assert!(!book.wait_for(1).revoked);
    }),
    ("past its deadline", |_, _, _| std::thread::sleep(Duration::from_millis(60))),
];

fn each_spoilt(watch: impl Fn(&str, &Producer, &Book, Consumer)) {
    for (what, spoil) in SPOILS {
        for mode in [Mode::Latest, Mode::Ordered] {
            let place = Place::new();
            let options = ProducerOptions::new().history(0).lease(Duration::from_millis(40));
            let producer = device_lane(&place, options, 3);
            let book = Book::default();
            let mut holder = latest(&place);
            let reader = place.consumer(ConsumerOptions::new(mode));
            book.publish(&producer, 0);
            spoil(&producer, &book, &mut holder);
            watch(&format!("{mode:?}, {what}"), &producer, &book, reader);
        }
    }
}

#[test]
fn a_blocked_reader_sleeps_and_wakes_with_the_next_frame() {
    each_spoilt(|what, producer, book, mut reader| {
        sleeps(what, || assert!(reader.next(WATCHED).unwrap().is_none()));
        let sleeper = task("the sleeper", move || reader.next(DEADLINE).unwrap().is_some());
        std::thread::sleep(Duration::from_millis(10));
        book.publish(producer, 1);
        assert!(sleeper.join(), "{what}: woken by the next frame");
    });
}

#[test]
fn a_polling_reader_sleeps_and_is_rung_for_the_next_frame() {
    each_spoilt(|what, producer, book, mut reader| {
        reader.fd();
        sleeps(what, || poll_for_nothing(&mut reader));
        assert!(reader.try_next().unwrap().is_none());
        book.publish(producer, 1);
        common::readers::poll_fd(&mut reader);
        let frame = reader.try_next().unwrap().expect("what it was rung for");
        assert_eq!(frame.sequence(), 2, "{what}");
    });
}
