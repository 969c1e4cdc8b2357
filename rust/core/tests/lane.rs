//! A lane within one process: modes, leases, batches, limits, closing.

use framelane::{
    Consumer, ConsumerOptions, ErrorKind, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use std::path::PathBuf;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> Option<PathBuf> {
        Some(self.0.path().to_owned())
    }
    fn producer(&self, options: ProducerOptions) -> Producer {
        let layout = FrameLayout::new(PixelFormat::Grey, 64, 4).unwrap();
        Producer::create("lane", options.layout(layout).directory(self.path())).unwrap()
    }
    fn consumer(&self, mode: Mode) -> Consumer {
        self.try_consumer(ConsumerOptions::new(mode)).unwrap()
    }
    fn try_consumer(&self, options: ConsumerOptions) -> framelane::Result<Consumer> {
        Consumer::open("lane", options.directory(self.path()))
    }
}

fn publish(producer: &Producer, value: u8) -> u64 {
    let mut frame = producer.claim().unwrap();
    frame.payload_mut().fill(value);
    frame.publish().unwrap()
}

#[test]
fn latest_skips_to_the_newest_and_counts_what_it_skipped() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(Mode::Latest);
    assert!(consumer.try_next().unwrap().is_none());
    for value in 1..=5 {
        publish(&producer, value);
    }
    let frame = consumer.try_next().unwrap().unwrap();
    assert_eq!((frame.sequence(), frame.missed()), (5, 0), "nothing is missed before joining");
    assert!(frame.plane(0).unwrap().iter().all(|&byte| byte == 5));
    drop(frame);
    assert!(consumer.try_next().unwrap().is_none(), "a frame is delivered once");
    assert_eq!(consumer.latest().unwrap().unwrap().sequence(), 5, "but can be asked for again");
    for value in 6..=9 {
        publish(&producer, value);
    }
    let frame = consumer.next(SOON).unwrap().unwrap();
    assert_eq!((frame.sequence(), frame.missed()), (9, 3));
    assert_eq!((consumer.received(), consumer.missed()), (2, 3));
}

#[test]
fn ordered_reaches_exactly_the_newest_one_plus_history() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().history(3));
    let mut consumer = place.consumer(Mode::Ordered);
    for value in 1..=10 {
        publish(&producer, value);
    }
    let mut seen = Vec::new();
    while let Some(frame) = consumer.try_next().unwrap() {
        seen.push(frame.sequence());
    }
    assert_eq!(seen, [7, 8, 9, 10]);
    for value in 11..=16 {
        publish(&producer, value);
    }
    let frame = consumer.try_next().unwrap().unwrap();
    assert_eq!((frame.sequence(), frame.missed()), (13, 2));
}

#[test]
fn a_held_frame_keeps_its_bytes_while_the_ring_turns() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(2));
    let mut consumer = place.try_consumer(ConsumerOptions::new(Mode::Latest).leases(2)).unwrap();
    publish(&producer, 77);
    let held = consumer.next(SOON).unwrap().unwrap();
    for value in 0..200 {
        publish(&producer, value);
    }
    assert!(held.plane(0).unwrap().iter().all(|&byte| byte == 77));
    assert!(held.check(), "inline frames are never revoked");
    let second = consumer.next(SOON).unwrap().unwrap();
    let error = consumer.latest().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LeasesInUse, "{error}");
    drop((held, second));
    assert!(consumer.latest().unwrap().is_some());
}

#[test]
fn lossless_delivers_everything_and_the_claim_names_who_is_late() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lossless(true));
    let mut consumer = place.consumer(Mode::Lossless);
    publish(&producer, 1);
    publish(&producer, 2);
    let error = producer.claim().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoFreeSlot);
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    let reader = std::thread::spawn(move || {
        for expected in 1..=1000 {
            let frame = consumer.next(SOON).unwrap().expect("a frame within the deadline");
            assert_eq!((frame.sequence(), frame.missed()), (expected, 0));
            assert_eq!(frame.plane(0).unwrap()[0], expected as u8);
        }
    });
    for value in 3..=1000u32 {
        let mut frame = producer.claim_within(SOON).unwrap();
        frame.payload_mut().fill(value as u8);
        frame.publish().unwrap();
    }
    reader.join().unwrap();
}

#[test]
fn a_batch_is_published_with_its_last_sequence() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().claims(3).history(3));
    let mut consumer = place.consumer(Mode::Ordered);
    let frames: Vec<_> = (0..3).map(|_| producer.claim().unwrap()).collect();
    assert_eq!(producer.claim().map(|_| ()).unwrap_err().kind(), ErrorKind::NoFreeSlot);
    assert_eq!(producer.publish_batch(frames).unwrap(), 3);
    let seen: Vec<u64> =
        std::iter::from_fn(|| consumer.try_next().unwrap()).map(|f| f.sequence()).collect();
    assert_eq!(seen, [1, 2, 3]);
    assert!(producer.publish_batch(Vec::new()).is_err());
}

#[test]
fn the_budget_is_kept_and_given_back() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().lease_budget(2));
    let first = place.consumer(Mode::Latest);
    let _second = place.consumer(Mode::Latest);
    let error = place.try_consumer(ConsumerOptions::new(Mode::Latest)).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoLeases);
    assert!(error.to_string().contains("5 slots = 2 leases"), "{error}");
    drop(first);
    let options = ConsumerOptions::new(Mode::Latest);
    let deadline = std::time::Instant::now() + SOON;
    while place.try_consumer(options.clone()).is_err() {
        assert!(std::time::Instant::now() < deadline, "the lease came back");
    }
    assert_eq!(producer.report().lease_budget, 2);
}

#[test]
fn an_abandoned_claim_is_free_again() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    drop(producer.claim().unwrap());
    producer.claim().unwrap().abandon();
    assert_eq!(publish(&producer, 1), 1, "a sequence is given at publish");
    assert_eq!(producer.report().abandoned, 2);
}

#[test]
fn closing_tells_sleepers_and_keeps_held_frames() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer =
        place.try_consumer(ConsumerOptions::new(Mode::Latest).reattach(false)).unwrap();
    publish(&producer, 9);
    let held = consumer.next(SOON).unwrap().unwrap();
    let sleeper = std::thread::spawn(move || consumer.next(SOON).map(|f| f.is_some()));
    std::thread::sleep(Duration::from_millis(20));
    drop(producer);
    let error = sleeper.join().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(held.check() && held.plane(0).unwrap().iter().all(|&byte| byte == 9));
}

#[test]
fn a_closer_wakes_its_sleeper() {
    let place = Place::new();
    let _producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(Mode::Latest);
    let closer = consumer.closer();
    let sleeper = std::thread::spawn(move || consumer.next(SOON).map(|f| f.is_some()));
    std::thread::sleep(Duration::from_millis(20));
    closer.close();
    assert_eq!(sleeper.join().unwrap().unwrap_err().kind(), ErrorKind::Closed);
}

#[test]
fn a_restarted_producer_is_found_and_announced() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(Mode::Latest);
    publish(&producer, 1);
    let old = consumer.next(SOON).unwrap().unwrap();
    assert!(!old.new_epoch());
    drop(producer);
    let producer = place.producer(ProducerOptions::new());
    publish(&producer, 2);
    let new = consumer.next(SOON).unwrap().expect("the new producer's frame");
    assert!(new.new_epoch());
    assert_eq!((new.sequence(), new.plane(0).unwrap()[0]), (1, 2));
    assert_ne!(new.epoch(), old.epoch());
    assert_eq!(old.plane(0).unwrap()[0], 1, "the old epoch's frame stays");
}

#[test]
fn names_and_second_producers_are_refused() {
    let place = Place::new();
    let layout = FrameLayout::new(PixelFormat::Grey, 8, 8).unwrap();
    let create = |name: &str| {
        let options = ProducerOptions::new().layout(layout).directory(place.path());
        Producer::create(name, options).map(|_| ())
    };
    for length in [62, 63, 64] {
        create(&"x".repeat(length)).unwrap();
    }
    assert_eq!(create(&"x".repeat(65)).unwrap_err().kind(), ErrorKind::InvalidName);
    let _first = place.producer(ProducerOptions::new());
    let error = create("lane").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
    let missing =
        Consumer::open("nobody", ConsumerOptions::new(Mode::Latest).directory(place.path()));
    let error = missing.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains(place.0.path().to_str().unwrap()), "{error}");
}

#[test]
fn more_memory_than_there_is_is_an_error_with_the_sizes() {
    let place = Place::new();
    let options = ProducerOptions::new().payload_bytes(1 << 44).directory(place.path());
    let error = Producer::create("lane", options).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
    assert!(error.to_string().contains("needs 193514046533632 bytes"), "{error}");
    let options = ProducerOptions::new().payload_bytes(u64::MAX).directory(place.path());
    let error = Producer::create("lane", options).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error}");
}

#[test]
fn the_descriptor_wakes_a_poller() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(Mode::Ordered);
    consumer.fd();
    assert!(consumer.try_next().unwrap().is_none());
    let thread = std::thread::spawn(move || {
        for value in 0..200 {
            publish(&producer, value);
            std::thread::sleep(Duration::from_micros(300));
        }
        producer
    });
    let mut last = 0;
    while last < 200 {
        while let Some(frame) = consumer.try_next().unwrap() {
            assert!(frame.sequence() > last);
            last = frame.sequence();
        }
        if last == 200 {
            break;
        }
        let fd = consumer.fd();
        let mut polled = [PollFd::new(&fd, PollFlags::IN)];
        let ready = poll(&mut polled, Some(&Timespec { tv_sec: 10, tv_nsec: 0 })).unwrap();
        assert_eq!(ready, 1, "woken within the deadline, last frame {last}");
    }
    drop(thread.join().unwrap());
}

#[test]
fn ready_arms_the_descriptor_and_takes_nothing() {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(Mode::Ordered);
    let readable = |consumer: &mut Consumer| {
        let fd = consumer.fd();
        poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&Timespec::default())).unwrap() == 1
    };
    for value in 1..=20 {
        readable(&mut consumer);
        assert!(!consumer.ready().unwrap());
        assert!(!readable(&mut consumer), "it is drained");
        publish(&producer, value);
        assert!(readable(&mut consumer), "it was armed");
        assert!(consumer.ready().unwrap() && consumer.ready().unwrap());
        assert_eq!(consumer.received(), u64::from(value) - 1);
        assert_eq!(consumer.try_next().unwrap().unwrap().sequence(), u64::from(value));
    }
    consumer.closer().close();
    assert_eq!(consumer.ready().unwrap_err().kind(), ErrorKind::Closed);
}
