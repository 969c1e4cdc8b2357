//! Frames that prove themselves: each byte follows from the epoch and the sequence, so that a torn
//! frame, a swapped one or one of another epoch shows wherever it is looked at.

use framelane::{Consumer, ErrorKind, Frame, FrameMut, Mode};

fn word(epoch: u64, sequence: u64, index: u64) -> u64 {
    let mut x = epoch ^ sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ index << 40;
    x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 27
}

/// Fills a claimed frame with what frame `sequence` of `epoch` has to hold.
pub fn fill(frame: &mut FrameMut, epoch: u64, sequence: u64) {
    let (descriptor, payload) = frame.split_mut();
    descriptor.capture_id = word(epoch, sequence, u64::MAX);
    for (index, bytes) in payload.chunks_exact_mut(8).enumerate() {
        bytes.copy_from_slice(&word(epoch, sequence, index as u64).to_ne_bytes());
    }
}

/// What a buffer with frame `sequence` of `epoch` has to hold.
pub fn bytes(epoch: u64, sequence: u64, len: usize) -> Vec<u8> {
    (0..len as u64 / 8).flat_map(|index| word(epoch, sequence, index).to_ne_bytes()).collect()
}

/// Copies a device frame out; whether it is whole. A copy that counts has the right bytes.
pub fn copy_device_frame(frame: &Frame) -> bool {
    let mut copy = vec![0; frame.descriptor().planes[0].size_bytes as usize];
    match frame.copy_to(0, &mut copy) {
        Ok(()) => {
            assert!(copy == bytes(frame.epoch(), frame.sequence(), copy.len()), "a torn copy");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Revoked, "{error}");
            false
        }
    }
}

/// Asserts that every byte of a frame is the one that belongs there.
pub fn assert_intact(frame: &Frame) {
    let (epoch, sequence) = (frame.epoch(), frame.sequence());
    assert_eq!(frame.descriptor().sequence, sequence, "its descriptor is another frame's");
    assert_eq!(frame.descriptor().capture_id, word(epoch, sequence, u64::MAX), "frame {sequence}");
    let bytes = frame.plane(0).unwrap();
    assert!(!bytes.is_empty() && bytes.len() % 8 == 0);
    for (index, bytes) in bytes.chunks_exact(8).enumerate() {
        let found = u64::from_ne_bytes(bytes.try_into().unwrap());
        assert_eq!(found, word(epoch, sequence, index as u64), "frame {sequence} torn at {index}");
    }
    assert!(frame.check(), "frame {sequence} is still under lease");
}

/// What one reader has seen: frames intact, strictly in order, and each new epoch announced.
pub struct Order {
    pub epoch: u64,
    pub last: u64,
    pub seen: u64,
    /// Epochs after the first one.
    pub restarts: u64,
    /// Of a reader that may not lose a frame within an epoch.
    strict: bool,
}

impl Order {
    /// Of a consumer that has just attached.
    pub fn of(consumer: &Consumer, mode: Mode) -> Self {
        let strict = mode == Mode::Lossless;
        Order { epoch: consumer.epoch(), last: 0, seen: 0, restarts: 0, strict }
    }

    pub fn see(&mut self, frame: &Frame) {
        assert_intact(frame);
        let fresh = frame.epoch() != self.epoch;
        assert_eq!(frame.new_epoch(), fresh, "a new epoch is announced once");
        if fresh {
            self.restarts += 1;
            (self.epoch, self.last) = (frame.epoch(), 0);
        }
        assert!(frame.sequence() > self.last, "{} after {}", frame.sequence(), self.last);
        if self.strict && self.last != 0 {
            assert_eq!((frame.sequence(), frame.missed()), (self.last + 1, 0), "nothing is lost");
        }
        (self.last, self.seen) = (frame.sequence(), self.seen + 1);
    }
}
