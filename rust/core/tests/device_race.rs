//! Device frames under load: a device that overwrites each buffer the moment it has it back, and
//! readers that copy, hold on too long, and are recalled from.

mod common;
mod raw;

use common::child::{entry, say};
use common::{Child, DEADLINE, LANE, Place};
use framelane::layout::ErrorKind;
use framelane::{ConsumerOptions, Mode, Producer, ProducerOptions, Reclaim, monotonic_ns};
use raw::device::{describe, device_lane_of, memories};
use raw::impostor::Memory;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// Large enough for a copy to be overtaken in the middle.
const BYTES: usize = 128 << 10;
const BUFFERS: usize = 5;
const LEASE: Duration = Duration::from_millis(6);

#[test]
fn child_entry() {
    entry(&[("copier", copier)]);
}

/// A device whose buffers hold one number in every word, and are overwritten the moment they come
/// back.
struct Camera {
    bytes: usize,
    producer: Producer,
    buffers: Arc<Vec<Memory>>,
    free: Receiver<usize>,
    give_back: Sender<usize>,
    out: Arc<AtomicU64>,
}

impl Camera {
    fn new(place: &Place, options: ProducerOptions, bytes: usize) -> Self {
        let buffers = Arc::new(memories(BUFFERS, bytes as u64));
        let producer = device_lane_of(place, options, &buffers);
        let (give_back, free) = channel();
        (0..BUFFERS).for_each(|index| give_back.send(index).unwrap());
        Camera { bytes, producer, buffers, free, give_back, out: Default::default() }
    }

    /// The next buffer the device may fill; where all are out, asks for them.
    fn next_free(&self) -> usize {
        let end = Instant::now() + DEADLINE;
        loop {
            match self.free.recv_timeout(Duration::from_millis(2)) {
                Ok(index) => return index,
                Err(_) => self.producer.recall(),
            }
            self.producer.reclaim();
            assert!(Instant::now() < end, "no buffer comes back");
        }
    }

    /// Fills a buffer and publishes it.
    fn publish(&self, sequence: u64) {
        let index = self.next_free();
        self.buffers[index].write(0, &sequence.to_ne_bytes().repeat(self.bytes / 8));
        let (give_back, out) = (self.give_back.clone(), self.out.clone());
        let in_flight = out.fetch_add(1, Relaxed) + 1;
        assert!(in_flight <= BUFFERS as u64, "more frames than buffers");
        let (buffers, noise) = (self.buffers.clone(), vec![0xff; self.bytes]);
        let owner = Box::new(move |_| {
            buffers[index].write(0, &noise);
            out.fetch_sub(1, Relaxed);
            let _ = give_back.send(index);
        });
        let published = self.producer.publish_external(&describe(index, self.bytes as u64), owner);
        assert_eq!(published.unwrap(), sequence);
    }
}

/// Copies frames, sometimes after holding them too long; a copy that counts is whole. Says how
/// many counted and how many did not.
fn copier(args: &[&str]) {
    let until: u64 = args[0].parse().unwrap();
    let mut consumer = common::open(Mode::Latest, 2);
    say("attached");
    let mut copy = vec![0; BYTES];
    let (mut whole, mut revoked, mut last) = (0u64, 0u64, 0);
    while last < until {
        let Some(frame) = consumer.next(DEADLINE).unwrap() else { panic!("no frame in time") };
        last = frame.sequence();
        if last % 3 == 0 {
            // Starts its copy about when the frame is taken back.
            let end = frame.descriptor().valid_until_ns - 40_000;
            std::thread::sleep(Duration::from_nanos(end.saturating_sub(monotonic_ns())));
        }
        match frame.copy_to(0, &mut copy) {
            Ok(()) => {
                let wanted = last.to_ne_bytes();
                assert!(copy.chunks_exact(8).all(|word| word == wanted), "frame {last} is torn");
                whole += 1;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Revoked, "{error}");
                assert!(monotonic_ns() >= frame.descriptor().valid_until_ns, "not before its time");
                revoked += 1;
            }
        }
    }
    say(format_args!("{whole} {revoked}"));
}

#[test]
fn a_copy_that_counts_is_whole_whenever_its_frame_is_revoked() {
    const FRAMES: u64 = 500;
    let place = Place::new();
    let camera = Camera::new(&place, ProducerOptions::new().history(0).lease(LEASE), BYTES);
    let role = format!("copier {FRAMES}");
    let mut readers = [(); 2].map(|()| Child::start(&place, &role));
    readers.iter_mut().for_each(|reader| reader.expect("attached"));
    let (done, mut published) = (AtomicU64::new(0), 0);
    std::thread::scope(|scope| {
        let told = readers.each_mut().map(|reader| {
            scope.spawn(|| {
                let line = reader.line();
                done.fetch_add(1, Relaxed);
                line
            })
        });
        let end = Instant::now() + DEADLINE;
        while done.load(Relaxed) < 2 {
            published += 1;
            camera.publish(published);
            std::thread::sleep(Duration::from_millis(2));
            assert!(Instant::now() < end, "the readers do not get on");
        }
        for line in told.map(|thread| thread.join().unwrap()) {
            let counts: Vec<u64> = line.split(' ').map(|count| count.parse().unwrap()).collect();
            assert!(counts[0] > 0 && counts[1] > 0, "whole and revoked copies: {counts:?}");
            println!("{counts:?} of {published}");
        }
    });
    assert!(camera.producer.report().revoked > 0);
    drop(readers);
    let out = camera.out.clone();
    drop(camera);
    assert_eq!(out.load(Relaxed), 0, "every buffer came back");
}

/// A source that asks for its buffers all the time, and readers that borrow all the time: whoever
/// got a frame keeps it until its deadline.
#[test]
fn a_recall_takes_nothing_from_whoever_is_just_borrowing() {
    for reclaim in [Reclaim::Thread, Reclaim::Pump] {
        let place = Place::new();
        let options = ProducerOptions::new().history(0).lease(Duration::from_secs(60));
        let camera = Camera::new(&place, options.reclaim(reclaim), 64);
        let stop = AtomicBool::new(false);
        let borrowed = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
                let (stop, borrowed) = (&stop, &borrowed);
                scope.spawn(move || {
                    let mut word = [0; 64];
                    while !stop.load(Relaxed) {
                        let Some(frame) = consumer.try_next().unwrap() else { continue };
                        let copied = frame.copy_to(0, &mut word);
                        copied.expect("before its deadline no frame is taken back");
                        frame.release().expect("nor while it is held");
                        borrowed.fetch_add(1, Relaxed);
                    }
                });
            }
            let end = Instant::now() + DEADLINE;
            for sequence in 1.. {
                camera.publish(sequence);
                // Somewhere between a reader's look at the head and its look at the state; now and
                // then later, so that readers without a processor of their own get on too.
                match sequence % 8 {
                    0 => std::thread::sleep(Duration::from_micros(300)),
                    _ => (0..sequence % 97 * 8).for_each(|_| std::hint::spin_loop()),
                }
                camera.producer.recall();
                camera.producer.reclaim();
                if borrowed.load(Relaxed) >= 300 || Instant::now() > end {
                    break;
                }
            }
            stop.store(true, Relaxed);
        });
        assert!(borrowed.load(Relaxed) >= 300, "the readers get on");
        let report = camera.producer.report();
        assert_eq!((report.revoked, report.no_free_slot), (0, 0));
        assert_eq!(framelane::query(LANE, Some(place.path()), DEADLINE).unwrap().revoked, 0);
    }
}
