//! A device that fills buffers, played by memfds: it gets each back through its owner.

use super::{DEADLINE, LANE, strip};
use framelane::{
    DeviceBuffer, FrameDescriptor, MemoryKind, Plane, Producer, ProducerOptions, Returned,
};
use rustix::fd::OwnedFd;
use rustix::fs::{MemfdFlags, SealFlags};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use zerocopy::FromZeros;

const BUFFER_BYTES: usize = 8192;

/// The device and its producer.
pub struct Device {
    pub producer: Producer,
    buffers: Vec<OwnedFd>,
    returned: Receiver<(usize, Returned)>,
    give_back: Sender<(usize, Returned)>,
    free: Vec<usize>,
    pub revoked: u64,
    pub sequence: u64,
}

impl Device {
    /// A device lane with as many buffers as it has slots. `options` says where it is.
    pub fn new(options: ProducerOptions, buffers: usize, lease: Duration) -> Self {
        let made: Vec<OwnedFd> = (0..buffers).map(|_| buffer()).collect();
        let shared = made
            .iter()
            .map(|fd| DeviceBuffer { fd: fd.try_clone().unwrap(), kind: MemoryKind::Memfd });
        let options = options.memory(MemoryKind::Memfd).device_buffers(shared.collect());
        let producer = Producer::create(LANE, options.lease(lease)).unwrap();
        let (give_back, returned) = channel();
        let free = (0..buffers).collect();
        Device { producer, buffers: made, returned, give_back, free, revoked: 0, sequence: 0 }
    }

    /// Fills a free buffer and publishes it.
    pub fn publish(&mut self) {
        let index = self.fill();
        self.publish_filled(index);
    }

    /// Fills a free buffer for the next frame. Where all are out, waits for one: a device has no
    /// other choice.
    pub fn fill(&mut self) -> usize {
        self.take_returns();
        if self.free.is_empty() {
            let came = self.returned.recv_timeout(DEADLINE).expect("a buffer comes back");
            self.count(came);
        }
        let index = self.free.remove(0);
        self.sequence += 1;
        let bytes = strip::bytes(self.producer.epoch(), self.sequence, BUFFER_BYTES);
        rustix::io::pwrite(&self.buffers[index], &bytes, 0).unwrap();
        index
    }

    /// Publishes a filled buffer; the sequence.
    pub fn publish_filled(&mut self, index: usize) -> u64 {
        let give_back = self.give_back.clone();
        let owner = move |returned| {
            let _ = give_back.send((index, returned));
        };
        let published = self.producer.publish_external(&describe(index), Box::new(owner)).unwrap();
        assert_eq!(published, self.sequence);
        published
    }

    /// Publishes a filled buffer with an owner of one's own, which tells its thread and then runs
    /// `then`; the device does not get the buffer back by itself.
    pub fn publish_owned(
        &mut self,
        index: usize,
        then: impl FnOnce() + Send + 'static,
    ) -> Receiver<String> {
        let (sender, thread) = channel();
        let owner = move |_: Returned| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            let _ = sender.send(name);
            then();
        };
        self.producer.publish_external(&describe(index), Box::new(owner)).unwrap();
        thread
    }

    /// Takes a buffer back that was published with another owner.
    pub fn give_back(&mut self, index: usize) {
        self.free.push(index);
    }

    /// Buffers that are with the device now.
    pub fn at_home(&mut self) -> usize {
        self.take_returns();
        self.free.len()
    }

    fn take_returns(&mut self) {
        while let Ok(came) = self.returned.try_recv() {
            self.count(came);
        }
    }

    fn count(&mut self, (index, returned): (usize, Returned)) {
        assert!(!self.free.contains(&index), "buffer {index} comes back once");
        self.free.push(index);
        self.revoked += u64::from(returned.revoked);
    }
}

fn describe(index: usize) -> FrameDescriptor {
    let mut descriptor = FrameDescriptor::new_zeroed();
    descriptor.plane_count = 1;
    descriptor.planes[0] = Plane {
        size_bytes: BUFFER_BYTES as u64,
        buffer_index: index as i32,
        share_id: -1,
        ..Plane::ZERO
    };
    descriptor
}

fn buffer() -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create("device buffer", flags).unwrap();
    rustix::fs::ftruncate(&fd, BUFFER_BYTES as u64).unwrap();
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW).unwrap();
    fd
}
