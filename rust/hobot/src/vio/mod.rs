//! The camera: sensor, VIN, ISP and VSE, and frames that stay where the hardware put them.

mod attributes;
mod bring_up;
mod frame;
mod setup;

pub use bring_up::Pipeline;
pub use frame::VioFrame;
pub use setup::{CameraSetup, ChannelSetup, Crop, SensorSetup};

use crate::error::Result;
use crate::memory::Memory;
use framelane_hobot_sys::{Cam, Vpf};
use std::path::Path;
use std::sync::Arc;

/// The vendor's camera libraries, loaded.
pub struct Vio {
    pub(crate) vpf: Vpf,
    pub(crate) cam: Cam,
    memory: Memory,
}

impl Vio {
    /// Loads libhbmem, libvpf and libcam, in this order, so that all of them share one libhbmem.
    ///
    /// # Errors
    /// `Unsupported` with the library that is not there.
    pub fn open(folder: Option<&Path>) -> Result<Arc<Vio>> {
        let memory = Memory::open(folder)?;
        Ok(Arc::new(Vio { vpf: Vpf::open(folder)?, cam: Cam::open(folder)?, memory }))
    }

    /// The memory its frames are in.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}
