//! The consumer.

use crate::failure::Result;
use crate::frame::Leased;
use crate::handle::{Handle, Side};
use crate::options::ConsumerOptions;
use framelane::Closer;
use rustix::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// Constants of one epoch of a lane.
#[derive(uniffi::Record)]
pub struct LaneInfo {
    /// Name of the lane.
    pub name: String,
    /// Random id of the producer incarnation.
    pub epoch: u64,
    /// Number the producer gave this consumer.
    pub consumer_id: u32,
    /// Frames this consumer may hold at once.
    pub leases: u32,
    /// Slots of the pool.
    pub slots: u32,
    /// Frames before the newest that stay reachable.
    pub history: u32,
    /// A `MemoryKind`.
    pub memory_kind: u32,
    /// Bits of `LaneFlag`.
    pub flags: u32,
    /// Usable payload of a slot.
    pub payload_bytes: u64,
    /// Time a device frame is guaranteed; 0: never revoked.
    pub lease_ns: u64,
    /// Size of lane memory.
    pub total_bytes: u64,
    /// Process that owns the lane, as it says itself.
    pub producer_pid: u32,
    /// Its user.
    pub producer_uid: u32,
}

impl LaneInfo {
    pub fn of(lane: &framelane::LaneInfo) -> Self {
        LaneInfo {
            name: lane.name.clone(),
            epoch: lane.epoch,
            consumer_id: lane.consumer_id,
            leases: lane.leases,
            slots: lane.slots,
            history: lane.history,
            memory_kind: lane.memory_kind.number().into(),
            flags: lane.flags,
            payload_bytes: lane.payload_bytes,
            lease_ns: lane.lease_ns,
            total_bytes: lane.total_bytes,
            producer_pid: lane.producer_pid,
            producer_uid: lane.producer_uid,
        }
    }
}

/// Reads a lane.
#[derive(uniffi::Object)]
pub struct Consumer(pub(crate) Handle<framelane::Consumer>);

impl Side for framelane::Consumer {
    const WHAT: &'static str = "consumer of lane";
    type Item = framelane::Frame;
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.epoch()]
    }
    fn closer(&self) -> Closer {
        self.closer()
    }
    fn fd(&mut self) -> BorrowedFd<'_> {
        self.fd()
    }
    fn try_next(&mut self) -> framelane::Result<Option<framelane::Frame>> {
        self.try_next()
    }
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<framelane::Frame>> {
        self.next(timeout)
    }
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool> {
        self.wait(timeout)
    }
}

#[uniffi::export]
impl Consumer {
    /// Attaches to a lane.
    #[uniffi::constructor]
    pub fn open(name: String, options: ConsumerOptions) -> Result<Arc<Self>> {
        framelane_hobot::register();
        let consumer = framelane::Consumer::open(&name, options.into_core()?)?;
        Ok(Arc::new(Consumer(Handle::new(consumer, &name))))
    }

    /// The next frame of this consumer's mode, if there is one within the time.
    pub fn next(&self, timeout_ns: u64) -> Result<Option<Leased>> {
        Ok(self.0.next(timeout_ns)?.map(Leased::new))
    }

    /// The newest valid frame, also one that was delivered before.
    pub fn latest(&self) -> Result<Option<Leased>> {
        Ok(self.0.with(framelane::Consumer::latest)?.map(Leased::new))
    }

    /// Waits until there may be something to read.
    pub fn wait(&self, timeout_ns: u64) -> Result<bool> {
        self.0.wait(timeout_ns)
    }

    /// Frames delivered.
    pub fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Frames that passed without being delivered.
    pub fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Random id of the producer attached to, 0 while there is none.
    pub fn epoch(&self) -> u64 {
        self.0.count(2)
    }

    /// Frames of this consumer that are held now.
    pub fn held(&self) -> Result<u32> {
        self.0.with(|consumer| Ok(consumer.held()))
    }

    /// The lane as of the last attach.
    pub fn lane(&self) -> Result<Option<LaneInfo>> {
        self.0.with(|consumer| Ok(consumer.lane().map(LaneInfo::of)))
    }

    /// Stops reading, from any thread.
    pub fn end(&self) {
        self.0.close();
    }
}
