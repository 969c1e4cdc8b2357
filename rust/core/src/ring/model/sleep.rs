//! Going to sleep against publishing: no wake-up is ever lost. A lost one is a deadlock, which
//! loom reports.

use super::{Consumer, explore, stage};
use crate::ring::consumer::head;
use crate::ring::producer::close;
use crate::ring::token::sequence_of;
use crate::ring::waiting::{announce, arm, sleep_on, wanted, withdraw};
use crate::ring::words::{AtomicU32, LaneWords};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The kernel's side of a futex: the word is compared under the lock of its queue, and a wake
/// takes the same lock.
pub(super) struct Futex {
    woken: Mutex<u32>,
    queue: Condvar,
}

impl Futex {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Futex { woken: Mutex::new(0), queue: Condvar::new() })
    }

    fn wait(&self, word: &AtomicU32, value: u32) {
        self.wait_any(&[(word, value)]);
    }

    /// As futex_waitv on several words: a wake-up of any of them ends it.
    pub(super) fn wait_any(&self, words: &[(&AtomicU32, u32)]) {
        let mut woken = self.woken.lock().unwrap();
        if words.iter().any(|(word, value)| word.load(Relaxed) != *value) {
            return;
        }
        let before = *woken;
        while *woken == before {
            woken = self.queue.wait(woken).unwrap();
        }
    }

    pub(super) fn wake(&self) {
        *self.woken.lock().unwrap() += 1;
        self.queue.notify_all();
    }
}

/// Sleeps as a consumer does, until there is a frame or the lane is over.
fn sleep_until_news(consumer: &Consumer, futex: &Futex, word: &AtomicU32) {
    let lane = &consumer.shared.lane;
    let news = || sequence_of(head(lane)) != 0 || lane.closed().load(Relaxed) != 0;
    while !news() {
        let value = sleep_on(word);
        announce(consumer.page());
        if !news() {
            futex.wait(word, value);
        }
        withdraw(consumer.page());
    }
}

fn sleep_on_lane(consumer: &Consumer, futex: &Futex) {
    sleep_until_news(consumer, futex, consumer.shared.lane.wake());
}

#[test]
fn a_sleeper_is_woken_by_a_publish() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        let futex = Futex::new();
        let (consumer, bed) = (Consumer::new(&shared, 0), futex.clone());
        thread::spawn(move || sleep_on_lane(&consumer, &bed));
        producer.publish();
        if wanted(&shared.pages[0], 0).sleepers != 0 {
            futex.wake();
        }
    });
}

/// Two threads of one consumer: the first to wake does not erase the announcement of the other.
#[test]
fn two_sleepers_of_one_consumer_are_both_woken() {
    explore(Some(3), || {
        let (mut producer, shared) = stage(&[1], 0);
        let futex = Futex::new();
        for _ in 0..2 {
            let (consumer, bed) = (Consumer::new(&shared, 0), futex.clone());
            thread::spawn(move || sleep_on_lane(&consumer, &bed));
        }
        producer.publish();
        if wanted(&shared.pages[0], 0).sleepers != 0 {
            futex.wake();
        }
    });
}

#[test]
fn a_sleeper_is_woken_by_the_end_of_the_lane() {
    explore(None, || {
        let (_producer, shared) = stage(&[1], 0);
        let futex = Futex::new();
        let (consumer, bed) = (Consumer::new(&shared, 0), futex.clone());
        thread::spawn(move || sleep_on_lane(&consumer, &bed));
        close(&shared.lane);
        futex.wake(); // everybody, whether they announced themselves or not
    });
}

/// A descriptor: readable once rung, until it is drained.
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_all();
    }

    fn drain(&self) {
        *self.rung.lock().unwrap() = false;
    }

    fn poll(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
    }
}

/// A poller drains, arms, looks again, polls. Each ticket is answered with one ring, and a frame
/// that comes after the last look rings.
#[test]
fn a_poller_gets_every_frame_by_its_ticket() {
    explore(Some(3), || {
        let (mut producer, shared) = stage(&[1], 0);
        let bell = Arc::new(Bell { rung: Mutex::new(false), changed: Condvar::new() });
        let (consumer, fd) = (Consumer::new(&shared, 0), bell.clone());
        thread::spawn(move || {
            let newest = || sequence_of(head(&consumer.shared.lane));
            let mut last = 0;
            while last < 2 {
                if newest() == last {
                    fd.drain();
                    arm(consumer.page());
                    if newest() == last {
                        fd.poll();
                    }
                }
                last = newest();
            }
        });
        let mut answered = 0;
        for _ in 0..2 {
            producer.publish();
            if let Some(ticket) = wanted(&shared.pages[0], answered).ticket {
                assert_ne!(ticket, answered);
                answered = ticket;
                bell.ring();
            }
        }
    });
}

/// A word of the consumer's own is only touched when somebody has announced himself.
#[test]
fn a_sleeper_on_a_word_of_its_own_is_woken() {
    explore(None, || {
        let (mut producer, shared) = stage(&[1], 0);
        let bed = Arc::new((Futex::new(), AtomicU32::new(0)));
        let (consumer, asleep) = (Consumer::new(&shared, 0), bed.clone());
        thread::spawn(move || sleep_until_news(&consumer, &asleep.0, &asleep.1));
        producer.publish();
        if wanted(&shared.pages[0], 0).sleepers != 0 {
            bed.1.fetch_add(1, Relaxed);
            bed.0.wake();
        }
    });
}
