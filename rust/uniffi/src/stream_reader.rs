//! The reader of a stream lane.

use crate::failure::Result;
use crate::handle::{Handle, Side};
use crate::options::{StreamReaderOptions, place};
use crate::record::Read;
use framelane::Closer;
use rustix::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

/// Constants of one epoch of a stream lane.
#[derive(uniffi::Record)]
pub struct StreamInfo {
    /// Name of the lane.
    pub name: String,
    /// Random id of the writer incarnation.
    pub epoch: u64,
    /// Number the writer gave this reader.
    pub consumer_id: u32,
    /// Bytes of the data ring.
    pub data_bytes: u64,
    /// Largest record.
    pub record_limit_bytes: u64,
    /// Records the lane keeps at most.
    pub index_capacity: u32,
    /// Bits of `LaneFlag`.
    pub flags: u32,
    /// Size of lane memory.
    pub total_bytes: u64,
    /// Process that owns the lane, as it says itself.
    pub producer_pid: u32,
    /// Its user.
    pub producer_uid: u32,
}

/// Reads a stream lane, record after record.
#[derive(uniffi::Object)]
pub struct StreamReader(pub(crate) Handle<framelane::StreamReader>);

impl Side for framelane::StreamReader {
    const WHAT: &'static str = "reader of lane";
    type Item = framelane::Record;
    fn counts(&self) -> [u64; 3] {
        [self.received(), self.missed(), self.epoch()]
    }
    fn closer(&self) -> Closer {
        self.closer()
    }
    fn fd(&mut self) -> BorrowedFd<'_> {
        self.fd()
    }
    fn try_next(&mut self) -> framelane::Result<Option<framelane::Record>> {
        self.try_next()
    }
    fn next(&mut self, timeout: Duration) -> framelane::Result<Option<framelane::Record>> {
        self.next(timeout)
    }
    fn wait(&mut self, timeout: Duration) -> framelane::Result<bool> {
        self.wait(timeout)
    }
}

fn info(lane: &framelane::StreamInfo) -> StreamInfo {
    StreamInfo {
        name: lane.name.clone(),
        epoch: lane.epoch,
        consumer_id: lane.consumer_id,
        data_bytes: lane.data_bytes,
        record_limit_bytes: lane.record_limit_bytes,
        index_capacity: lane.index_capacity,
        flags: lane.flags,
        total_bytes: lane.total_bytes,
        producer_pid: lane.producer_pid,
        producer_uid: lane.producer_uid,
    }
}

#[uniffi::export]
impl StreamReader {
    /// Attaches to a stream lane.
    #[uniffi::constructor]
    pub fn open(name: String, options: StreamReaderOptions) -> Result<Arc<Self>> {
        let reader = framelane::StreamReader::open(&name, options.into_core()?)?;
        Ok(Arc::new(StreamReader(Handle::new(reader, &name))))
    }

    /// The next record, if there is one within the time.
    pub fn next(&self, timeout_ns: u64) -> Result<Option<Read>> {
        Ok(self.0.next(timeout_ns)?.map(Read::new))
    }

    /// Waits until there may be something to read.
    pub fn wait(&self, timeout_ns: u64) -> Result<bool> {
        self.0.wait(timeout_ns)
    }

    /// Goes to another place of the stream, a `StreamStart`.
    pub fn seek(&self, start: u32, age_ns: u64) -> Result<()> {
        let place = place(start)?;
        self.0.with(|reader| reader.seek(place, Duration::from_nanos(age_ns)))
    }

    /// Asks the writer for a key record.
    pub fn request_key_frame(&self) -> Result<()> {
        self.0.with(framelane::StreamReader::request_key_frame)
    }

    /// Records delivered.
    pub fn received(&self) -> u64 {
        self.0.count(0)
    }

    /// Records that passed without being delivered, seeks left out.
    pub fn missed(&self) -> u64 {
        self.0.count(1)
    }

    /// Random id of the writer attached to, 0 while there is none.
    pub fn epoch(&self) -> u64 {
        self.0.count(2)
    }

    /// Records that are held in place now.
    pub fn held(&self) -> Result<u32> {
        self.0.with(|reader| Ok(reader.held()))
    }

    /// The lane as of the last attach.
    pub fn lane(&self) -> Result<Option<StreamInfo>> {
        self.0.with(|reader| Ok(reader.lane().map(info)))
    }

    /// Stops reading, from any thread.
    pub fn end(&self) {
        self.0.close();
    }
}
