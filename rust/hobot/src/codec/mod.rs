//! The video codec: pictures out of camera memory by their bus addresses, access units out.

mod encoder;
mod held;
mod key;
mod placed;
mod session;
mod setup;
mod unit;

pub use encoder::{Encoder, Refused};
pub use held::Owner;
pub use placed::Placed;
pub use setup::{EncoderSetup, Input, Profile, VideoCodec};
pub use unit::Unit;

use crate::error::Result;
use crate::memory::Memory;
use framelane_hobot_sys::Multimedia;
use std::path::Path;
use std::sync::Arc;

/// The vendor's codec library, loaded.
pub struct Codec {
    pub(crate) library: Multimedia,
    memory: Memory,
}

impl Codec {
    /// Loads libhbmem and then libmultimedia, so that both share one libhbmem.
    ///
    /// # Errors
    /// `Unsupported` with the library that is not there.
    pub fn open(folder: Option<&Path>) -> Result<Arc<Codec>> {
        let memory = Memory::open(folder)?;
        Ok(Arc::new(Codec { library: Multimedia::open(folder)?, memory }))
    }

    /// The memory that pictures are in.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}
