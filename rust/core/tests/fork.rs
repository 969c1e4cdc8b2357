//! A producer or consumer whose process forks: the handles stay the parent's, whatever the child
//! does with its copies of them and however it ends.

mod common;

use common::child::{await_word, entry, hear, say};
use common::forks::{Stray, exec, exit, expect_good, fork, stay};
use common::readers::{self, By, read_until_told};
use common::streams::{video, write};
use common::{
    Child, DEADLINE, LANE, Order, Place, assert_intact, create, fill, open, publish, task, until,
};
use framelane::{
    Consumer, ConsumerOptions, Error, ErrorKind, Frame, FrameDescriptor, FrameMut, Mode, Producer,
    ProducerOptions, StreamReaderOptions, StreamStart, StreamWriterOptions,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use zerocopy::FromZeros;

#[test]
fn child_entry() {
    entry(&[
        ("consumer", consumer),
        ("producer", producer),
        ("staying-consumer", staying_consumer),
        ("staying-producer", staying_producer),
        ("busy-producer", busy_producer),
    ]);
}

/// What forked children do, and what is done after each.
const WAYS: &[&str] = &["exit", "exec", "drop", "use"];

fn is_forked<T>(result: Result<T, Error>) {
    let error = result.map(|_| ()).expect_err("the handle is the parent's");
    assert_eq!(error.kind(), ErrorKind::Forked, "{error}");
}

/// Holds frames over a fork of each kind, then goes on as if nothing had been.
fn consumer(args: &[&str]) {
    let by = if args[0] == "fd" { By::Fd } else { By::Futex };
    let mut consumer = open(Mode::Ordered, 3);
    let mut order = Order::of(&consumer, Mode::Lossless); // which is Ordered, seen strictly
    say("attached");
    let held: Vec<Frame> = (0..2).map(|_| readers::next(&mut consumer, by)).collect();
    held.iter().for_each(|frame| order.see(frame));
    let (mut consumer, mut held) = (Some(consumer), Some(held));
    for way in WAYS {
        let child = fork(|| match *way {
            "exit" => exit(),
            "exec" => exec(),
            "drop" => drop((held.take(), consumer.take())),
            _ => use_consumer(consumer.as_mut().unwrap(), held.take().unwrap()),
        });
        expect_good(child);
        say(way);
        let frame = readers::next(consumer.as_mut().unwrap(), by);
        order.see(&frame);
        held.iter().flatten().for_each(assert_intact);
    }
    let mut consumer = consumer.unwrap();
    if by == By::Fd {
        // Nothing the child did leaves the descriptor readable for good.
        until("the descriptor is quiet", || {
            assert!(consumer.try_next().unwrap().is_none());
            !readers::is_readable(&mut consumer, Duration::from_millis(20))
        });
    }
    say("done");
    await_word("end");
}

/// In the child: every handle answers Forked, views taken before do not fault, and a handle of the
/// child's own works.
fn use_consumer(consumer: &mut Consumer, held: Vec<Frame>) {
    is_forked(consumer.try_next());
    is_forked(consumer.next(Duration::from_secs(1)));
    is_forked(consumer.latest());
    is_forked(consumer.wait(Duration::ZERO));
    for frame in &held {
        is_forked(frame.plane(0));
        is_forked(frame.copy_to(0, &mut [0; 8]));
        assert!(!frame.check(), "nothing protects the child's view");
    }
    consumer.closer().close();
    assert_eq!((consumer.epoch() != 0, consumer.held() > 0), (true, true));
    drop(held);
    let mut own = open(Mode::Latest, 1);
    assert_intact(&own.latest().unwrap().expect("the newest frame"));
}

#[test]
fn a_forked_consumer_is_the_parents() {
    for by in ["futex", "fd"] {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new().history(7).lease_budget(4));
        let mut child = Child::start(&place, &format!("consumer {by}"));
        child.expect("attached");
        let mut sequence = 0;
        let mut publish_next = || {
            sequence += 1;
            publish(&producer, sequence);
        };
        publish_next();
        publish_next();
        for way in WAYS {
            child.expect(way);
            publish_next();
        }
        child.expect("done");
        until("only the parent is attached", || producer.consumers() == 1);
        let report = producer.report();
        assert_eq!(report.leases_granted, 3);
        assert_eq!(report.consumers[0].held_slots.count_ones(), 2);
        child.say("end");
        child.expect_success();
        until("nobody is attached", || producer.consumers() == 0);
    }
}

#[test]
fn a_view_taken_before_a_fork_can_be_read_in_the_child() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    publish(&producer, 1);
    let frame = readers::next(&mut consumer, By::Futex);
    let view = frame.plane(0).unwrap();
    let sum = |bytes: &[u8]| bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
    let expected = sum(view);
    expect_good(fork(|| assert_eq!(sum(view), expected)));
    assert_intact(&frame);
}

#[test]
fn a_consumer_without_a_producer_is_the_parents_too() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    drop(producer);
    until("the end is noticed", || {
        assert!(consumer.next(Duration::from_millis(1)).unwrap().is_none());
        consumer.epoch() == 0
    });
    expect_good(fork(|| {
        is_forked(consumer.try_next());
        is_forked(consumer.next(Duration::from_secs(1)));
        is_forked(consumer.wait(Duration::from_secs(1)));
    }));
    let producer = place.producer(ProducerOptions::new());
    publish(&producer, 1);
    assert!(readers::next(&mut consumer, By::Futex).new_epoch());
}

#[test]
fn a_descriptor_is_quiet_though_a_child_keeps_what_it_once_watched() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    consumer.fd();
    drop(producer);
    until("the consumer searches", || {
        assert!(consumer.try_next().unwrap().is_none());
        consumer.epoch() == 0
    });
    let _stray = Stray::new(&fork(stay).as_raw_nonzero().to_string());
    let _producer = place.producer(ProducerOptions::new());
    let mut other = 0;
    until("the consumer attaches, and other lanes are no news to it", || {
        assert!(consumer.try_next().unwrap().is_none());
        other += 1;
        std::fs::write(place.path().join(format!("other-{other}.lock")), "").unwrap();
        consumer.epoch() != 0 && !readers::is_readable(&mut consumer, Duration::from_millis(50))
    });
}

/// Holds claimed frames over a fork of each kind, then publishes them.
fn producer(_args: &[&str]) {
    let producer = create(ProducerOptions::new().claims(2));
    say("made");
    await_word("go");
    let mut sequence = 1;
    let mut producer = Some(producer);
    for way in WAYS {
        let handle = producer.as_ref().unwrap();
        let mut first = Some(handle.claim().unwrap());
        let mut second = Some(handle.claim().unwrap());
        fill(first.as_mut().unwrap(), handle.epoch(), sequence);
        let child = fork(|| match *way {
            "exit" => exit(),
            "exec" => exec(),
            "drop" => drop((first.take(), second.take(), producer.take())),
            _ => use_producer(producer.as_ref().unwrap(), first.take().unwrap(), second.take()),
        });
        expect_good(child);
        let (first, mut second) = (first.unwrap(), second.unwrap());
        assert_eq!(first.publish().unwrap(), sequence);
        fill(&mut second, producer.as_ref().unwrap().epoch(), sequence + 1);
        assert_eq!(second.publish().unwrap(), sequence + 1);
        sequence += 2;
        say(way);
        await_word("on");
    }
    assert_eq!(producer.as_ref().unwrap().consumers(), 1);
    let _ = hear();
}

/// In the child: every handle answers Forked, nothing hangs or faults, and a lane of the child's
/// own works.
fn use_producer(producer: &Producer, mut first: FrameMut, second: Option<FrameMut>) {
    is_forked(producer.claim());
    is_forked(producer.claim_within(Duration::from_secs(1)));
    is_forked(producer.publish_external(&FrameDescriptor::new_zeroed(), Box::new(|_| ())));
    is_forked(first.plane_mut(0));
    is_forked(first.copy_from(&[0; 8]));
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ())); // not a failure that anybody needs to read about
    let touched = catch_unwind(AssertUnwindSafe(|| first.payload_mut()[0]));
    std::panic::set_hook(hook);
    assert!(touched.is_err(), "memory that is not there");
    look_at(producer);
    is_forked(producer.publish_batch(vec![first]));
    is_forked(second.unwrap().publish());
    let options = ProducerOptions::new().layout(common::layout());
    let own = Producer::create("own", options).unwrap();
    let mut reader = Consumer::open("own", ConsumerOptions::new(Mode::Latest)).unwrap();
    publish(&own, 1);
    assert_intact(&readers::next(&mut reader, By::Futex));
}

/// What has no error to give says that there is nothing.
fn look_at(producer: &Producer) {
    assert_eq!(producer.consumers(), 0);
    assert_eq!(producer.report().consumer_count, 0);
    assert_eq!(producer.reclaim(), 0);
    producer.recall();
}

#[test]
fn a_forked_producer_is_the_parents() {
    let place = Place::new();
    let mut child = Child::start(&place, "producer");
    child.expect("made");
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Ordered));
    let mut order = Order::of(&consumer, Mode::Lossless);
    child.say("go");
    for way in WAYS {
        child.expect(way);
        for _ in 0..2 {
            order.see(&readers::next(&mut consumer, By::Futex));
        }
        child.say("on");
    }
    assert_eq!(order.restarts, 0);
    child.say("end");
    child.expect_success();
}

/// Forks again and again while other threads use the producer: the child finds its mutex locked by
/// a thread that it does not have.
fn busy_producer(_args: &[&str]) {
    let producer = std::sync::Arc::new(create(ProducerOptions::new()));
    for _ in 0..2 {
        let producer = producer.clone();
        std::thread::spawn(move || {
            loop {
                producer.report();
            }
        });
    }
    for _ in 0..100 {
        expect_good(fork(|| {
            look_at(&producer);
            is_forked(producer.claim());
        }));
    }
    say("done");
}

#[test]
fn a_forked_child_never_waits_for_a_thread_it_does_not_have() {
    let place = Place::new();
    let mut child = Child::start(&place, "busy-producer");
    child.expect("done");
}

/// Reads; its forked child keeps everything it inherited open. Closes when it is told to.
fn staying_consumer(_args: &[&str]) {
    let mut consumer = open(Mode::Latest, 2);
    let held = readers::next(&mut consumer, By::Futex);
    say(fork(stay).as_raw_nonzero());
    await_word("close");
    drop((held, consumer));
    say("closed");
    let _ = hear();
}

#[test]
fn a_consumer_is_gone_though_its_child_keeps_the_socket() {
    for way in ["killed", "closed"] {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new());
        publish(&producer, 1);
        let mut child = Child::start(&place, "staying-consumer");
        let stray = Stray::new(&child.line());
        assert_eq!(producer.consumers(), 1);
        if way == "killed" {
            child.kill();
        } else {
            child.say("close");
            child.expect("closed");
        }
        until(way, || producer.consumers() == 0 && producer.report().leases_granted == 0);
        drop(stray);
    }
}

/// Publishes one frame; its forked child keeps everything it inherited open.
fn staying_producer(_args: &[&str]) {
    let producer = create(ProducerOptions::new());
    publish(&producer, 1);
    await_word("fork"); // somebody is attached
    say(fork(stay).as_raw_nonzero());
    await_word("close");
    producer.close();
    say("closed");
    drop(create(ProducerOptions::new())); // the name is free for the parent itself
    say("free");
    let _ = hear();
}

#[test]
fn a_producer_is_gone_though_its_child_keeps_the_socket() {
    for way in ["killed", "closed"] {
        let place = Place::new();
        let mut child = Child::start(&place, "staying-producer");
        let told = place.consumer(ConsumerOptions::new(Mode::Latest).reattach(false));
        let mut reader = place.consumer(ConsumerOptions::new(Mode::Latest));
        let held = readers::next(&mut reader, By::Futex);
        let told = task("the sleeper", || read_until_told(told, Mode::Latest, By::Futex));
        child.say("fork");
        let stray = Stray::new(&child.line());
        if way == "killed" {
            child.kill();
        } else {
            child.say("close");
            child.expect("closed");
            child.expect("free");
        }
        told.join();
        assert_intact(&held);
        // A dead producer is no producer, also while a child of it could still accept.
        assert!(reader.next(Duration::from_millis(300)).unwrap().is_none());
        let missing = place.try_consumer(ConsumerOptions::new(Mode::Latest));
        assert_eq!(missing.map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
        let asked = framelane::query(LANE, Some(place.path()), DEADLINE);
        assert_eq!(asked.map(|_| ()).unwrap_err().kind(), ErrorKind::NotFound);
        if way == "killed" {
            // The lock is the one thing that its child still has of it.
            let refused = place.try_producer(ProducerOptions::new()).map(|_| ()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused}");
            stray.kill();
        }
        let producer = place.producer(ProducerOptions::new());
        publish(&producer, 1);
        assert!(readers::next(&mut reader, By::Futex).new_epoch());
    }
}

#[test]
fn a_stream_is_the_parents_too() {
    let place = Place::new();
    let writer = place.writer(StreamWriterOptions::new(video()).lossless(true));
    let options = StreamReaderOptions::new().lossless(true).start(StreamStart::OldestKey);
    let mut reader = place.reader(options);
    write(&writer, 1);
    let record = reader.next(DEADLINE).unwrap().expect("a record");
    assert_eq!((reader.held(), writer.config().width), (1, 640));
    expect_good(fork(|| {
        // Nothing that a thread of the parent may have locked at that moment is waited for.
        assert_eq!((reader.held(), writer.config().width, writer.readers()), (0, 0, 0));
        is_forked(reader.try_next());
        is_forked(writer.begin(1));
    }));
    assert_eq!(reader.held(), 1);
    drop(record);
    assert_eq!(reader.held(), 0);
}
