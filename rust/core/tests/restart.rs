//! Producers that come late, end, die and come again under readers that stay.

mod common;

use common::child::{await_word, entry, hear, say};
use common::readers::{self, By, poll_fd};
use common::threads::Task;
use common::{Child, DEADLINE, Order, Place, assert_intact, create, open, publish, task, until};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Mode, Producer, ProducerOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("producer", producer), ("crowd", crowd)]);
}

/// Publishes a frame every millisecond, once so many consumers are there, until it is told to
/// close or killed.
fn producer(args: &[&str]) {
    let expected: usize = args[0].parse().unwrap();
    let producer = create(ProducerOptions::new().history(3).lease_budget(32));
    say(producer.epoch());
    until("the consumers are there", || producer.consumers() >= expected);
    let closing = task("the parent's word", hear);
    for sequence in 1.. {
        publish(&producer, sequence);
        std::thread::sleep(Duration::from_millis(1));
        if closing.is_over() {
            return producer.close();
        }
    }
}

/// A reader that tells the newest epoch it has seen.
struct Follower {
    epoch: Arc<AtomicU64>,
    order: Task<Order>,
}

impl Follower {
    /// Follows until so many restarts have been seen.
    fn start(place: &Place, mode: Mode, by: By, restarts: u64) -> Self {
        let mut consumer = place.consumer(ConsumerOptions::new(mode));
        let epoch = Arc::new(AtomicU64::new(0));
        let seen = epoch.clone();
        let order = task(&format!("the {mode:?} reader by {by:?}"), move || {
            let mut order = Order::of(&consumer, mode);
            while order.restarts < restarts {
                order.see(&readers::next(&mut consumer, by));
                seen.store(order.epoch, SeqCst);
            }
            order
        });
        Follower { epoch, order }
    }
}

#[test]
fn fifty_restarts_under_readers() {
    const RESTARTS: u64 = 50;
    let place = Place::new();
    let kinds = [
        (Mode::Latest, By::Futex),
        (Mode::Ordered, By::Futex),
        (Mode::Latest, By::Fd),
        (Mode::Ordered, By::Fd),
        (Mode::Latest, By::Spin),
    ];
    let mut child = Child::start(&place, "producer 0");
    let mut epoch: u64 = child.line().parse().unwrap();
    let start = |(mode, by)| Follower::start(&place, mode, by, RESTARTS);
    let followers: Vec<Follower> = kinds.map(start).into();
    for round in 1..=RESTARTS {
        for (follower, kind) in followers.iter().zip(kinds) {
            let what = format!("{kind:?} sees epoch {epoch:#x} in round {round}");
            until(&what, || follower.epoch.load(SeqCst) == epoch);
        }
        if round % 2 == 0 {
            child.say("close");
            child.expect_success();
        } else {
            child.kill();
        }
        // The next one publishes at once, or when all readers are there and asleep.
        let expected = if round % 3 == 0 { 0 } else { kinds.len() };
        child = Child::start(&place, &format!("producer {expected}"));
        epoch = child.line().parse().unwrap();
    }
    for follower in followers {
        assert_eq!(follower.order.join().restarts, RESTARTS);
    }
}

#[test]
fn a_consumer_that_came_first_gets_the_first_frame() {
    let place = Place::new();
    let not_yet = place.path().join("made/later");
    for directory in [place.path().to_owned(), not_yet] {
        let options = ConsumerOptions::new(Mode::Ordered).wait_for_lane(DEADLINE);
        let options = options.directory(Some(directory.clone()));
        let first = task("the consumer", move || {
            let mut consumer = Consumer::open(common::LANE, options).unwrap();
            readers::next(&mut consumer, By::Futex).sequence()
        });
        std::thread::sleep(Duration::from_millis(30));
        std::fs::create_dir_all(&directory).unwrap();
        let options = ProducerOptions::new().layout(common::layout()).directory(Some(directory));
        let producer = Producer::create(common::LANE, options).unwrap();
        until("the consumer attaches", || producer.consumers() == 1);
        publish(&producer, 1);
        assert_eq!(first.join(), 1);
    }
}

#[test]
fn a_poller_finds_a_lane_whose_directory_was_made_anew() {
    let place = Place::new();
    let directory = place.path().join("service");
    std::fs::create_dir(&directory).unwrap();
    let make = || {
        let options = ProducerOptions::new().layout(common::layout());
        Producer::create(common::LANE, options.directory(Some(directory.clone()))).unwrap()
    };
    let producer = make();
    let options = ConsumerOptions::new(Mode::Latest).directory(Some(directory.clone()));
    let mut consumer = Consumer::open(common::LANE, options).unwrap();
    publish(&producer, 1);
    readers::next(&mut consumer, By::Fd);
    drop(producer);
    // As a service manager does it with the runtime directory of a service.
    std::fs::remove_dir_all(&directory).unwrap();
    let reader = task("the poller", move || readers::next(&mut consumer, By::Fd).new_epoch());
    std::thread::sleep(Duration::from_millis(350));
    std::fs::create_dir(&directory).unwrap();
    let producer = make();
    publish(&producer, 1);
    assert!(reader.join());
}

#[test]
fn two_old_epochs_may_be_held_and_not_three() {
    for by in [By::Futex, By::Fd, By::Spin] {
        let place = Place::new();
        let mut held = Vec::new();
        let mut producer = place.producer(ProducerOptions::new());
        let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
        for _ in 0..2 {
            publish(&producer, 1);
            held.push(readers::next(&mut consumer, by));
            drop(producer);
            producer = place.producer(ProducerOptions::new());
        }
        publish(&producer, 1);
        let error = readers::try_next(&mut consumer, by).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OldEpochsHeld, "{error}");
        assert_eq!(consumer.held(), 2);
        held.iter().for_each(assert_intact);
        let epochs: Vec<u64> = held.iter().map(|frame| frame.epoch()).collect();
        assert!(epochs[0] != epochs[1] && !epochs.contains(&producer.epoch()));
        held.remove(0);
        if by == By::Fd {
            poll_fd(&mut consumer); // a caller that only polls is not left alone with its error
        }
        let third = readers::next(&mut consumer, by);
        assert!(third.new_epoch());
        assert_eq!(third.epoch(), producer.epoch());
        held.iter().for_each(assert_intact);
    }
}

#[test]
fn without_reattaching_the_end_is_told_each_time() {
    for by in [By::Futex, By::Fd, By::Spin] {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new());
        let options = ConsumerOptions::new(Mode::Latest).reattach(false);
        let mut consumer = place.consumer(options);
        publish(&producer, 1);
        let held = readers::next(&mut consumer, by);
        drop(producer);
        let _next = place.producer(ProducerOptions::new());
        for _ in 0..3 {
            let error = readers::try_next(&mut consumer, by).map(|_| ()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
            let error = consumer.wait(Duration::ZERO).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
        }
        assert_intact(&held);
        // Asking for it the first time makes it readable once.
        let moment = Duration::from_millis(150);
        assert_eq!(readers::is_readable(&mut consumer, moment), by != By::Fd);
    }
}

#[test]
fn a_reader_without_patience_notices_the_restart_too() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    assert!(consumer.next(Duration::ZERO).unwrap().is_none());
    drop(producer);
    let producer = place.producer(ProducerOptions::new());
    publish(&producer, 1);
    until("next(0) sees the next epoch", || {
        consumer.next(Duration::ZERO).unwrap().is_some_and(|frame| frame.new_epoch())
    });
    drop(producer);
    let producer = place.producer(ProducerOptions::new());
    publish(&producer, 1);
    until("wait(0) sees the next epoch", || consumer.wait(Duration::ZERO).unwrap());
}

/// Eight consumers that follow the lane through so many restarts.
fn crowd(args: &[&str]) {
    let restarts: u64 = args[0].parse().unwrap();
    let bys = [By::Futex, By::Fd, By::Futex, By::Fd, By::Futex, By::Fd, By::Spin, By::Spin];
    let readers: Vec<_> = bys
        .map(|by| {
            let mut consumer = open(Mode::Latest, 1);
            task(&format!("a reader by {by:?}"), move || {
                let mut order = Order::of(&consumer, Mode::Latest);
                while order.restarts < restarts {
                    order.see(&readers::next(&mut consumer, by));
                }
            })
        })
        .into();
    say("there");
    readers.into_iter().for_each(Task::join);
    say("done");
    await_word("end");
}

#[test]
fn a_crowd_reattaches_without_an_error() {
    const RESTARTS: u64 = 5;
    let place = Place::new();
    let mut producer = Child::start(&place, "producer 32");
    producer.line();
    let role = format!("crowd {RESTARTS}");
    let mut crowds: Vec<Child> = (0..4).map(|_| Child::start(&place, &role)).collect();
    for child in &mut crowds {
        child.expect("there");
    }
    for _ in 0..RESTARTS {
        until("everybody is attached and has read", || {
            let report = framelane::query(common::LANE, Some(place.path()), DEADLINE).unwrap();
            let consumers = &report.consumers[..report.consumer_count as usize];
            consumers.len() == 32 && consumers.iter().all(|consumer| consumer.received > 0)
        });
        producer.kill();
        producer = Child::start(&place, "producer 32");
        producer.line();
    }
    for child in &mut crowds {
        child.expect("done");
        child.say("end");
        child.expect_success();
    }
}

#[test]
fn one_of_many_gets_a_name() {
    let place = Place::new();
    for _ in 0..20 {
        let at_once = std::sync::Barrier::new(8);
        let made: Vec<_> = std::thread::scope(|scope| {
            let contend = || {
                at_once.wait();
                place.try_producer(ProducerOptions::new())
            };
            let contenders: Vec<_> = (0..8).map(|_| scope.spawn(contend)).collect();
            contenders.into_iter().map(|contender| contender.join().unwrap()).collect()
        });
        let (winners, losers): (Vec<_>, Vec<_>) = made.into_iter().partition(Result::is_ok);
        assert_eq!(winners.len(), 1);
        for loser in losers {
            assert_eq!(loser.map(|_| ()).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let winner = winners.into_iter().next().unwrap().unwrap();
        let mut consumer = place.try_consumer(ConsumerOptions::new(Mode::Latest)).unwrap();
        publish(&winner, 1);
        assert_intact(&readers::next(&mut consumer, By::Futex));
    }
}

#[test]
fn a_full_process_may_always_replace_a_consumer() {
    let place = Place::new();
    let _producer = place.producer(ProducerOptions::new().lease_budget(8));
    let options = || ConsumerOptions::new(Mode::Latest);
    let mut consumers: Vec<Consumer> = (0..8).map(|_| place.consumer(options())).collect();
    for round in 0..300 {
        drop(consumers.swap_remove(round % 8));
        // At once, though the producer may not have heard of the one that left.
        consumers.push(place.try_consumer(options()).unwrap());
    }
}
