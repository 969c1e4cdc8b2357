//! The writer of a stream lane.

use crate::closing::Closing;
use crate::failure::{Result, structure};
use crate::options::StreamWriterOptions;
use crate::record::RecordMut;
use std::sync::Arc;
use std::time::Duration;
use zerocopy::IntoBytes;

/// Owns a stream lane and writes its records, one after the other.
#[derive(uniffi::Object)]
pub struct StreamWriter {
    held: Closing<framelane::StreamWriter>,
    epoch: u64,
    record_limit_bytes: u64,
    directory: String,
}

#[uniffi::export]
impl StreamWriter {
    /// Makes a stream lane.
    #[uniffi::constructor]
    pub fn create(name: String, options: StreamWriterOptions) -> Result<Arc<Self>> {
        let made = framelane::StreamWriter::create(&name, options.into_core()?)?;
        Ok(Arc::new(StreamWriter {
            epoch: made.epoch(),
            record_limit_bytes: made.record_limit_bytes() as u64,
            directory: made.directory().to_string_lossy().into_owned(),
            held: Closing::new(made, format!("writer of lane {name:?}")),
        }))
    }

    /// Random id of this writer incarnation.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Largest record: half of the ring.
    pub fn record_limit_bytes(&self) -> u64 {
        self.record_limit_bytes
    }

    /// Runtime directory the lane's socket is in.
    pub fn directory(&self) -> String {
        self.directory.clone()
    }

    /// Begins a record of up to `room` bytes, at once or within the time.
    pub fn begin(&self, room: u64, timeout_ns: u64) -> Result<Arc<RecordMut>> {
        let writer = self.held.get()?;
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let begun = match timeout_ns {
            0 => writer.begin(room),
            time => writer.begin_within(room, Duration::from_nanos(time)),
        };
        Ok(RecordMut::new(begun?))
    }

    /// Says what the records to come are, a `StreamConfig`; the number of that config.
    pub fn set_config(&self, config: Vec<u8>, timeout_ns: u64) -> Result<u32> {
        let (writer, config) = (self.held.get()?, structure(&config, "StreamConfig")?);
        Ok(match timeout_ns {
            0 => writer.set_config(&config),
            time => writer.set_config_within(&config, Duration::from_nanos(time)),
        }?)
    }

    /// What the records to come are, a `StreamConfig`.
    pub fn config(&self) -> Result<Vec<u8>> {
        Ok(self.held.get()?.config().as_bytes().to_vec())
    }

    /// Whether a reader wants a key record, waiting for it that long.
    pub fn key_frame_wanted(&self, timeout_ns: u64) -> Result<bool> {
        let writer = self.held.get()?;
        let wanted = writer.key_frame_wanted();
        let timeout = Duration::from_nanos(timeout_ns);
        Ok(wanted || timeout_ns > 0 && writer.wait_key_frame_wanted(timeout))
    }

    /// How the lane is, a `Report`.
    pub fn report(&self) -> Result<Vec<u8>> {
        Ok(self.held.get()?.report().as_bytes().to_vec())
    }

    /// Number of readers attached now.
    pub fn readers(&self) -> Result<u32> {
        Ok(self.held.get()?.readers() as u32)
    }

    /// Ends the lane.
    pub fn end(&self) {
        drop(self.held.take());
    }
}
