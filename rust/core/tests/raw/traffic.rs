//! A lane in use while something bad happens to it.

use crate::common::{DEADLINE, Order, Place, fill, until};
use framelane::{Consumer, ConsumerOptions, Mode, Producer, ProducerOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

/// A producer that publishes and an honest consumer that checks every byte, on threads of their
/// own.
pub struct Traffic {
    pub producer: Arc<Producer>,
    /// Two flags, because whoever waits for frames must end before whoever makes them.
    stop_reading: Arc<AtomicBool>,
    stop_publishing: Arc<AtomicBool>,
    published: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    pub fn start(place: &Place, options: ProducerOptions) -> Traffic {
        Self::paced(place, options, Duration::from_micros(500))
    }

    /// With a pause of `pause` between frames.
    pub fn paced(place: &Place, options: ProducerOptions, pause: Duration) -> Traffic {
        let producer = Arc::new(place.producer(options));
        let consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
        let mut traffic = Traffic {
            producer: producer.clone(),
            stop_reading: Arc::default(),
            stop_publishing: Arc::default(),
            published: Arc::default(),
            received: Arc::default(),
            threads: Vec::new(),
        };
        let (stop, published) = (traffic.stop_publishing.clone(), traffic.published.clone());
        traffic.threads.push(std::thread::spawn(move || {
            while !stop.load(Relaxed) {
                let mut frame = producer.claim().expect("a slot is always free");
                fill(&mut frame, producer.epoch(), published.load(Relaxed) + 1);
                frame.publish().unwrap();
                published.fetch_add(1, Relaxed);
                match pause.is_zero() {
                    true => std::thread::yield_now(),
                    false => std::thread::sleep(pause),
                }
            }
        }));
        let (stop, received) = (traffic.stop_reading.clone(), traffic.received.clone());
        traffic.threads.push(std::thread::spawn(move || read(consumer, &stop, &received)));
        traffic.still_flows();
        traffic
    }

    /// Frames still go out and still arrive.
    #[track_caller]
    pub fn still_flows(&self) {
        let (out, came) = (self.published.load(Relaxed), self.received.load(Relaxed));
        until("frames are published and arrive", || {
            self.threads.iter().for_each(|thread| assert!(!thread.is_finished(), "a side ended"));
            self.published.load(Relaxed) > out + 20 && self.received.load(Relaxed) > came + 5
        });
    }

    /// Ends the traffic, after a last look at it.
    #[track_caller]
    pub fn stop(mut self) {
        self.still_flows();
        for (stop, side) in [(&self.stop_reading, "reader"), (&self.stop_publishing, "publisher")] {
            stop.store(true, Relaxed);
            self.threads.pop().expect("two threads").join().expect(side);
        }
        assert_eq!(self.producer.report().no_free_slot, 0, "a claim never found the lane full");
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.stop_reading.store(true, Relaxed); // a failed test must not go on
        self.stop_publishing.store(true, Relaxed);
    }
}

fn read(mut consumer: Consumer, stop: &AtomicBool, received: &AtomicU64) {
    let mut order = Order::of(&consumer, Mode::Latest);
    while !stop.load(Relaxed) {
        let frame = consumer.next(DEADLINE).expect("no error").expect("a frame in time");
        order.see(&frame);
        assert_eq!(order.restarts, 0, "the connection was never lost");
        received.fetch_add(1, Relaxed);
    }
}
