//! Processes that run out of file descriptors, or of descriptors on their way: each says so, and
//! goes on when there are some again.

mod common;
mod raw;

use common::child::{entry, hear, say};
use common::device::Device;
use common::os::descriptors;
use common::{Child, DEADLINE, LANE, Place, until};
use framelane::layout::{ErrorKind, MessageType, Welcome};
use framelane::{Access, Consumer, ConsumerOptions, Mode, ProducerOptions};
use raw::users::{NOBODY, child_of, need_root, open_place};
use raw::wire::{bytes, hello, ready};
use raw::{Heard, Line, refused};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[
        ("narrow-producer", narrow_producer),
        ("narrow-consumer", narrow_consumer),
        ("poor-producer", poor_producer),
        ("far-producer", far_producer),
    ]);
}

fn limit_descriptors(current: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).unwrap();
}

/// A producer that has one descriptor left.
fn narrow_producer(_: &[&str]) {
    let _producer = common::create(ProducerOptions::new());
    limit_descriptors(descriptors() as u64 + 1);
    say("narrow");
    assert_eq!(hear(), "widen");
    limit_descriptors(1024);
    say("wide");
    hear();
}

/// Processor time of a producer's service thread, in nanoseconds.
fn cpu_of_service(producer: &Child) -> u64 {
    let tasks = format!("/proc/{}/task", producer.pid.as_raw_nonzero());
    let tasks = std::fs::read_dir(tasks).unwrap().map(|task| task.unwrap().path());
    let service = |task: &std::path::PathBuf| {
        std::fs::read_to_string(task.join("comm")).unwrap().starts_with("fl-svc")
    };
    let task = { tasks }.find(service).expect("a service thread");
    let stat = std::fs::read_to_string(task.join("schedstat")).unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_producer_without_descriptors_waits_for_some_and_does_not_spin() {
    let place = Place::new();
    let mut narrow = Child::start(&place, "narrow-producer");
    narrow.expect("narrow");
    let crowd: Vec<Line> = (0..5).map(|_| Line::connect(place.path(), LANE)).collect();
    let pause = Duration::from_millis(500);
    std::thread::sleep(pause);
    let cpu = cpu_of_service(&narrow);
    assert!(cpu < pause.as_nanos() as u64 / 4, "the service thread spins: {cpu} ns of {pause:?}");
    drop(crowd);
    narrow.say("widen");
    narrow.expect("wide");
    let consumer = raw::latest(&place);
    assert_eq!(consumer.lane().unwrap().name, LANE);
    assert_eq!(framelane::query(LANE, Some(place.path()), DEADLINE).unwrap().consumer_count, 1);
}

/// A consumer that cannot take what the producer hands over, and then can.
fn narrow_consumer(_: &[&str]) {
    let open = || Consumer::open(LANE, ConsumerOptions::new(Mode::Latest));
    drop(open().unwrap()); // everything that is made only once is there now
    let free = descriptors() as u64;
    for left in 0..10 {
        limit_descriptors(free + left);
        if let Err(error) = open() {
            let text = error.to_string();
            assert!(
                text.contains("oo many open files") || text.contains("ulimit"),
                "{left}: {text}"
            );
            assert_eq!(error.kind(), ErrorKind::System, "{left}: {text}");
        }
    }
    limit_descriptors(1024);
    drop(open().unwrap());
    until("nothing stays open", || descriptors() as u64 == free);
    say("done");
}

#[test]
fn a_consumer_without_descriptors_says_so_and_leaves_nothing() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let mut narrow = Child::start(&place, "narrow-consumer");
    narrow.expect("done");
    until("nobody is left", || producer.consumers() == 0);
}

/// Tells what it is refused with.
fn poor_producer(_: &[&str]) {
    limit_descriptors(60);
    let options = ProducerOptions::new().lease_budget(20);
    let error = refused(framelane::Producer::create(LANE, options.payload_bytes(4096)));
    say(format_args!("{:?}: {error}", error.kind()));
}

#[test]
fn too_few_descriptors_for_a_lane_are_an_error_at_create() {
    let place = Place::new();
    let said = Child::start(&place, "poor-producer").line();
    assert!(said.starts_with("TooMany: "), "{said}");
    assert!(said.contains("20 consumers and 0 device buffers need 78"), "{said}");
    assert!(said.contains("the limit of this process is 60"), "{said}");
}

/// A lane whose owner may have few descriptors on their way: the kernel counts them for the user.
fn far_producer(_: &[&str]) {
    limit_descriptors(64);
    let options = ProducerOptions::new().access(Access::Everyone);
    let _device = Device::new(options, 9, Duration::ZERO);
    say("made");
    hear();
}

#[test]
fn descriptors_that_nobody_takes_off_the_socket_are_a_named_refusal_for_the_next() {
    need_root();
    let place = open_place();
    rustix::fs::chown(place.path(), Some(rustix::fs::Uid::from_raw(NOBODY)), None).unwrap();
    let mut producer = child_of(&place, "far-producer", NOBODY);
    producer.expect("made");
    let mut willing = hello(LANE);
    willing.wants_writable = 1;
    let mut unread = Vec::new();
    let last_word = loop {
        let line = Line::connect(place.path(), LANE);
        line.send(bytes(&willing)).unwrap();
        let welcome = line.message::<Welcome>().0;
        line.send(bytes(&ready(welcome.consumer_id))).unwrap();
        // Its answer has come when a query after it is answered.
        framelane::query(LANE, Some(place.path()), DEADLINE).unwrap();
        if line.next_is(MessageType::Bye) {
            break line.goodbye();
        }
        unread.push(line);
        assert!(unread.len() < 7, "64 descriptors on their way are enough");
    };
    assert_eq!(last_word.0, ErrorKind::TooMany.number(), "{last_word:?}");
    assert!(last_word.1.contains("ETOOMANYREFS"), "{last_word:?}");
    // Those who were served before are served still; and when they go, the next one is.
    let Heard::Packet(_, fds) = unread[0].hear() else { panic!("no descriptors") };
    assert_eq!(fds.len(), 12);
    drop((unread, fds));
    let options = ConsumerOptions::new(Mode::Latest).wants_writable(true);
    drop(place.consumer(options));
}
