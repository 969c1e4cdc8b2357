//! The producer.

use crate::closing::Closing;
use crate::failure::{Result, invalid, structure};
use crate::frame_mut::{Claimed, FrameMut};
use crate::options::ProducerOptions;
use framelane::Returned;
use std::sync::Arc;
use std::time::Duration;
use zerocopy::IntoBytes;

/// Whose buffer an external frame is in.
#[uniffi::export(callback_interface)]
pub trait Owner: Send + Sync {
    /// The buffer may be used again. Called once.
    fn returned(&self, sequence: u64, revoked: bool);
}

/// Owns a lane: claims slots and publishes frames. Usable from several threads.
#[derive(uniffi::Object)]
pub struct Producer {
    held: Closing<framelane::Producer>,
    epoch: u64,
    directory: String,
}

#[uniffi::export]
impl Producer {
    /// Makes a lane.
    #[uniffi::constructor]
    pub fn create(name: String, options: ProducerOptions) -> Result<Arc<Self>> {
        let made = framelane::Producer::create(&name, options.into_core()?)?;
        Ok(Arc::new(Producer {
            epoch: made.epoch(),
            directory: made.directory().to_string_lossy().into_owned(),
            held: Closing::new(made, format!("producer of lane {name:?}")),
        }))
    }

    /// Random id of this producer incarnation.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Runtime directory the lane's socket is in.
    pub fn directory(&self) -> String {
        self.directory.clone()
    }

    /// Claims a slot, at once or within the time.
    pub fn claim(&self, timeout_ns: u64) -> Result<Claimed> {
        let producer = self.held.get()?;
        let claimed = match timeout_ns {
            0 => producer.claim(),
            time => producer.claim_within(Duration::from_nanos(time)),
        };
        Ok(Claimed::new(claimed?))
    }

    /// Publishes claimed frames in order with one wake-up; the last sequence.
    pub fn publish_batch(&self, frames: Vec<Arc<FrameMut>>) -> Result<u64> {
        let producer = self.held.get()?;
        for (index, frame) in frames.iter().enumerate() {
            if frames[..index].iter().any(|other| Arc::ptr_eq(other, frame)) {
                return Err(invalid("a frame stands in the batch twice"));
            }
        }
        let frames = frames.iter().map(|frame| frame.take()).collect::<Result<_>>()?;
        Ok(producer.publish_batch(frames)?)
    }

    /// Publishes a frame in device memory, a `FrameDescriptor`; its sequence.
    pub fn publish_external(
        &self,
        descriptor: Vec<u8>,
        owner: Option<Box<dyn Owner>>,
    ) -> Result<u64> {
        let (producer, what) = (self.held.get()?, structure(&descriptor, "FrameDescriptor")?);
        let give_back = Box::new(move |returned: Returned| {
            if let Some(owner) = owner {
                owner.returned(returned.sequence, returned.revoked);
            }
        });
        Ok(producer.publish_external(&what, give_back)?)
    }

    /// Calls the owners of returned buffers, on lanes made to be pumped; how many.
    pub fn reclaim(&self) -> Result<u32> {
        Ok(self.held.get()?.reclaim() as u32)
    }

    /// Takes back the device frames that nobody holds, the newest included.
    pub fn recall(&self) -> Result<()> {
        self.held.get()?.recall();
        Ok(())
    }

    /// How the lane is, a `Report`.
    pub fn report(&self) -> Result<Vec<u8>> {
        Ok(self.held.get()?.report().as_bytes().to_vec())
    }

    /// Number of consumers attached now.
    pub fn consumers(&self) -> Result<u32> {
        Ok(self.held.get()?.consumers() as u32)
    }

    /// Ends the lane.
    pub fn end(&self) {
        drop(self.held.take());
    }
}
