//! System calls of each frame, counted exactly, and page faults on the way of a frame.

mod common;

use common::child::{entry, say};
use common::device::Device;
use common::readers::is_readable;
use common::trace::{counted, in_peace, page_faults, trace};
use common::{Child, DEADLINE, LANE, Place, assert_intact, create, fill, os, publish, until};
use framelane::{Consumer, ConsumerOptions, Mode, Producer, ProducerOptions, Reclaim, Trust};
use libc::{SYS_epoll_pwait, SYS_futex, SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[test]
fn child_entry() {
    entry(&[
        ("nobody-sleeps", nobody_sleeps),
        ("sleepers", sleepers),
        ("device", device),
        ("faults", faults),
    ]);
}

/// Frames counted in each situation.
const FRAMES: u64 = 20;

/// How one frame travels in the situations below.
const PUBLISH: u64 = 1;
const TAKE: u64 = 2;
const SLEEP: u64 = 3;
const POLL: u64 = 4;
const CHECK: u64 = 5;

fn claim_and_publish(producer: &Producer, sequence: u64) -> bool {
    let mut frame = producer.claim().unwrap();
    fill(&mut frame, producer.epoch(), sequence);
    frame.publish().unwrap() == sequence
}

fn open(mode: Mode) -> Consumer {
    Consumer::open(LANE, ConsumerOptions::new(mode).wait_for_lane(DEADLINE)).unwrap()
}

/// Publishes to consumers that read what waits for them.
fn nobody_sleeps(args: &[&str]) {
    let lossless = args == ["lossless"];
    let producer = create(ProducerOptions::new().lossless(lossless));
    let mode = if lossless { Mode::Lossless } else { Mode::Ordered };
    let mut consumers = [open(Mode::Latest), open(mode)];
    in_peace(|| {
        for sequence in 1..=FRAMES {
            counted(PUBLISH, || claim_and_publish(&producer, sequence));
            for consumer in &mut consumers {
                counted(TAKE, || {
                    let frame = consumer.next(DEADLINE).unwrap().expect("a frame waits");
                    assert_intact(&frame);
                    frame.sequence() == sequence && frame.release().is_ok()
                });
            }
        }
    });
}

#[test]
fn nobody_sleeps_and_no_call_is_made() {
    for role in ["nobody-sleeps", "nobody-sleeps lossless"] {
        let place = Place::new();
        let traced = trace(&place, role);
        traced.expect(PUBLISH, "claim, fill, publish while nobody sleeps", &[]);
        traced.expect(TAKE, "next and release of a frame that waits", &[]);
        assert_eq!(traced.background, [0u64; 0], "the service thread sleeps");
    }
}

/// A thread that reads frame after frame and says how far it is.
struct Waiter {
    tid: rustix::process::Pid,
    /// Reads begun.
    begun: Arc<AtomicU64>,
    /// Reads ended.
    ended: Arc<AtomicU64>,
    /// Reads that took longer than one sleep.
    slow: Arc<AtomicU64>,
}

impl Waiter {
    fn start(mut consumer: Consumer, by_fd: bool) -> Self {
        let [begun, ended, slow] = [(); 3].map(|()| Arc::new(AtomicU64::new(0)));
        let [tell_begun, tell_ended, tell_slow] = [&begun, &ended, &slow].map(Arc::clone);
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            sender.send(rustix::thread::gettid()).unwrap();
            if by_fd {
                is_readable(&mut consumer, DEADLINE); // it is, at first
                assert!(consumer.try_next().unwrap().is_none());
            }
            loop {
                tell_begun.fetch_add(1, SeqCst);
                if by_fd {
                    counted(POLL, || wait_by_fd(&mut consumer));
                } else {
                    counted(SLEEP, || {
                        let in_one = wait_by_futex(&mut consumer);
                        tell_slow.fetch_add(u64::from(!in_one), SeqCst);
                        in_one
                    });
                }
                tell_ended.fetch_add(1, SeqCst);
            }
        });
        Waiter { tid: receiver.recv().unwrap(), begun, ended, slow }
    }

    /// Waits until it waits for its next frame.
    fn until_waiting(&self) {
        until("the waiter begins", || self.begun.load(SeqCst) == self.ended.load(SeqCst) + 1);
        os::until_asleep(self.tid);
    }
}

/// One blocked read. A sleep of a whole slice looks at the connection: that is no sample.
fn wait_by_futex(consumer: &mut Consumer) -> bool {
    let begun = Instant::now();
    let frame = consumer.next(DEADLINE).unwrap().expect("a frame comes");
    assert_intact(&frame);
    begun.elapsed() < Duration::from_millis(50)
}

/// One turn of an event loop: polled, read, and read until nothing is left.
fn wait_by_fd(consumer: &mut Consumer) -> bool {
    assert!(is_readable(consumer, DEADLINE));
    let frame = consumer.try_next().unwrap().expect("it is readable for a reason");
    assert_intact(&frame);
    drop(frame);
    consumer.try_next().unwrap().is_none()
}

/// `sleepers <futex waiters> <fd waiters> [untrusted]`
fn sleepers(args: &[&str]) {
    let count = |text: &str| text.parse::<usize>().unwrap();
    let trust = if args.contains(&"untrusted") { Trust::Untrusted } else { Trust::SameUser };
    let producer = create(ProducerOptions::new().trust(trust));
    let (futex, fd) = (count(args[0]), count(args[1]));
    let waiters: Vec<Waiter> =
        (0..futex + fd).map(|index| Waiter::start(open(Mode::Ordered), index >= futex)).collect();
    waiters.iter().for_each(Waiter::until_waiting);
    in_peace(|| {
        for sequence in 1..=FRAMES {
            waiters.iter().for_each(Waiter::until_waiting);
            let slow = || waiters.iter().map(|waiter| waiter.slow.load(SeqCst)).sum::<u64>();
            let slow_before = slow();
            counted(PUBLISH, || {
                assert!(claim_and_publish(&producer, sequence));
                // Without a system call. Who was between two sleeps was not waiting.
                while waiters.iter().any(|waiter| waiter.ended.load(SeqCst) < sequence) {
                    std::hint::spin_loop();
                }
                slow() == slow_before
            });
        }
    });
    waiters.iter().for_each(Waiter::until_waiting);
    std::process::exit(0); // with the waiters waiting
}

fn expect_sleepers(role: &str, publish: &[libc::c_long], poll: &[libc::c_long]) {
    let place = Place::new();
    let traced = trace(&place, &format!("sleepers {role}"));
    traced.expect(PUBLISH, &format!("publish to sleepers {role}"), publish);
    if !role.starts_with('0') {
        traced.expect(SLEEP, "next of a sleeper", &[SYS_futex]);
    }
    if !poll.is_empty() {
        traced.expect(POLL, "a turn of an event loop", poll);
    }
    assert_eq!(traced.background, [0u64; 0], "the service thread sleeps");
}

#[test]
fn sleepers_on_the_futex_cost_one_call_however_many() {
    expect_sleepers("1 0", &[SYS_futex], &[]);
    expect_sleepers("4 0", &[SYS_futex], &[]);
}

#[test]
fn each_armed_descriptor_costs_one_call_and_two_where_it_is_polled() {
    let turn = [SYS_ppoll, SYS_epoll_pwait];
    expect_sleepers("0 1", &[SYS_write], &turn);
    expect_sleepers("0 3", &[SYS_write, SYS_write, SYS_write], &turn);
    expect_sleepers("3 2", &[SYS_futex, SYS_write, SYS_write], &turn);
}

#[test]
fn a_peer_with_bells_of_its_own_costs_one_call_and_three_where_it_polls() {
    let turn = [SYS_ppoll, SYS_epoll_pwait, SYS_recvfrom];
    expect_sleepers("2 0 untrusted", &[SYS_futex, SYS_futex], &[]);
    expect_sleepers("0 2 untrusted", &[SYS_sendto, SYS_sendto], &turn);
}

/// Publishes from device memory, and reads it.
fn device(_args: &[&str]) {
    let options = ProducerOptions::new().reclaim(Reclaim::Pump);
    let mut device = Device::new(options, 16, Duration::ZERO);
    let options = ConsumerOptions::new(Mode::Latest).wants_writable(true);
    let mut consumer = Consumer::open(LANE, options).unwrap();
    for sequence in 1..=FRAMES {
        let buffer = device.fill();
        counted(PUBLISH, || device.publish_filled(buffer) == sequence);
        let mut taken = None;
        counted(TAKE, || {
            taken = consumer.try_next().unwrap();
            taken.is_some()
        });
        let frame = taken.unwrap();
        counted(CHECK, || frame.check());
        counted(TAKE, || {
            drop(frame);
            true
        });
        device.producer.reclaim();
    }
}

#[test]
fn a_device_frame_costs_a_call_where_it_is_checked() {
    let place = Place::new();
    let traced = trace(&place, "device");
    traced.expect(PUBLISH, "publish_external", &[]);
    traced.expect(TAKE, "next, and drop, of a device frame", &[]);
    traced.expect(CHECK, "check of a device frame", &[SYS_ppoll]);
}

/// Publishes and reads frame after frame, filling and reading every byte.
fn faults(_args: &[&str]) {
    let producer = create(ProducerOptions::new().payload_bytes(1 << 20).history(3));
    let mut consumer = open(Mode::Latest);
    let mut travel = |frames: std::ops::RangeInclusive<u64>| {
        for sequence in frames {
            publish(&producer, sequence);
            assert_intact(&consumer.next(DEADLINE).unwrap().expect("a frame waits"));
        }
    };
    travel(1..=5); // which touches the stack and the code
    let before = page_faults();
    travel(6..=100);
    say(page_faults() - before);
}

#[test]
fn no_page_fault_on_the_way_of_a_frame() {
    // In a process of its own: after a fork, and so after each start of a child, a process faults
    // wherever it writes.
    let place = Place::new();
    let mut child = Child::start(&place, "faults");
    child.expect("0");
}
