//! A producer that dies or stops at each labelled step of claim, publish and revoke.

mod common;

use common::child::{await_word, entry, say};
use common::readers::{By, Reader, read_until_told};
use common::steps::{self, Role};
use common::{Child, DEADLINE, Place, assert_intact, create, fill, task};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, Mode, Producer, ProducerOptions};
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("producer", producer)]);
}

/// Publishes a frame every millisecond, or three at once, until it is killed.
fn producer(args: &[&str]) {
    let lossless = args.contains(&"lossless");
    let options = ProducerOptions::new().history(3).claims(3).lossless(lossless);
    let producer = create(options);
    say("made");
    await_word("go");
    let at_once = if args.contains(&"batches") { 3 } else { 1 };
    for round in 0.. {
        publish_batch(&producer, round * at_once + 1, at_once);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn publish_batch(producer: &Producer, first: u64, count: u64) {
    let claim = |sequence| {
        let mut frame = producer.claim_within(DEADLINE).unwrap();
        fill(&mut frame, producer.epoch(), sequence);
        frame
    };
    let frames = (first..first + count).map(claim).collect();
    assert_eq!(producer.publish_batch(frames).unwrap(), first + count - 1);
}

#[test]
fn killed_at_its_first_frame_while_everybody_sleeps() {
    for step in steps::of(Role::Producer) {
        kill_at(&step, 1, "producer");
    }
}

#[test]
fn killed_in_the_middle_of_the_stream() {
    for step in steps::of(Role::Producer) {
        kill_at(&step, 25, "producer lossless");
    }
}

#[test]
fn killed_within_a_batch() {
    for step in steps::of(Role::Producer) {
        kill_at(&step, 26, "producer lossless batches");
    }
}

fn kill_at(step: &str, round: u64, role: &str) {
    println!("{role} killed at {step}, time {round}");
    let place = Place::new();
    let lossless = role.contains("lossless");
    let mut first = Child::failing(&place, role, &format!("{step}:kill:{round}"));
    first.expect("made");
    let consumer = place.consumer(ConsumerOptions::new(Mode::Latest).reattach(false));
    let told = task("the sleeper", || read_until_told(consumer, Mode::Latest, By::Futex));
    let modes = [Mode::Latest, Mode::Ordered, if lossless { Mode::Lossless } else { Mode::Latest }];
    let readers: Vec<_> = std::iter::zip(modes, [By::Futex, By::Fd, By::Spin])
        .map(|(mode, by)| Reader { mode, by, restarts: 1, until: 5 }.start(&place))
        .collect();
    let mut holder = place.consumer(ConsumerOptions::new(Mode::Latest).leases(2));
    first.say("go");
    let held = hold(&mut holder, if round > 1 { 2 } else { 0 });
    first.expect_killed();
    assert!(told.join().last <= 3 * round);
    held.iter().for_each(assert_intact);

    let mut second = Child::start(&place, role);
    second.expect("made"); // the name is free at once
    second.say("go");
    for reader in readers {
        reader.join();
    }
    held.iter().for_each(assert_intact);
    drop(held);
    // What the first one published last is still read, then the second one's.
    for _ in 0..2 {
        let next = holder.next(DEADLINE).unwrap().expect("a frame");
        assert_intact(&next);
        if next.new_epoch() {
            return;
        }
    }
    panic!("the second producer is not found");
}

/// Takes so many frames and keeps them.
fn hold(consumer: &mut Consumer, frames: usize) -> Vec<Frame> {
    let next = || consumer.next(DEADLINE).unwrap().expect("a frame");
    std::iter::repeat_with(next).take(frames).collect()
}

#[test]
fn stopped_at_each_step_and_continued() {
    for step in steps::of(Role::Producer) {
        stop_at(&step);
    }
}

fn stop_at(step: &str) {
    println!("stopped at {step}");
    let place = Place::new();
    let mut child = Child::failing(&place, "producer lossless", &format!("{step}:stop:25"));
    child.expect("made");
    let modes = [Mode::Latest, Mode::Ordered, Mode::Lossless];
    let readers: Vec<_> = std::iter::zip(modes, [By::Futex, By::Fd, By::Spin])
        .map(|(mode, by)| Reader { mode, by, restarts: 0, until: 50 }.start(&place))
        .collect();
    let mut holder = place.consumer(ConsumerOptions::new(Mode::Latest).leases(3));
    child.say("go");
    let held = hold(&mut holder, 2);
    child.expect_stopped();

    held.iter().for_each(assert_intact);
    while let Some(frame) = holder.next(Duration::from_millis(5)).unwrap() {
        assert_intact(&frame);
    }
    assert!(!holder.wait(Duration::from_millis(5)).unwrap());
    assert!(holder.try_next().unwrap().is_none());
    let newest = holder.latest().unwrap().expect("the newest frame can be had again and again");
    assert_intact(&newest);
    assert!((24..=25).contains(&newest.sequence()), "{}", newest.sequence());
    drop(newest);
    let refused = place.try_producer(ProducerOptions::new()).map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
    let pid = child.pid.as_raw_nonzero().to_string();
    assert!(refused.to_string().contains(&pid), "{refused} names {pid}");

    child.signal(Signal::CONT);
    for reader in readers {
        assert_eq!(reader.join().restarts, 0, "a pause is no death");
    }
    held.iter().for_each(assert_intact);
    child.kill();
    held.iter().for_each(assert_intact);
}
