//! Stops and deaths at any instruction, of everybody, for a while.

mod common;

use common::child::{entry, hear, say};
use common::readers::{self, By};
use common::{Child, DEADLINE, LANE, Order, Place, assert_intact, create, fill, open, task, until};
use framelane::{Mode, ProducerOptions};
use rustix::process::Signal;
use std::collections::VecDeque;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("producer", producer), ("reader", reader)]);
}

/// Publishes, one by one or three at once, until it is killed.
fn producer(_args: &[&str]) {
    let options = ProducerOptions::new().lossless(true).history(4).claims(3).lease_budget(16);
    let producer = create(options);
    say("made");
    let mut sequence = 0;
    for round in 0u64.. {
        let mut batch = Vec::new();
        for _ in 0..if round % 5 == 0 { 3 } else { 1 } {
            sequence += 1;
            let mut frame = producer.claim_within(DEADLINE).unwrap();
            fill(&mut frame, producer.epoch(), sequence);
            batch.push(frame);
        }
        assert_eq!(producer.publish_batch(batch).unwrap(), sequence);
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Reads and holds, checks all of it, and says at the end how much it was.
fn reader(args: &[&str]) {
    let mode = *Mode::ALL.iter().find(|mode| mode.name() == args[0]).unwrap();
    let by = [By::Futex, By::Fd, By::Spin][args[1].parse::<usize>().unwrap()];
    let mut consumer = open(mode, 3);
    let mut order = Order::of(&consumer, mode);
    let mut held = VecDeque::new();
    say("attached");
    let ending = task("the parent's word", hear);
    while !ending.is_over() {
        let frame = readers::next(&mut consumer, by);
        order.see(&frame);
        held.push_back(frame);
        if held.len() == 2 {
            assert_intact(&held.pop_front().unwrap());
        }
    }
    held.iter().for_each(assert_intact);
    say(format_args!("{} frames, {} restarts", order.seen, order.restarts));
}

const READERS: [&str; 5] = [
    "reader latest 0",
    "reader latest 1",
    "reader ordered 1",
    "reader lossless 0",
    "reader latest 2",
];

/// Numbers that are as good as random, and repeat with their seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

struct Scene {
    place: Place,
    producer: Child,
    readers: Vec<Child>,
    dice: Dice,
}

impl Scene {
    fn producer(place: &Place) -> Child {
        let mut child = Child::start(place, "producer");
        child.expect("made");
        child
    }

    fn reader(place: &Place, index: usize) -> Child {
        let mut child = Child::start(place, READERS[index]);
        child.expect("attached");
        child
    }

    fn act(&mut self) {
        let victim = self.dice.roll(READERS.len() as u64 + 2) as usize;
        let child = self.readers.get_mut(victim).unwrap_or(&mut self.producer);
        child.signal(Signal::STOP);
        let pause = self.dice.roll(3) * self.dice.roll(3000);
        std::thread::sleep(Duration::from_micros(pause));
        if self.dice.roll(3) > 0 {
            child.signal(Signal::CONT);
            std::thread::sleep(Duration::from_micros(self.dice.roll(2000)));
            return;
        }
        child.kill();
        match self.readers.get_mut(victim) {
            Some(reader) => *reader = Self::reader(&self.place, victim),
            None => self.producer = Self::producer(&self.place),
        }
    }
}

#[test]
fn whatever_stops_and_dies_the_rest_goes_on() {
    let seed = framelane::monotonic_ns();
    println!("seed {seed}");
    let place = Place::new();
    let producer = Scene::producer(&place);
    let readers = (0..READERS.len()).map(|index| Scene::reader(&place, index)).collect();
    let mut scene = Scene { place, producer, readers, dice: Dice(seed) };
    (0..300).for_each(|_| scene.act());
    for (reader, role) in scene.readers.iter_mut().zip(READERS) {
        reader.say("end");
        println!("{role}: {}", reader.line());
        reader.expect_success();
    }
    until("nobody is left", || {
        let report = framelane::query(LANE, Some(scene.place.path()), DEADLINE).unwrap();
        (report.consumer_count, report.leases_granted, report.held_slots) == (0, 0, 0)
    });
}
