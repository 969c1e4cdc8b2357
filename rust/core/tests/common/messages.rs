//! Messages of the shmbuf tests: each says its number and proves that it is whole.

use super::DEADLINE;
use framelane::shmbuf::{Receiver, ReceiverOptions, Sender, SenderOptions};
use std::path::{Path, PathBuf};

pub const RING: &str = "/ring";
/// Small, so that messages wrap and wait.
pub const CAPACITY: u64 = 1024;

/// A folder where segments can be made.
pub fn shared_folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").expect("a folder for shared memory")
}

/// Number, then bytes that follow from it; of every length in turn.
pub fn message(number: u64) -> Vec<u8> {
    let length = (number * 37 % 300) as usize;
    let tail = (0..length).map(|i| (number as usize + i) as u8);
    number.to_le_bytes().into_iter().chain(tail).collect()
}

/// The number of a message that is whole.
pub fn number(bytes: &[u8]) -> u64 {
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert_eq!(bytes, message(number), "message {number} is whole");
    number
}

pub fn sending(folder: &Path) -> SenderOptions {
    SenderOptions::new(CAPACITY).directory(Some(PathBuf::from(folder)))
}

pub fn receiving(folder: &Path) -> ReceiverOptions {
    ReceiverOptions::new().directory(Some(PathBuf::from(folder)))
}

pub fn open_receiver(folder: &Path) -> Receiver {
    Receiver::open(RING, receiving(folder).wait_for_sender(DEADLINE)).unwrap()
}

pub fn send(sender: &mut Sender, number: u64) {
    assert!(sender.send(&message(number), DEADLINE).unwrap(), "room for message {number}");
}

/// The number of the next message.
pub fn receive(receiver: &mut Receiver) -> u64 {
    let mut bytes = Vec::new();
    assert!(receiver.recv(&mut bytes, DEADLINE).unwrap(), "a message within the deadline");
    number(&bytes)
}
