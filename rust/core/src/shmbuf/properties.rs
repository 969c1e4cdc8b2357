//! Random sequences of everything that both sides do against a queue that knows what must come of
//! it, and random bytes where a header should be.

use super::{Receiver, ReceiverOptions, Sender, SenderOptions, remove};
use crate::layout::ErrorKind;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

const NAME: &str = "/ring";

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn place() -> (TempDir, Option<PathBuf>) {
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let path = Some(dir.path().to_owned());
    (dir, path)
}

#[derive(Clone, Debug)]
enum Step {
    Send(usize),
    Receive,
    ReceiveInto(usize),
    Skip,
    /// What an upstream sender may do.
    SendEmpty,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (1..80_usize).prop_map(Step::Send),
        4 => Just(Step::Receive),
        2 => (0..80_usize).prop_map(Step::ReceiveInto),
        1 => Just(Step::Skip),
        1 => Just(Step::SendEmpty),
    ]
}

/// Both sides and the queue between them; an empty message is a place in it.
struct Pair {
    sender: Sender,
    receiver: Receiver,
    queue: VecDeque<Vec<u8>>,
    passed: u8,
    unread: usize,
    empty: u64,
}

impl Pair {
    fn new(capacity: u64, start: u32, place: Option<PathBuf>) -> Self {
        let options = SenderOptions::new(capacity).directory(place.clone());
        let mut sender = Sender::create(NAME, options).unwrap();
        sender.start_at(start);
        let receiver = Receiver::open(NAME, ReceiverOptions::new().directory(place)).unwrap();
        Pair { sender, receiver, queue: VecDeque::new(), passed: 0, unread: 0, empty: 0 }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Send(length) => self.send(length),
            Step::SendEmpty => {
                if self.unread + 4 <= self.sender.capacity_bytes() {
                    self.sender.send_empty();
                    self.unread += 4;
                    self.queue.push_back(Vec::new());
                }
            }
            Step::Receive => {
                let wanted = self.expected();
                let mut message = vec![1, 2, 3];
                assert_eq!(self.receiver.try_recv(&mut message).unwrap(), wanted.is_some());
                if let Some(wanted) = wanted {
                    assert_eq!(message, wanted);
                    self.drop_first();
                }
            }
            Step::ReceiveInto(room) => self.receive_into(room),
            Step::Skip => {
                let wanted = self.expected().is_some();
                assert_eq!(self.receiver.skip().unwrap(), wanted);
                if wanted {
                    self.drop_first();
                }
            }
        }
    }

    fn send(&mut self, length: usize) {
        self.passed = self.passed.wrapping_add(1);
        let message: Vec<u8> = (0..length).map(|i| i as u8 ^ self.passed).collect();
        let sent = self.sender.try_send(&message);
        if length > self.sender.longest_message() {
            assert_eq!(sent.unwrap_err().kind(), ErrorKind::TooLarge);
        } else if sent.unwrap() {
            self.unread += 4 + length;
            self.queue.push_back(message);
        } else {
            assert!(self.unread + 4 + length > self.sender.capacity_bytes(), "there was room");
        }
    }

    fn receive_into(&mut self, room: usize) {
        let wanted = self.expected();
        let mut buffer = vec![0; room];
        let got = self.receiver.try_recv_into(&mut buffer);
        match wanted {
            Some(wanted) if wanted.len() > room => {
                assert_eq!(got.unwrap_err().kind(), ErrorKind::TooLarge, "and it stays");
            }
            Some(wanted) => {
                assert_eq!(got.unwrap(), Some(wanted.len()));
                assert_eq!(buffer[..wanted.len()], wanted);
                self.drop_first();
            }
            None => assert_eq!(got.unwrap(), None),
        }
    }

    /// What the receiver must find, after it has stepped over the empty ones.
    fn expected(&mut self) -> Option<Vec<u8>> {
        while self.queue.front().is_some_and(Vec::is_empty) {
            self.empty += 1;
            self.drop_first();
        }
        self.queue.front().cloned()
    }

    fn drop_first(&mut self) {
        self.unread -= 4 + self.queue.pop_front().unwrap().len();
    }

    fn check(&self) {
        // Empty ones are stepped over when the receiver looks, which the queue knows only then.
        assert_eq!(self.sender.unread_bytes().unwrap(), self.unread);
        assert_eq!(self.receiver.empty(), self.empty);
    }
}

/// What can stand in a header, by chance or malice.
fn header_word() -> impl Strategy<Value = u32> {
    prop_oneof![0..80_u32, any::<u32>(), Just(64), Just(1 << 31)]
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn the_ring_does_what_a_queue_does(
        capacity in 8..200_u64,
        start in prop_oneof![Just(0), any::<u32>(), (0..300_u32).prop_map(|n| u32::MAX - n)],
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let (_dir, place) = place();
        let mut pair = Pair::new(capacity, start, place);
        prop_assert!(pair.sender.capacity_bytes() as u64 <= capacity);
        prop_assert_eq!(pair.sender.capacity_bytes(), pair.receiver.capacity_bytes());
        for step in &steps {
            pair.take(step);
            pair.check();
        }
    }

    #[test]
    fn random_bytes_are_refused_or_read_but_never_more(
        words in prop::array::uniform4(header_word()),
        data in prop::collection::vec(any::<u8>(), 0..160),
        small in prop::collection::vec(0..40_u32, 0..40),
    ) {
        let (_dir, place) = place();
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(&data);
        bytes.extend(small.iter().flat_map(|word| word.to_le_bytes()));
        let path = place.as_ref().unwrap().join("ring");
        std::fs::write(&path, &bytes).unwrap();
        let opened = Receiver::open(NAME, ReceiverOptions::new().directory(place.clone()));
        let Ok(mut receiver) = opened else { return Ok(()) };
        prop_assert!(receiver.capacity_bytes() + 16 <= bytes.len());
        let (mut message, mut unread) = (Vec::new(), receiver.capacity_bytes());
        while let Ok(true) = receiver.try_recv(&mut message) {
            prop_assert!(message.len() + 4 <= unread, "more than can have been written");
            unread -= message.len() + 4;
        }
        drop(receiver);
        prop_assert!(remove(NAME, place.as_deref()).unwrap());
        prop_assert!(!remove(NAME, place.as_deref()).unwrap());
    }
}

#[test]
fn a_python_receiver_never_meets_a_counter_that_wraps() {
    let (_dir, place) = place();
    let options = SenderOptions::new(64).python_receiver(true).directory(place.clone());
    let mut sender = Sender::create(NAME, options).unwrap();
    sender.start_at(u32::MAX - 100);
    let mut receiver = Receiver::open(NAME, ReceiverOptions::new().directory(place)).unwrap();
    let mut message = Vec::new();
    for n in 0..100_u8 {
        assert!(sender.send(&[n; 20], Duration::from_secs(10)).unwrap());
        if n % 2 == 1 {
            for n in [n - 1, n] {
                assert!(receiver.recv(&mut message, Duration::from_secs(10)).unwrap());
                assert_eq!(message, [n; 20]);
            }
        }
    }
    let (head, tail) = sender.counters();
    assert_eq!((head, tail), (2400, 2400), "set back before the first message, never wrapped");
}

#[test]
fn what_cannot_be_sent_is_told_apart() {
    let (_dir, place) = place();
    let options = SenderOptions::new(100).directory(place);
    let mut sender = Sender::create("x", options).unwrap();
    assert_eq!((sender.capacity_bytes(), sender.longest_message()), (64, 60));
    let kind = |sent: crate::Result<bool>| sent.unwrap_err().kind();
    assert_eq!(kind(sender.try_send(&[])), ErrorKind::InvalidArgument);
    let error = sender.try_send(&[0; 61]).unwrap_err();
    assert!(error.to_string().contains("takes messages of up to 60"), "{error}");
    assert!(sender.try_send(&[7; 60]).unwrap(), "a message may fill the ring");
    assert!(!sender.try_send(&[7; 1]).unwrap());
    assert!(!sender.send(&[7; 1], Duration::from_millis(5)).unwrap());
    assert_eq!((sender.sent(), sender.times_full()), (1, 1));
}
