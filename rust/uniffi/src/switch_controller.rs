//! The controller of a switch, and selecting from elsewhere.

use crate::closing::Closing;
use crate::failure::Result;
use crate::options::{self, Access, Trust};
use std::sync::Arc;
use std::time::Duration;
use zerocopy::IntoBytes;

/// What somebody wants of a switch.
#[derive(uniffi::Enum)]
pub enum SwitchChoice {
    /// A lane by its place.
    Index {
        /// From 0.
        index: u32,
    },
    /// A lane by its name.
    Lane {
        /// Its name.
        name: String,
    },
    /// What the controller's policy says.
    Automatic,
}

/// What is active.
#[derive(uniffi::Record)]
pub struct Selected {
    /// Index of the active lane.
    pub active: u32,
    /// How many-th selection this is.
    pub switch_epoch: u64,
}

/// Owns a switch and says which of its lanes is active.
#[derive(uniffi::Object)]
pub struct SwitchController(Closing<framelane::SwitchController>);

#[uniffi::export]
impl SwitchController {
    /// Makes a switch.
    #[uniffi::constructor]
    pub fn create(
        name: String,
        lanes: Vec<String>,
        active: u32,
        access: Access,
        trust: Trust,
        directory: Option<String>,
    ) -> Result<Arc<Self>> {
        let options = framelane::SwitchControllerOptions::new()
            .active(active as usize)
            .access(access.into())
            .trust(trust.into())
            .directory(options::directory(directory));
        let lanes: Vec<&str> = lanes.iter().map(String::as_str).collect();
        let made = framelane::SwitchController::create(&name, &lanes, options)?;
        Ok(Arc::new(SwitchController(Closing::new(made, format!("switch {name:?}")))))
    }

    /// Makes a lane active; the switch epoch.
    pub fn select(&self, index: u32) -> Result<u64> {
        Ok(self.0.get()?.select(index as usize)?)
    }

    /// The same by the lane's name.
    pub fn select_lane(&self, lane: String) -> Result<u64> {
        Ok(self.0.get()?.select_lane(&lane)?)
    }

    /// What a policy wants; whether that lane is active.
    pub fn propose(&self, index: u32) -> Result<bool> {
        Ok(self.0.get()?.propose(index as usize)?)
    }

    /// Takes a choice back.
    pub fn set_automatic(&self) -> Result<()> {
        Ok(self.0.get()?.set_automatic()?)
    }

    /// Waits while the switch epoch is this one; the epoch of now.
    pub fn wait_switched(&self, switch_epoch: u64, timeout_ns: u64) -> Result<u64> {
        let timeout = Duration::from_nanos(timeout_ns);
        Ok(self.0.get()?.wait_switched(switch_epoch, timeout)?)
    }

    /// Index of the active lane.
    pub fn active(&self) -> Result<u32> {
        Ok(self.0.get()?.active() as u32)
    }

    /// How many-th selection this is, from 1.
    pub fn switch_epoch(&self) -> Result<u64> {
        Ok(self.0.get()?.switch_epoch())
    }

    /// Whether somebody has chosen.
    pub fn is_held(&self) -> Result<bool> {
        Ok(self.0.get()?.is_held())
    }

    /// Random id of this controller incarnation.
    pub fn epoch(&self) -> Result<u64> {
        Ok(self.0.get()?.epoch())
    }

    /// Readers attached now.
    pub fn readers(&self) -> Result<u32> {
        Ok(self.0.get()?.readers() as u32)
    }

    /// How the switch is, a `Report`.
    pub fn report(&self) -> Result<Vec<u8>> {
        Ok(self.0.get()?.report().as_bytes().to_vec())
    }

    /// Ends the switch, also while another thread waits.
    pub fn end(&self) {
        if let Some(controller) = self.0.take() {
            controller.end();
        }
    }
}

/// Selects a lane of a switch whose controller is another process.
#[uniffi::export]
pub fn select(
    switch: String,
    choice: SwitchChoice,
    directory: Option<String>,
    timeout_ns: u64,
) -> Result<Selected> {
    let choice = match choice {
        SwitchChoice::Index { index } => framelane::SwitchChoice::Index(index),
        SwitchChoice::Lane { name } => framelane::SwitchChoice::Lane(name),
        SwitchChoice::Automatic => framelane::SwitchChoice::Automatic,
    };
    let directory = options::directory(directory);
    let timeout = Duration::from_nanos(timeout_ns);
    let (active, switch_epoch) =
        framelane::select(&switch, &choice, directory.as_deref(), timeout)?;
    Ok(Selected { active: active as u32, switch_epoch })
}
