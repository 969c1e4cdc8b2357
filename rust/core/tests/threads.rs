//! One producer used by several threads: claims filled at once, published and dropped anywhere.

mod common;

use common::{DEADLINE, Place, until};
use framelane::{ConsumerOptions, ErrorKind, FrameMut, Mode, ProducerOptions};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::channel;

/// Fills a frame with one number.
fn paint(frame: &mut FrameMut, number: u64) {
    frame.descriptor_mut().capture_id = number;
    frame.payload_mut().chunks_exact_mut(8).for_each(|w| w.copy_from_slice(&number.to_ne_bytes()));
}

#[test]
fn threads_that_claim_fill_publish_and_abandon_at_once_tear_nothing() {
    const THREADS: u64 = 3;
    const FRAMES: u64 = 4000;
    let place = Place::new();
    let options = ProducerOptions::new().claims(2 * THREADS as u32).history(8).lease_budget(4);
    let producer = place.producer(options);
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Ordered).leases(2));
    let (published, done) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let (producer, published, done) = (&producer, &published, &done);
        let writers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    for number in 0..FRAMES {
                        let mut frame = producer.claim().expect("two claims a thread");
                        let other = producer.claim().expect("two claims a thread");
                        paint(&mut frame, number << 8 | thread);
                        frame.publish().unwrap();
                        published.fetch_add(1, Relaxed);
                        drop(other);
                    }
                })
            })
            .collect();
        scope.spawn(move || {
            let mut last = [None; THREADS as usize];
            while !done.load(Relaxed) {
                let Some(frame) = consumer.try_next().unwrap() else { continue };
                let number = frame.descriptor().capture_id;
                let bytes = frame.plane(0).unwrap();
                assert!(bytes.chunks_exact(8).all(|w| w == number.to_ne_bytes()), "torn");
                let (thread, number) = (number as u8 as usize, number >> 8);
                assert!(last[thread] < Some(number), "each thread's frames in their order");
                last[thread] = Some(number);
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Relaxed);
    });
    let report = producer.report();
    assert_eq!((report.published, report.abandoned), (THREADS * FRAMES, THREADS * FRAMES));
    assert_eq!((report.no_free_slot, report.claimed_slots), (0, 0));
}

#[test]
fn claims_end_on_other_threads_and_after_their_producer() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new().claims(3));
    let (give, take) = channel::<FrameMut>();
    let worker = std::thread::spawn(move || {
        let published = take.recv().unwrap().publish().unwrap();
        drop(take.recv().unwrap());
        let late = take.recv_timeout(DEADLINE).unwrap();
        // The sender goes once the producer is gone.
        while take.recv_timeout(DEADLINE).is_ok() {}
        (published, late.publish().map(drop))
    });
    (0..3).for_each(|_| give.send(producer.claim().unwrap()).unwrap());
    until("two are over", || producer.report().claimed_slots.count_ones() == 1);
    drop(producer);
    drop(give);
    let (published, late) = worker.join().unwrap();
    assert_eq!(published, 1);
    assert_eq!(late.unwrap_err().kind(), ErrorKind::Closed);
}
