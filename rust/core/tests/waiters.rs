//! Many waiters, of every kind, and everything that ends a wait.
#![allow(unsafe_code, reason = "a signal handler, and a signal to one thread")]

mod common;
mod raw;

use common::child::{entry, say};
use common::readers::{self, By};
use common::{Child, DEADLINE, Order, Place, create, fill, os, publish, task, until};
use framelane::{Consumer, ConsumerOptions, ErrorKind, Mode, ProducerOptions, Trust};
use raw::device::{Book, device_lane};
use rustix::event::epoll::{self, EventData, EventFlags};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn child_entry() {
    entry(&[("publisher", publisher)]);
}

/// Publishes so many frames: some at once, some when everybody sleeps, some in batches.
fn publisher(args: &[&str]) {
    let frames: u64 = args[0].parse().unwrap();
    let trust = if args.contains(&"untrusted") { Trust::Untrusted } else { Trust::SameUser };
    let options = ProducerOptions::new().trust(trust).lossless(true).claims(3).history(2);
    let producer = create(options.lease_budget(16));
    say("made");
    common::child::await_word("go");
    let mut sequence = 0;
    while sequence < frames {
        let batch = if sequence % 7 == 0 { 3 } else { 1 };
        let mut claimed = Vec::new();
        for _ in 0..batch {
            sequence += 1;
            let mut frame = producer.claim_within(DEADLINE).unwrap();
            fill(&mut frame, producer.epoch(), sequence);
            claimed.push(frame);
        }
        assert_eq!(producer.publish_batch(claimed).unwrap(), sequence);
        match sequence % 5 {
            0 => std::thread::sleep(Duration::from_micros(200)),
            1 => std::thread::yield_now(),
            _ => {}
        }
    }
    say(sequence);
    common::child::await_word("end");
}

#[test]
fn eight_consumers_of_one_process_miss_nothing() {
    for trust in ["", " untrusted"] {
        let place = Place::new();
        let mut child = Child::start(&place, &format!("publisher 3000{trust}"));
        child.expect("made");
        let bys = [By::Futex, By::Fd, By::Futex, By::Fd, By::Futex, By::Fd, By::Futex, By::Fd];
        let readers = bys.map(|by| {
            let reader = readers::Reader { mode: Mode::Lossless, by, restarts: 0, until: 3000 };
            reader.start(&place)
        });
        child.say("go");
        for reader in readers {
            assert!(reader.join().seen >= 3000, "everything that was published");
        }
        child.kill();
    }
}

#[test]
fn event_loops_of_either_kind_miss_nothing() {
    for trust in ["", " untrusted"] {
        for flags in [EventFlags::IN, EventFlags::IN | EventFlags::ET] {
            let place = Place::new();
            let mut child = Child::start(&place, &format!("publisher 3000{trust}"));
            child.expect("made");
            let options = || ConsumerOptions::new(Mode::Lossless);
            let consumers: Vec<Consumer> = (0..4).map(|_| place.consumer(options())).collect();
            child.say("go");
            event_loop(consumers, flags, 3000);
            child.kill();
        }
    }
}

/// One epoll over several consumers, until each has read so many frames.
fn event_loop(mut consumers: Vec<Consumer>, flags: EventFlags, frames: u64) {
    let outer = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    for (index, consumer) in consumers.iter_mut().enumerate() {
        epoll::add(&outer, consumer.fd(), EventData::new_u64(index as u64), flags).unwrap();
    }
    let mut orders: Vec<Order> =
        consumers.iter().map(|consumer| Order::of(consumer, Mode::Lossless)).collect();
    let timeout = rustix::event::Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
    while orders.iter().any(|order| order.last < frames) {
        let mut events = Vec::with_capacity(8);
        let room = rustix::buffer::spare_capacity(&mut events);
        epoll::wait(&outer, room, Some(&timeout)).unwrap();
        assert!(!events.is_empty(), "rung within the deadline, with {flags:?}");
        for event in events {
            let index = event.data.u64() as usize;
            while let Some(frame) = consumers[index].try_next().unwrap() {
                orders[index].see(&frame);
            }
        }
    }
}

/// A consumer asleep on a thread of its own, one way or another.
fn asleep(
    mut consumer: Consumer,
    by: By,
    going: Arc<AtomicBool>,
) -> common::threads::Task<ErrorKind> {
    task("the sleeper", move || {
        going.store(true, SeqCst);
        let result = readers::try_next(&mut consumer, by);
        let error = result.map(|frame| frame.sequence()).expect_err("closed while it waits");
        let again = consumer.try_next().map(|_| ()).expect_err("closed for good");
        assert_eq!(again.kind(), error.kind());
        error.kind()
    })
}

#[test]
fn a_thousand_closers_race_with_sleepers() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let racing = |by: By, rounds: u64| {
        for round in 0..rounds {
            let consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
            let (closer, other) = (consumer.closer(), consumer.closer());
            let going = Arc::new(AtomicBool::new(false));
            let sleeper = asleep(consumer, by, going.clone());
            while !going.load(SeqCst) {
                std::hint::spin_loop();
            }
            (0..round % 64 * 20).for_each(|_| std::hint::spin_loop());
            let second = std::thread::spawn(move || other.close());
            closer.close();
            assert_eq!(sleeper.join(), ErrorKind::Closed);
            second.join().unwrap();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| racing(By::Futex, 500));
        scope.spawn(|| racing(By::Fd, 500));
    });
    until("nobody is left", || producer.consumers() == 0);
}

#[test]
fn a_closer_ends_the_wait_for_a_producer_too() {
    for by in [By::Futex, By::Fd, By::Spin] {
        let place = Place::new();
        let producer = place.producer(ProducerOptions::new());
        let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
        drop(producer);
        until("the end is noticed", || {
            assert!(consumer.try_next().unwrap().is_none());
            consumer.epoch() == 0
        });
        let closer = consumer.closer();
        let sleeper = asleep(consumer, by, Arc::default());
        std::thread::sleep(Duration::from_millis(10));
        closer.close();
        assert_eq!(sleeper.join(), ErrorKind::Closed);
        closer.close(); // of a consumer that is no more
    }
}

#[test]
fn who_shares_the_word_with_a_closed_one_sleeps_on() {
    let place = Place::new();
    let producer = place.producer(ProducerOptions::new());
    let closing = place.consumer(ConsumerOptions::new(Mode::Latest));
    let closer = closing.closer();
    let reader = readers::Reader { mode: Mode::Ordered, by: By::Futex, restarts: 0, until: 1 };
    let staying = reader.start(&place);
    let sleeper = asleep(closing, By::Futex, Arc::default());
    std::thread::sleep(Duration::from_millis(5));
    closer.close();
    assert_eq!(sleeper.join(), ErrorKind::Closed);
    publish(&producer, 1);
    assert_eq!(staying.join().seen, 1);
}

/// Signals taken by this process's handler.
static SIGNALS: AtomicU64 = AtomicU64::new(0);

extern "C" fn count_signal(_number: libc::c_int) {
    SIGNALS.fetch_add(1, SeqCst);
}

fn handle_signals() {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeroes is a valid action without flags and with an empty mask.
    let action = unsafe {
        (*action.as_mut_ptr()).sa_sigaction = count_signal as *const () as usize;
        action.assume_init()
    };
    // SAFETY: the handler does nothing but add to an atomic.
    assert_eq!(unsafe { libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()) }, 0);
}

#[test]
fn a_signal_ends_a_wait_only_where_that_was_asked_for() {
    handle_signals();
    let place = Place::new();
    for (with_producer, returns) in [(true, true), (true, false), (false, true), (false, false)] {
        let producer = place.producer(ProducerOptions::new());
        let options = ConsumerOptions::new(Mode::Latest).return_on_signal(returns);
        let mut consumer = place.consumer(options);
        let producer = with_producer.then_some(producer);
        if producer.is_none() {
            until("the end is noticed", || {
                assert!(consumer.try_next().unwrap().is_none());
                consumer.epoch() == 0
            });
        }
        let (sender, tid) = std::sync::mpsc::channel();
        let sleeper = task("the sleeper", move || {
            sender.send(rustix::thread::gettid()).unwrap();
            let frame = consumer.next(DEADLINE).unwrap();
            frame.is_some()
        });
        let tid = tid.recv().unwrap();
        let before = SIGNALS.load(SeqCst);
        let pid = std::process::id() as i32;
        until("signals arrive in its sleep", || {
            if os::state_of(pid, tid.as_raw_nonzero().get()) == 'S' {
                signal_thread(tid);
            }
            sleeper.is_over() || (!returns && SIGNALS.load(SeqCst) >= before + 3)
        });
        if returns {
            assert!(!sleeper.join(), "no frame, only a signal");
            continue;
        }
        assert!(!sleeper.is_over());
        let producer = producer.unwrap_or_else(|| place.producer(ProducerOptions::new()));
        publish(&producer, 1);
        assert!(sleeper.join(), "it slept on until a frame came");
    }
}

/// `check` of a device frame asks the kernel, and a signal may interrupt that.
#[test]
fn a_signal_is_not_taken_for_the_end_of_the_producer() {
    const STORM: u64 = 20_000;
    handle_signals();
    let place = Place::new();
    let producer = device_lane(&place, ProducerOptions::new(), 1);
    let mut consumer = place.consumer(ConsumerOptions::new(Mode::Latest));
    let book = Book::default();
    book.publish(&producer, 0);
    let frame = consumer.next(DEADLINE).unwrap().expect("the frame just published");
    let (sender, tid) = std::sync::mpsc::channel();
    let before = SIGNALS.load(SeqCst);
    let holder = task("the holder", move || {
        sender.send(rustix::thread::gettid()).unwrap();
        while SIGNALS.load(SeqCst) < before + STORM {
            assert!(frame.check(), "it took a living producer for gone");
        }
    });
    let tid = tid.recv().unwrap();
    until("the storm is over", || {
        (0..1000).for_each(|_| signal_thread(tid));
        holder.is_over()
    });
    holder.join();
}

fn signal_thread(tid: rustix::process::Pid) {
    let process = std::process::id() as libc::c_int;
    // SAFETY: sends a signal that this process handles.
    unsafe {
        libc::syscall(libc::SYS_tgkill, process, tid.as_raw_nonzero().get(), libc::SIGUSR1);
    }
}
