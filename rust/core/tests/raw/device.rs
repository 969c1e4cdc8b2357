//! Buffers of a stand-in device, and a book of who gave which back.

use super::impostor::Memory;
use crate::common::{DEADLINE, LANE, Place};
use framelane::{
    DeviceBuffer, FrameDescriptor, MemoryKind, Owner, Plane, Producer, ProducerOptions, Returned,
};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;
use zerocopy::FromZeros;

pub const BUFFER_BYTES: u64 = 4096;

/// A device lane with buffers that only their maker can write.
pub fn device_lane(place: &Place, options: ProducerOptions, buffers: usize) -> Producer {
    device_lane_of(place, options, &memories(buffers, BUFFER_BYTES))
}

/// A device lane with these buffers.
pub fn device_lane_of(place: &Place, options: ProducerOptions, buffers: &[Memory]) -> Producer {
    let share = |memory: &Memory| DeviceBuffer {
        fd: memory.fd.try_clone().unwrap(),
        kind: MemoryKind::Memfd,
    };
    let options = options.memory(MemoryKind::Memfd);
    let options = options.device_buffers(buffers.iter().map(share).collect());
    Producer::create(LANE, options.directory(place.directory())).unwrap()
}

pub fn memories(count: usize, bytes: u64) -> Vec<Memory> {
    (0..count).map(|_| Memory::lane(bytes)).collect()
}

/// A frame that is all of one buffer.
pub fn describe(buffer: usize, bytes: u64) -> FrameDescriptor {
    let mut descriptor = FrameDescriptor::new_zeroed();
    descriptor.plane_count = 1;
    let (share_id, buffer_index) = (-1, buffer as i32);
    descriptor.planes[0] = Plane { size_bytes: bytes, buffer_index, share_id, ..Plane::ZERO };
    descriptor
}

/// Which frames came back, in order.
#[derive(Clone, Default)]
pub struct Book(Arc<(Mutex<Vec<Returned>>, Condvar)>);

impl Book {
    /// An owner that writes into this book.
    pub fn owner(&self) -> Owner {
        let book = self.clone();
        Box::new(move |returned| {
            book.0.0.lock().unwrap().push(returned);
            book.0.1.notify_all();
        })
    }

    /// Publishes the frame in buffer `buffer`; its sequence.
    pub fn publish(&self, producer: &Producer, buffer: usize) -> u64 {
        producer.publish_external(&describe(buffer, BUFFER_BYTES), self.owner()).unwrap()
    }

    /// Sequences that came back, in order; each only once.
    pub fn sequences(&self) -> Vec<u64> {
        let all: Vec<u64> = self.0.0.lock().unwrap().iter().map(|r| r.sequence).collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), all.len(), "an owner ran twice: {all:?}");
        all
    }

    /// How frame `sequence` came back.
    #[track_caller]
    pub fn wait_for(&self, sequence: u64) -> Returned {
        let end = Instant::now() + DEADLINE;
        let mut all = self.0.0.lock().unwrap();
        loop {
            if let Some(found) = all.iter().find(|r| r.sequence == sequence) {
                return *found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "frame {sequence} does not come back: {all:?}");
            all = self.0.1.wait_timeout(all, left).unwrap().0;
        }
    }

    /// Waits until these frames, in order of sequence, have come back, and looks for others.
    #[track_caller]
    pub fn expect(&self, sequences: &[u64]) {
        for &sequence in sequences {
            self.wait_for(sequence);
        }
        let mut all = self.sequences();
        all.sort_unstable();
        assert_eq!(all, sequences, "these and no others");
    }
}
