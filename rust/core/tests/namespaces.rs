//! Containers: producer and consumer in process-id namespaces that do not see each other. Needs
//! root, to make the namespaces.

mod common;
mod raw;

use common::child::{command, entry, hear, say};
use common::{Child, DEADLINE, LANE, Order, Place, create, open, publish, until};
use framelane::layout::Liveness;
use framelane::{Mode, ProducerOptions};
use raw::users::need_root;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("producer", producer), ("consumer", consumer)]);
}

/// Publishes until it is killed.
fn producer(_: &[&str]) {
    let producer = create(ProducerOptions::new());
    say(std::process::id());
    for sequence in 1.. {
        publish(&producer, sequence);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads a few frames, then holds one until it is killed.
fn consumer(_: &[&str]) {
    let mut consumer = open(Mode::Latest, 1);
    let mut order = Order::of(&consumer, Mode::Latest);
    say(std::process::id());
    for _ in 0..20 {
        order.see(&consumer.next(DEADLINE).unwrap().expect("a frame"));
    }
    let frame = consumer.next(DEADLINE).unwrap().expect("a frame");
    say("holds");
    hear();
    drop(frame);
}

/// Starts a role as the first process of a namespace of its own.
fn apart(place: &Place, role: &str) -> Child {
    let plain = command(place, role);
    let mut command = Command::new("unshare");
    // A process that is killed takes its namespace along, so nothing is left when a test ends.
    command.args(["--pid", "--fork", "--kill-child=SIGKILL"]);
    command.arg(plain.get_program()).args(plain.get_args());
    for (key, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(key, value),
            None => command.env_remove(key),
        };
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Child::spawn(role, command)
}

#[test]
fn a_consumer_that_is_nobody_s_process_is_served_and_its_death_is_noticed() {
    need_root();
    let place = Place::new();
    let mut producer = apart(&place, "producer");
    assert_eq!(producer.line(), "1", "the first process there");
    let mut consumer = apart(&place, "consumer");
    assert_eq!(consumer.line(), "1", "as the other is in its own");
    consumer.expect("holds");
    let ask = || framelane::query(LANE, Some(place.path()), DEADLINE).unwrap();
    let entry = ask().consumers[0];
    assert_eq!(entry.pid, 0, "the producer cannot name it");
    // A pidfd works across namespaces where the kernel hands one out (since 6.5).
    let liveness = Liveness::from_number(entry.liveness).unwrap();
    assert!(matches!(liveness, Liveness::PeerPidfd | Liveness::Socket), "{liveness:?}");
    assert_eq!(entry.held_slots.count_ones(), 1);
    consumer.kill();
    until("its leases are back", || ask().leases_granted == 0);
}

#[test]
fn a_producer_that_is_nobody_s_process_is_missed_when_it_dies() {
    need_root();
    let place = Place::new();
    let mut producer = apart(&place, "producer");
    assert_eq!(producer.line(), "1");
    let options = framelane::ConsumerOptions::new(Mode::Latest).reattach(false);
    let mut consumer = place.consumer(options);
    assert!(consumer.next(DEADLINE).unwrap().is_some());
    producer.kill();
    let error = loop {
        match consumer.next(DEADLINE) {
            Ok(frame) => assert!(frame.is_some(), "nothing is said within the deadline"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), framelane::ErrorKind::Disconnected, "{error}");
}
