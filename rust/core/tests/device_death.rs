//! Frames in device memory: deaths and stops around the deadline, the revocation and the return of
//! a buffer.

mod common;

use common::child::{await_word, entry, hear, say};
use common::device::Device;
use common::readers::{self, By};
use common::steps::{self, Role};
use common::strip::copy_device_frame;
use common::{Child, DEADLINE, LANE, Place, task, until};
use framelane::{Consumer, ConsumerOptions, Mode, ProducerOptions};
use rustix::process::Signal;
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("device", device), ("holder", holder)]);
}

/// Long enough for a reader that copies at once, short enough for a test that waits it out.
const LEASE: Duration = Duration::from_millis(60);

/// Publishes from device memory every two milliseconds until it is killed.
fn device(args: &[&str]) {
    let lease = if args == ["endless"] { Duration::ZERO } else { LEASE };
    let mut device = Device::new(ProducerOptions::new(), 6, lease);
    say("made");
    await_word("go");
    loop {
        device.publish();
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn options() -> ConsumerOptions {
    ConsumerOptions::new(Mode::Latest).wants_writable(true).wait_for_lane(DEADLINE)
}

#[test]
fn killed_or_stopped_while_it_takes_a_buffer_back() {
    for step in steps::of(Role::Revoker) {
        for action in ["kill", "stop"] {
            println!("{action} at {step}");
            let place = Place::new();
            let mut child = Child::failing(&place, "device", &format!("{step}:{action}:1"));
            child.expect("made");
            let mut holder = place.consumer(options());
            let mut reader = place.consumer(options());
            child.say("go");
            let held = readers::next(&mut holder, By::Futex);
            let (from, to) = (held.descriptor().publish_ns, held.descriptor().valid_until_ns);
            assert_eq!(Duration::from_nanos(to - from), LEASE);
            if action == "kill" {
                child.expect_killed();
            } else {
                child.expect_stopped();
            }
            assert!(!held.check(), "the step follows REVOKED");
            assert!(!copy_device_frame(&held));
            assert!(held.release().is_err());
            if action == "kill" {
                child = Child::start(&place, "device");
                child.expect("made");
                child.say("go");
            } else {
                // What is published can still be read before its own deadline.
                let left = reader.try_next().unwrap();
                assert!(left.is_none_or(|frame| copy_device_frame(&frame) || !frame.check()));
                child.signal(Signal::CONT);
            }
            for consumer in [&mut holder, &mut reader] {
                read_some(consumer);
            }
        }
    }
}

/// Reads on until some frames were whole.
fn read_some(consumer: &mut Consumer) {
    let mut whole = 0;
    until("a reader that copies at once gets frames", || {
        whole += u32::from(copy_device_frame(&readers::next(consumer, By::Futex)));
        whole == 5
    });
}

#[test]
fn frames_of_a_killed_device_count_no_longer() {
    for step in steps::of(Role::Producer) {
        if step == "publish.described" || step == "publish.rung" {
            continue; // steps of inline frames
        }
        println!("killed at {step}");
        let place = Place::new();
        let mut child = Child::failing(&place, "device endless", &format!("{step}:kill:10"));
        child.expect("made");
        let mut consumer = place.consumer(options());
        let mut idle = place.consumer(options());
        child.say("go");
        let held = readers::next(&mut idle, By::Futex);
        // Until it is killed.
        let reading = task("the reader", move || {
            while let Some(frame) = consumer.next(Duration::from_millis(300)).unwrap() {
                copy_device_frame(&frame);
            }
            consumer
        });
        child.expect_killed();
        until("a frame of a dead device is no longer intact", || !held.check());
        assert!(!copy_device_frame(&held));
        let mut consumer = reading.join();
        let mut next = Child::start(&place, "device");
        next.expect("made");
        next.say("go");
        assert!(readers::next(&mut consumer, By::Futex).new_epoch());
        read_some(&mut consumer);
        drop(held);
        read_some(&mut idle);
    }
}

/// Holds the first frame it gets; when asked, says whether it is whole.
fn holder(_args: &[&str]) {
    let mut consumer = Consumer::open(LANE, options()).unwrap();
    say("attached");
    let frame = readers::next(&mut consumer, By::Futex);
    assert!(copy_device_frame(&frame));
    say("holds");
    while hear() == "whole" {
        say(copy_device_frame(&frame));
    }
    drop(frame);
    let _ = hear();
}

#[test]
fn a_release_brings_the_buffer_back_to_a_device_that_delivers_nothing() {
    let place = Place::new();
    let mut device = here(&place, Duration::ZERO);
    let mut child = holding(&place, &mut device);
    (0..2).for_each(|_| device.publish());
    until("only the newest and what is held are out", || device.at_home() == 3);
    child.say("release"); // and nothing is published or claimed from here on
    until("the release is heard", || device.at_home() == 4);
}

#[test]
fn a_killed_holder_gives_the_buffer_back() {
    let place = Place::new();
    let mut device = here(&place, Duration::ZERO);
    let mut child = holding(&place, &mut device);
    (0..20).for_each(|_| device.publish());
    child.say("whole");
    child.expect("true"); // never revoked without a lease
    child.kill();
    // The newest 1 + history are out, everything else comes home, and nothing was taken by force.
    until("the buffer is back", || device.at_home() == 4);
    assert_eq!(device.revoked, 0);
}

#[test]
fn a_stopped_holder_loses_the_buffer_at_its_deadline() {
    let place = Place::new();
    let mut device = here(&place, 8 * LEASE);
    let mut child = holding(&place, &mut device);
    child.signal(Signal::STOP);
    child.expect_stopped();
    // The device delivers nothing more, so nothing but the deadline can take it back.
    until("the held frame is taken", || {
        device.at_home();
        device.revoked == 1
    });
    let report = device.producer.report();
    let blamed = report.consumers.iter().find(|entry| entry.revoked == 1).unwrap();
    assert_eq!(blamed.pid, child.pid.as_raw_nonzero().get() as u32);
    (0..20).for_each(|_| device.publish());
    child.signal(Signal::CONT);
    child.say("whole");
    child.expect("false");
}

#[test]
fn an_owner_that_panics_stops_no_other() {
    let place = Place::new();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        // The one that is wanted is nothing to read about.
        if info.payload().downcast_ref::<&str>() != Some(&"an owner fails") {
            hook(info);
        }
    }));
    let mut device = here(&place, Duration::ZERO);
    for _ in 0..3 {
        let buffer = device.fill();
        let home = device.publish_owned(buffer, || panic!("an owner fails"));
        (0..20).for_each(|_| device.publish());
        let thread = home.recv_timeout(DEADLINE).expect("its buffer comes back");
        assert!(thread.starts_with("fl-ret"), "owners run on the return thread, not on {thread}");
        device.give_back(buffer);
    }
}

fn here(place: &Place, lease: Duration) -> Device {
    Device::new(ProducerOptions::new().directory(place.directory()), 6, lease)
}

/// A child that holds the first frame.
fn holding(place: &Place, device: &mut Device) -> Child {
    let mut child = Child::start(place, "holder");
    child.expect("attached");
    device.publish();
    child.expect("holds");
    child
}
