//! Coming and going leaves nothing behind: no descriptor, no mapping, no thread, on either side.
//!
//! Each count is taken in a process that does nothing else.

mod common;

use common::child::{await_word, entry, hear, say};
use common::readers::{self, By};
use common::{Child, LANE, Place, assert_intact, create, open, os, publish, until};
use framelane::{Consumer, ConsumerOptions, Mode, Producer, ProducerOptions, Trust};

#[test]
fn child_entry() {
    entry(&[
        ("one-process", one_process),
        ("host", host),
        ("guest", guest),
        ("producers", producers),
        ("kept-closers", kept_closers),
    ]);
}

/// What a process has open.
#[derive(Debug, PartialEq, Eq)]
struct Holdings {
    descriptors: usize,
    mappings: usize,
    threads: usize,
}

impl Holdings {
    fn now() -> Self {
        Holdings {
            descriptors: os::descriptors(),
            mappings: os::mappings("framelane"),
            threads: os::threads(),
        }
    }

    /// What is there once nothing changes any more: the producer closes what a consumer left
    /// behind a moment after it has forgotten it.
    fn settled() -> Self {
        let mut now = Holdings::now();
        let mut unchanged = 0;
        while unchanged < 20 {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let later = Holdings::now();
            unchanged = if later == now { unchanged + 1 } else { 0 };
            now = later;
        }
        now
    }

    /// Waits until this is again what the process has.
    fn expect(&self) {
        let mut now = Holdings::now();
        let deadline = std::time::Instant::now() + common::DEADLINE;
        while now != *self && std::time::Instant::now() < deadline {
            std::thread::sleep(std::time::Duration::from_millis(5));
            now = Holdings::now();
        }
        assert_eq!(now, *self, "what is left");
    }
}

fn options() -> ProducerOptions {
    ProducerOptions::new().lease_budget(32)
}

/// Attaches and detaches so many times on each of some threads, now and then reading, polling or
/// keeping a frame longer than its consumer.
fn come_and_go(threads: usize, cycles: usize) {
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            std::thread::spawn(move || {
                for cycle in 0..cycles {
                    attach_once(cycle);
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

fn attach_once(cycle: usize) {
    let mut consumer = open(if cycle % 2 == 0 { Mode::Latest } else { Mode::Ordered }, 2);
    match cycle % 8 {
        0 => drop(readers::next(&mut consumer, By::Fd)),
        1 => {
            let frame = readers::next(&mut consumer, By::Futex);
            consumer.close();
            assert_intact(&frame);
        }
        2 => consumer.closer().close(),
        3 => assert!(Consumer::open(LANE, ConsumerOptions::new(Mode::Latest).leases(60)).is_err()),
        4 => assert!(Consumer::open(LANE, ConsumerOptions::new(Mode::Lossless)).is_err()),
        5 => assert!(framelane::query(LANE, None, common::DEADLINE).is_ok()),
        _ => {}
    }
}

fn one_process(args: &[&str]) {
    let trust = if args == ["untrusted"] { Trust::Untrusted } else { Trust::SameUser };
    let producer = create(options().trust(trust));
    publish(&producer, 1);
    come_and_go(4, 10); // what is made once, and kept
    until("the last one is forgotten", || producer.consumers() == 0);
    let before = Holdings::settled();
    come_and_go(4, 1250);
    until("the last one is forgotten", || producer.consumers() == 0);
    before.expect();
    say("clean");
}

#[test]
fn ten_thousand_consumers_leave_nothing_in_their_own_process() {
    let places = [Place::new(), Place::new()];
    let roles = ["one-process", "one-process untrusted"];
    let start = |(place, role)| Child::start(place, role);
    let children: Vec<Child> = std::iter::zip(&places, roles).map(start).collect();
    for mut child in children {
        child.expect_after_long("clean");
        child.expect_success();
    }
}

#[test]
fn a_closer_keeps_no_lane_mapped() {
    let place = Place::new();
    let mut child = Child::start(&place, "kept-closers");
    child.expect_after_long("clean");
    child.expect_success();
}

/// Keeps what can close a consumer longer than the consumer.
fn kept_closers(_args: &[&str]) {
    let producer = create(options());
    publish(&producer, 1);
    drop(open(Mode::Latest, 1));
    until("it is forgotten", || producer.consumers() == 0);
    let before = os::mappings("framelane");
    let closers: Vec<_> = (0..5).map(|_| open(Mode::Latest, 1).closer()).collect();
    until("nothing is mapped for them", || os::mappings("framelane") == before);
    closers.iter().for_each(framelane::Closer::close);
    say("clean");
}

#[test]
fn a_started_program_inherits_nothing() {
    let place = Place::new();
    let inherited = || {
        let mut list = std::process::Command::new("ls");
        let output = list.arg("/proc/self/fd").output().unwrap();
        output.stdout.split(|&byte| byte == b'\n').count()
    };
    let before = inherited();
    let producer = place.producer(options());
    publish(&producer, 1);
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    let _frame = readers::next(&mut consumer, By::Fd);
    assert_eq!(inherited(), before);
    drop(producer);
    until("the consumer searches", || {
        assert!(consumer.try_next().unwrap().is_none());
        consumer.epoch() == 0
    });
    assert_eq!(inherited(), before);
}

/// A producer that counts what it has, before and after others came and went.
fn host(_args: &[&str]) {
    let producer = create(options());
    publish(&producer, 1);
    let mut before = None;
    say("made");
    while hear() == "count" {
        until("everybody is forgotten", || producer.consumers() == 0);
        let now = before.get_or_insert_with(Holdings::now);
        now.expect();
        say("clean");
    }
}

/// Comes and goes in a process of its own, or stays to be killed.
fn guest(args: &[&str]) {
    if args == ["stays"] {
        let mut consumer = open(Mode::Latest, 2);
        let _frame = readers::next(&mut consumer, By::Futex);
        say("there");
        await_word("never said");
    }
    // Before the count, whatever is made once.
    come_and_go(2, 4);
    let before = Holdings::settled();
    come_and_go(2, args[0].parse().unwrap());
    before.expect();
    say("clean");
}

#[test]
fn consumers_in_other_processes_leave_nothing_on_either_side() {
    let place = Place::new();
    let mut host = Child::start(&place, "host");
    host.expect("made");
    let mut come_and_go = |cycles: usize, killed: usize| {
        let mut guest = Child::start(&place, &format!("guest {cycles}"));
        for _ in 0..killed {
            let mut victim = Child::start(&place, "guest stays");
            victim.expect("there");
            victim.kill();
        }
        guest.expect_after_long("clean");
        guest.expect_success();
        host.say("count");
        host.expect_after_long("clean");
    };
    come_and_go(4, 1);
    come_and_go(500, 20);
}

/// Makes and ends lanes, some with consumers that are attached at the end or come back.
fn producers(args: &[&str]) {
    let cycles: usize = args[0].parse().unwrap();
    let mut follower: Option<Consumer> = None;
    let mut before = None;
    for cycle in 0..cycles {
        let producer = create(options());
        publish(&producer, 1);
        match cycle % 10 {
            0 => follower = Some(open(Mode::Latest, 1)),
            1..=3 => {
                let frame = readers::next(follower.as_mut().unwrap(), By::Futex);
                assert_intact(&frame);
            }
            4 => follower = None,
            5 => drop(producer.claim().unwrap()),
            6 => drop((open(Mode::Latest, 1), Producer::create(LANE, options()).is_err())),
            _ => {}
        }
        drop(producer);
        if cycle % 10 == 9 {
            before.get_or_insert_with(Holdings::now).expect();
        }
    }
    say("clean");
}

#[test]
fn a_thousand_producers_leave_nothing() {
    let place = Place::new();
    let mut child = Child::start(&place, "producers 1000");
    child.expect_after_long("clean");
    child.expect_success();
}
