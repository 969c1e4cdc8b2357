//! Hand-offs between two processes by the hundred thousand: no wake-up lost, nothing torn, nothing
//! out of order. `FRAMELANE_HANDOFFS` says how many; 10^8 are for the long run.

use framelane::{
    Consumer, ConsumerOptions, Frame, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

const DIRECTORY: &str = "FRAMELANE_STRESS_DIRECTORY";
const WAY: &str = "FRAMELANE_STRESS_WAY";
/// A wake-up that has not come after this is lost.
const DEADLINE: Duration = Duration::from_secs(30);

fn handoffs() -> u64 {
    let asked = std::env::var("FRAMELANE_HANDOFFS").ok();
    asked.map_or(1_000_000, |count| count.parse().expect("FRAMELANE_HANDOFFS is a number"))
}

#[test]
fn sleepers_on_the_futex_lose_nothing() {
    hand_off("futex", handoffs() / 2);
}

#[test]
fn pollers_of_the_descriptor_lose_nothing() {
    hand_off("fd", handoffs() / 2);
}

/// The reading process; a test that has nothing to do when it is run as one.
#[test]
fn reader() {
    let Some(directory) = std::env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let by_fd = std::env::var(WAY).as_deref() == Ok("fd");
    let options = ConsumerOptions::new(Mode::Lossless).wait_for_lane(DEADLINE).reattach(false);
    let mut consumer = Consumer::open("stress", options.directory(Some(directory))).unwrap();
    let mut expected = 1;
    loop {
        let frame = if by_fd { polled(&mut consumer) } else { slept(&mut consumer) };
        assert_eq!((frame.sequence(), frame.missed()), (expected, 0), "in order, none missed");
        let words: Vec<u64> = frame
            .plane(0)
            .unwrap()
            .chunks_exact(8)
            .map(|word| u64::from_ne_bytes(word.try_into().unwrap()))
            .collect();
        assert!(words[1..].iter().all(|&word| word == expected), "torn: {expected} {words:?}");
        if words[0] == expected {
            return; // its last
        }
        expected += 1;
    }
}

fn slept(consumer: &mut Consumer) -> Frame {
    consumer.next(DEADLINE).unwrap().expect("no wake-up is lost")
}

fn polled(consumer: &mut Consumer) -> Frame {
    let limit = Timespec { tv_sec: DEADLINE.as_secs() as i64, tv_nsec: 0 };
    loop {
        if let Some(frame) = consumer.try_next().unwrap() {
            return frame;
        }
        let fd = consumer.fd();
        let ready = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&limit));
        assert_ne!(ready, Ok(0), "no ring is lost");
    }
}

struct Reader(Child);

impl Reader {
    fn start(directory: &Path, way: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "reader", "--nocapture"]);
        Reader(command.env(DIRECTORY, directory).env(WAY, way).spawn().unwrap())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Publishes `count` frames whose words are their sequence; the first word is it only in the last.
fn hand_off(way: &str, count: u64) {
    let place = tempfile::tempdir().unwrap();
    let layout = FrameLayout::new(PixelFormat::Grey, 256, 1).unwrap();
    let options = ProducerOptions::new().layout(layout).lossless(true).lease_budget(1);
    let producer =
        Producer::create("stress", options.directory(Some(place.path().to_owned()))).unwrap();
    let mut reader = Reader::start(place.path(), way);
    let start = std::time::Instant::now();
    while producer.consumers() == 0 {
        assert!(start.elapsed() < DEADLINE, "the reader comes");
        std::thread::sleep(Duration::from_millis(1));
    }
    for sequence in 1..=count {
        let mut frame = producer.claim_within(DEADLINE).expect("no release is lost");
        for word in frame.payload_mut().chunks_exact_mut(8) {
            word.copy_from_slice(&sequence.to_ne_bytes());
        }
        if sequence < count {
            frame.payload_mut()[..8].fill(0);
        }
        assert_eq!(frame.publish().unwrap(), sequence);
    }
    assert!(reader.0.wait().unwrap().success(), "the reader had all of it");
}
