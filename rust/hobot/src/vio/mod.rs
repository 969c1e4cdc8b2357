//! The camera: sensor, VIN, ISP and VSE, and frames that stay where the hardware put them.

mod attributes;
mod bring_up;
mod frame;
mod setup;

pub use bring_up::Pipeline;
pub use frame::VioFrame;
pub use setup::{CameraSetup, ChannelSetup, Crop, SensorSetup};

use crate::error::{Result, vio};
use crate::memory::Memory;
use framelane_hobot_sys::{Cam, FlowVersion, Vpf};
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
        let vio = Vio { vpf: Vpf::open(folder)?, cam: Cam::open(folder)?, memory };
        let (memory, flow) = (vio.memory.version().ok(), vio.version().ok());
        tracing::info!(?memory, ?flow, "the vendor's libraries are loaded");
        Ok(Arc::new(vio))
    }

    /// The version of the camera library's interface: its two numbers.
    ///
    /// # Errors
    /// When the library has no such function or it fails.
    pub fn version(&self) -> Result<(u32, u32)> {
        let ask = self.vpf.hbn_vflow_get_version()?;
        let mut told = FlowVersion::zeroed();
        // SAFETY: a place for the answer that lives during the call.
        vio("hbn_vflow_get_version", unsafe { ask(&mut told) })?;
        Ok((told.major, told.minor))
    }

    /// The memory its frames are in.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}
