//! A consumer that dies or stops at each labelled step of borrow, release and wait: nobody else
//! loses anything by it, and what it held comes back.

mod common;

use common::child::{await_word, entry, hear, say};
use common::readers::{self, By};
use common::steps::{self, Role};
use common::{Child, DEADLINE, LANE, Order, Place, assert_intact, fill, open, task, until};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Frame, Mode, Producer, ProducerOptions};
use rustix::process::Signal;
use std::collections::VecDeque;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("consumer", consumer), ("holder", holder)]);
}

/// Leases of a victim.
const LEASES: u32 = 3;

/// Reads in a mode and a way of waiting, each frame kept while two more come, until told to end.
fn consumer(args: &[&str]) {
    let mode = *Mode::ALL.iter().find(|mode| mode.name() == args[0]).unwrap();
    let by = if args[1] == "fd" { By::Fd } else { By::Futex };
    let mut consumer = open(mode, LEASES);
    let mut order = Order::of(&consumer, mode);
    let mut held = VecDeque::new();
    say("attached");
    let ending = task("the parent's word", hear);
    while !ending.is_over() {
        let frame = readers::next(&mut consumer, by);
        order.see(&frame);
        held.push_back(frame);
        if held.len() == LEASES as usize {
            assert_intact(&held.pop_front().unwrap());
        }
    }
    held.iter().for_each(assert_intact);
    say("intact");
}

/// A producer with a witness that may not miss a frame, and exactly the leases for both.
struct Stage {
    producer: Producer,
    witness: Consumer,
    sequence: u64,
}

impl Stage {
    fn new(place: &Place, lossless: bool) -> Self {
        let options = ProducerOptions::new().lossless(lossless).lease_budget(LEASES + 1);
        let producer = place.producer(options);
        let witness = place.consumer(ConsumerOptions::new(Mode::Ordered));
        Stage { producer, witness, sequence: 0 }
    }

    /// Publishes a frame, for which a claim is never refused, and has it witnessed.
    fn step(&mut self) {
        self.publish_within(Duration::ZERO).unwrap();
    }

    fn publish_within(&mut self, time: Duration) -> framelane::Result<()> {
        let mut frame = match time {
            Duration::ZERO => self.producer.claim()?,
            time => self.producer.claim_within(time)?,
        };
        self.sequence += 1;
        fill(&mut frame, self.producer.epoch(), self.sequence);
        assert_eq!(frame.publish().unwrap(), self.sequence);
        let seen = self.witness.try_next().unwrap().expect("the witness gets every frame");
        assert_eq!((seen.sequence(), seen.missed()), (self.sequence, 0));
        assert_intact(&seen);
        Ok(())
    }

    /// Waits until the victim is forgotten, with all it had.
    fn until_alone(&self) {
        until("the victim's leases are back", || {
            let report = self.producer.report();
            self.producer.consumers() == 1 && report.leases_granted == 1 && report.held_slots == 0
        });
    }
}

/// Steps that a mode comes by.
fn steps_of(mode: Mode) -> Vec<String> {
    let mut steps = steps::of(Role::Consumer);
    steps.retain(|step| mode == Mode::Lossless || step != "borrow.cursor");
    steps
}

fn victim(place: &Place, mode: Mode, step: &str, plan: &str) -> Child {
    // Only a sleeper on the futex announces itself.
    let by = if plan.ends_with('1') && !step.starts_with("wait.") { "fd" } else { "futex" };
    let role = format!("consumer {} {by}", mode.name());
    let mut child = Child::failing(place, &role, &format!("{step}:{plan}"));
    child.expect("attached");
    child
}

#[test]
fn killed_at_each_step_it_costs_nobody_else_a_frame() {
    for mode in [Mode::Latest, Mode::Ordered] {
        for step in steps_of(mode) {
            for round in [1, 20] {
                println!("{mode:?} killed at {step}, time {round}");
                let place = Place::new();
                let mut stage = Stage::new(&place, false);
                let mut child = victim(&place, mode, &step, &format!("kill:{round}"));
                while !child.has_ended() {
                    stage.step();
                    std::thread::sleep(Duration::from_micros(300));
                }
                child.expect_killed();
                stage.until_alone();
                // All of its leases are there for the next one, at once.
                let next = ConsumerOptions::new(mode).leases(LEASES);
                let _next = place.try_consumer(next).unwrap();
                (0..100).for_each(|_| stage.step());
            }
        }
    }
}

#[test]
fn stopped_at_each_step_it_keeps_its_own_frames_and_no_more() {
    for mode in [Mode::Latest, Mode::Ordered] {
        for step in steps_of(mode) {
            println!("{mode:?} stopped at {step}");
            let place = Place::new();
            let mut stage = Stage::new(&place, false);
            let mut child = victim(&place, mode, &step, "stop:20");
            while !child.has_stopped() {
                stage.step();
                std::thread::sleep(Duration::from_micros(300));
            }
            (0..500).for_each(|_| stage.step());
            let held = stage.producer.report().held_slots.count_ones();
            assert!((1..=LEASES).contains(&held), "{held} slots are held");
            child.signal(Signal::CONT);
            child.say("end");
            while !child.has_ended() {
                stage.step(); // it may be asleep
                std::thread::sleep(Duration::from_micros(300));
            }
            child.expect("intact");
            child.expect_success();
            stage.until_alone();
        }
    }
}

#[test]
fn a_lossless_consumer_that_is_killed_holds_the_producer_until_its_death_is_seen() {
    for step in steps_of(Mode::Lossless) {
        for round in [1, 20] {
            println!("lossless killed at {step}, time {round}");
            let place = Place::new();
            let mut stage = Stage::new(&place, true);
            let mut child = victim(&place, Mode::Lossless, &step, &format!("kill:{round}"));
            while !child.has_ended() {
                stage.publish_within(DEADLINE).unwrap();
            }
            child.expect_killed();
            (0..10).for_each(|_| stage.publish_within(DEADLINE).unwrap());
            stage.until_alone();
            (0..100).for_each(|_| stage.step());
        }
    }
}

#[test]
fn a_lossless_consumer_that_is_stopped_is_named_and_then_loses_nothing() {
    for step in steps_of(Mode::Lossless) {
        for killed in [false, true] {
            println!("lossless stopped at {step}, then killed: {killed}");
            let place = Place::new();
            let mut stage = Stage::new(&place, true);
            let mut child = victim(&place, Mode::Lossless, &step, "stop:20");
            while !child.has_stopped() {
                let _ = stage.publish_within(Duration::from_millis(1));
            }
            let error = std::iter::repeat_with(|| stage.publish_within(Duration::from_millis(20)))
                .take(10)
                .find_map(Result::err)
                .expect("the claim waits for the stopped consumer");
            assert_eq!(error.kind(), ErrorKind::NoFreeSlot, "{error}");
            let name = format!("process {}", child.pid.as_raw_nonzero());
            assert!(error.to_string().contains(&name), "{error} names {name}");
            if killed {
                child.kill();
            } else {
                child.signal(Signal::CONT);
            }
            (0..50).for_each(|_| stage.publish_within(DEADLINE).unwrap());
            child.say("end");
            while !child.has_ended() {
                let _ = stage.publish_within(Duration::from_millis(1));
            }
            if !killed {
                child.expect("intact");
                child.expect_success();
            }
            stage.until_alone();
        }
    }
}

#[test]
fn a_consumer_stopped_over_a_restart_finds_the_next_producer() {
    for step in steps_of(Mode::Latest) {
        println!("stopped at {step}, over a restart");
        let place = Place::new();
        let mut stage = Stage::new(&place, false);
        let mut child = victim(&place, Mode::Latest, &step, "stop:20");
        while !child.has_stopped() {
            stage.step();
            std::thread::sleep(Duration::from_micros(300));
        }
        drop(stage); // which does not wait for it either
        let mut stage = Stage::new(&place, false);
        (0..100).for_each(|_| stage.step());
        child.signal(Signal::CONT);
        until("it is back", || stage.producer.consumers() == 2);
        (0..10).for_each(|_| stage.step());
        child.say("end");
        while !child.has_ended() {
            stage.step();
            std::thread::sleep(Duration::from_micros(300));
        }
        child.expect("intact");
        child.expect_success();
    }
}

/// Takes two frames, says so, and proves them when asked.
fn holder(_args: &[&str]) {
    let mut consumer = open(Mode::Latest, LEASES);
    say("attached");
    let held: Vec<Frame> = (0..2).map(|_| readers::next(&mut consumer, By::Futex)).collect();
    say(held.iter().map(|frame| frame.sequence().to_string()).collect::<Vec<_>>().join(" "));
    await_word("prove");
    held.iter().for_each(assert_intact);
    say("intact");
    await_word("end");
}

#[test]
fn a_stopped_holder_keeps_exactly_its_frames() {
    let place = Place::new();
    let mut stage = Stage::new(&place, false);
    let mut child = Child::start(&place, "holder");
    child.expect("attached");
    stage.step();
    until("the first frame is borrowed", || stage.producer.report().consumers[1].received == 1);
    stage.step();
    let sequences = child.line();
    child.signal(Signal::STOP);
    child.expect_stopped();
    (0..1000).for_each(|_| stage.step());
    let report = stage.producer.report();
    assert_eq!(report.held_slots.count_ones(), 2);
    let entry = report.consumers.iter().find(|entry| entry.leases == LEASES).unwrap();
    assert_eq!(entry.held_slots, report.held_slots, "all that is held is its own");
    assert_eq!(entry.pid, child.pid.as_raw_nonzero().get() as u32);
    child.signal(Signal::CONT);
    child.say("prove");
    child.expect("intact");
    assert_eq!(sequences, "1 2");
    child.kill();
    stage.until_alone();
    let seen = framelane::query(LANE, Some(place.path()), DEADLINE).unwrap();
    assert_eq!((seen.consumer_count, seen.held_slots), (1, 0));
}
