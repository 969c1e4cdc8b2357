//! Deaths and stops while a lane is made, while somebody attaches to it, and while it ends.

mod common;

use common::child::{entry, hear, say};
use common::readers::{self, By, read_until_told};
use common::steps::{self, Role};
use common::{Child, DEADLINE, LANE, Place, assert_intact, create, open, publish, task, until};
use framelane::{ConsumerOptions, ErrorKind, Mode, ProducerOptions};
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("consumer", consumer), ("producer", producer)]);
}

/// Leases of a child that attaches.
const LEASES: u32 = 2;

/// Attaches, and reads until it is killed.
fn consumer(args: &[&str]) {
    let mode = if args == ["lossless"] { Mode::Lossless } else { Mode::Latest };
    let mut consumer = open(mode, LEASES);
    say("attached");
    loop {
        assert_intact(&readers::next(&mut consumer, By::Futex));
        if consumer.received() == 3 {
            say("read");
        }
    }
}

/// Makes a lane and publishes until it is told to close it.
fn producer(_args: &[&str]) {
    let producer = create(ProducerOptions::new());
    say("made");
    let closing = task("the parent's word", hear);
    for sequence in 1.. {
        publish(&producer, sequence);
        std::thread::sleep(Duration::from_millis(1));
        if closing.is_over() {
            break;
        }
    }
    producer.close();
    say("closed");
    let _ = hear();
}

/// Runs a body for each step of a role, side by side: they wait more than they work.
fn for_each_step(role: Role, body: fn(&str)) {
    let tasks: Vec<_> =
        steps::of(role).into_iter().map(|step| task(&step.clone(), move || body(&step))).collect();
    tasks.into_iter().for_each(common::threads::Task::join);
}

#[test]
fn a_consumer_killed_while_it_attaches_leaves_nothing() {
    for_each_step(Role::Attaching, |step| {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new().lease_budget(LEASES + 1));
        let _witness = place.consumer(ConsumerOptions::new(Mode::Latest));
        let mut child = Child::failing(&place, "consumer", &format!("{step}:kill:1"));
        child.expect_killed();
        until("its leases are back", || {
            producer.consumers() == 1 && producer.report().leases_granted == 1
        });
        place.try_consumer(ConsumerOptions::new(Mode::Latest).leases(LEASES)).unwrap();
    });
}

#[test]
fn a_consumer_stopped_while_it_attaches_holds_up_nobody() {
    for_each_step(Role::Attaching, |step| {
        for lossless in [false, true] {
            let place = Place::new();
            let options = ProducerOptions::new().lossless(lossless);
            let producer = place.producer(options.lease_budget(LEASES + 1));
            let mut witness = place.consumer(ConsumerOptions::new(Mode::Ordered));
            let role = if lossless { "consumer lossless" } else { "consumer" };
            let mut child = Child::failing(&place, role, &format!("{step}:stop:1"));
            child.expect_stopped();
            // With its descriptors it counts as attached; without, its place expires.
            let attached = !matches!(step, "attach.hello" | "attach.welcomed");
            let frames = if lossless && attached { 2 } else { 30 };
            for sequence in 1..=frames {
                publish(&producer, sequence); // waits for a lossless one that is not yet there
                let seen = witness.try_next().unwrap().expect("the witness gets every frame");
                assert_eq!((seen.sequence(), seen.missed()), (sequence, 0));
            }
            until("the place of who does not answer is free", || {
                producer.report().leases_granted == if attached { LEASES + 1 } else { 1 }
            });
            child.signal(Signal::CONT);
            child.expect("attached");
            for sequence in frames + 1..=frames + 20 {
                publish(&producer, sequence);
                std::thread::sleep(Duration::from_millis(1));
            }
            child.expect("read");
            child.kill();
        }
    });
}

#[test]
fn a_producer_killed_while_it_admits_is_followed_by_the_next() {
    for_each_step(Role::Admission, |step| {
        let place = Place::new();
        // The first consumer is admitted, the second is not.
        let mut child = Child::failing(&place, "producer", &format!("{step}:kill:2"));
        child.expect("made");
        let told = place.consumer(ConsumerOptions::new(Mode::Latest).reattach(false));
        let told = task("the sleeper", || read_until_told(told, Mode::Latest, By::Futex));
        let opening = opening(&place);
        child.expect_killed();
        told.join();
        let mut second = Child::start(&place, "producer");
        second.expect("made");
        opening.join();
    });
}

#[test]
fn a_producer_stopped_while_it_admits_admits_later() {
    for_each_step(Role::Admission, |step| {
        let place = Place::new();
        let mut child = Child::failing(&place, "producer", &format!("{step}:stop:2"));
        child.expect("made");
        let mut reader = place.consumer(ConsumerOptions::new(Mode::Latest));
        let opening = opening(&place);
        child.expect_stopped();
        assert!(reader.next(Duration::ZERO).is_ok());
        let asked = framelane::query(LANE, Some(place.path()), Duration::from_millis(50));
        assert_eq!(asked.map(|_| ()).unwrap_err().kind(), ErrorKind::TimedOut);
        let opened = place.try_consumer(ConsumerOptions::new(Mode::Latest));
        assert_eq!(opened.map(|_| ()).unwrap_err().kind(), ErrorKind::TimedOut);
        child.signal(Signal::CONT);
        opening.join();
        assert_intact(&readers::next(&mut reader, By::Futex));
    });
}

/// A consumer that waits for a producer, attaches and reads.
fn opening(place: &Place) -> common::threads::Task<()> {
    let directory = place.directory();
    task("who attaches", move || {
        let options = ConsumerOptions::new(Mode::Latest).wait_for_lane(DEADLINE);
        let mut consumer = framelane::Consumer::open(LANE, options.directory(directory)).unwrap();
        assert_intact(&readers::next(&mut consumer, By::Futex));
    })
}

#[test]
fn a_producer_killed_while_it_makes_its_lane_leaves_the_name() {
    for_each_step(Role::Creator, |step| {
        let place = Place::new();
        let opening = opening(&place);
        let mut child = Child::failing(&place, "producer", &format!("{step}:kill:1"));
        child.expect_killed();
        let mut second = Child::start(&place, "producer");
        second.expect("made");
        opening.join();
        assert_eq!(place.entries(), ["lane.lock", "lane.sock"], "nothing half-made is left");
    });
}

#[test]
fn a_producer_stopped_while_it_makes_its_lane_keeps_the_name() {
    for_each_step(Role::Creator, |step| {
        let place = Place::new();
        let opening = opening(&place);
        let mut child = Child::failing(&place, "producer", &format!("{step}:stop:1"));
        child.expect_stopped();
        let refused = place.try_producer(ProducerOptions::new()).map(|_| ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
        let pid = child.pid.as_raw_nonzero().to_string();
        assert!(refused.to_string().contains(&pid), "{refused} names {pid}");
        child.signal(Signal::CONT);
        child.expect("made");
        opening.join();
    });
}

#[test]
fn a_producer_killed_or_stopped_while_it_ends_its_lane_ends_it() {
    for_each_step(Role::Closer, |step| {
        for action in ["kill", "stop"] {
            let place = Place::new();
            let mut child = Child::failing(&place, "producer", &format!("{step}:{action}:1"));
            child.expect("made");
            let told = place.consumer(ConsumerOptions::new(Mode::Latest).reattach(false));
            let told = task("the sleeper", || read_until_told(told, Mode::Latest, By::Futex));
            let reader = readers::Reader { mode: Mode::Ordered, by: By::Fd, restarts: 1, until: 3 };
            let reader = reader.start(&place);
            child.say("close");
            match action {
                "kill" => child.expect_killed(),
                _ => child.expect_stopped(),
            }
            told.join(); // also by one that does not come to the end of it
            if action == "stop" {
                child.signal(Signal::CONT);
                child.expect("closed");
            }
            let mut second = Child::start(&place, "producer");
            second.expect("made");
            reader.join();
        }
    });
}
