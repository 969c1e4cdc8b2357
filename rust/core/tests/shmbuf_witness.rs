//! The shmbuf ring with an independent witness: Python that knows only the description.

mod common;

use common::messages::{RING, open_receiver, receive, send, sending, shared_folder};
use common::{DEADLINE, Place};
use framelane::shmbuf::{Receiver, Sender};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::time::Instant;

const COUNT: u64 = 500;
/// So that the counters wrap within the test.
const NEAR_THE_END: u32 = u32::MAX - 20_000;

/// A Python process, killed on drop.
struct Witness(Child);

impl Witness {
    fn start(role: &str, folder: &Path, numbers: &[u64]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shmbuf.py");
        let mut python = Command::new("python3");
        python.args([script, role]).arg(folder.join("ring"));
        python.args(numbers.iter().map(u64::to_string));
        Witness(python.spawn().expect("apt install python3"))
    }

    fn end_well(mut self) {
        let start = Instant::now();
        let status: ExitStatus = loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                break status;
            }
            assert!(start.elapsed() < 3 * DEADLINE, "the witness does not end");
            std::thread::sleep(std::time::Duration::from_millis(1));
        };
        assert!(status.success(), "the witness: {status}");
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn from_python(capacity: u64, first: u32) {
    let _watchdog = Place::new();
    let folder = shared_folder();
    let witness = Witness::start("send", folder.path(), &[capacity, COUNT, first.into()]);
    let mut receiver: Receiver = open_receiver(folder.path());
    for number in 0..COUNT {
        assert_eq!(receive(&mut receiver), number);
    }
    witness.end_well();
    drop(receiver);
    assert!(folder.path().join("ring").exists(), "the segment is its maker's");
}

#[test]
fn python_sends_to_us() {
    from_python(1024, 0);
}

#[test]
fn python_sends_to_us_past_four_gigabytes_through_a_ring_of_no_power_of_two() {
    from_python(700, NEAR_THE_END);
}

fn to_python(role: &str, start: u32) {
    let _watchdog = Place::new();
    let folder = shared_folder();
    let options = sending(folder.path()).python_receiver(role == "deaf");
    let mut sender = Sender::create(RING, options).unwrap();
    sender.start_at(start);
    let witness = Witness::start(role, folder.path(), &[COUNT]);
    for number in 0..COUNT {
        send(&mut sender, number);
    }
    assert!(sender.drain(DEADLINE).unwrap());
    witness.end_well();
}

#[test]
fn we_send_to_python() {
    to_python("recv", 0);
}

#[test]
fn we_send_to_python_past_four_gigabytes() {
    to_python("recv", NEAR_THE_END);
}

#[test]
fn we_send_past_four_gigabytes_to_a_python_that_cannot_count_so_far() {
    to_python("deaf", NEAR_THE_END);
}
