//! `[switch]`: names behind which one of two cameras stands.

use super::Config;
use crate::error::{Result, invalid};
use crate::hb_vio::duty::Duty;
use crate::switching::{Brightness, Thresholds};
use serde::Deserialize;
use std::time::Duration;

/// Who chooses the camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// Whoever selects one.
    Manual,
    /// The brightness that the first camera sees, unless somebody selects.
    #[default]
    Brightness,
}

/// What the camera does that is not active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inactive {
    /// Delivers to its lanes all the same.
    #[default]
    Running,
    /// Delivers nothing, and is warmed up before it becomes active.
    Asleep,
}

/// How two cameras stand behind one name: the first is for the day, the second for the night.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switching {
    /// Who chooses.
    pub policy: Policy,
    /// The camera that is active first: 0 or 1, its place in the file.
    pub active: usize,
    /// What the other does.
    pub inactive: Inactive,
    /// Mean luma below which it is night.
    pub dark: u32,
    /// For so long.
    pub dark_ms: u64,
    /// Mean luma above which it is day.
    pub bright: u32,
    /// For so long.
    pub bright_ms: u64,
    /// Frames of a camera that has just started, or was asleep, that do not count: nobody sees
    /// those after a sleep, and none decides on the brightness.
    pub warm_up_frames: u32,
    /// Without a frame for so long the other camera becomes active, unless somebody selected.
    pub dead_ms: u64,
}

impl Default for Switching {
    fn default() -> Self {
        Switching {
            policy: Policy::default(),
            active: 0,
            inactive: Inactive::default(),
            dark: 50,
            dark_ms: 500,
            bright: 60,
            bright_ms: 3000,
            warm_up_frames: 15,
            dead_ms: 1000,
        }
    }
}

impl Switching {
    /// When it is night.
    pub fn thresholds(&self) -> Thresholds {
        Thresholds {
            dark_below: self.dark as f32,
            bright_above: self.bright as f32,
            dark_for: Duration::from_millis(self.dark_ms),
            bright_for: Duration::from_millis(self.bright_ms),
            warm_up_frames: self.warm_up_frames.into(),
        }
    }

    pub(super) fn check(&self, config: &Config) -> Result<()> {
        if config.cameras.len() != 2 {
            let count = config.cameras.len();
            return Err(invalid(format!("a [switch] is for two cameras, here are {count}")));
        }
        if self.active > 1 {
            return Err(invalid(format!("[switch] active = {}: 0 or 1", self.active)));
        }
        Brightness::new(self.thresholds(), 0, 1)?;
        if config.switches().is_empty() {
            return Err(invalid("[switch]: the cameras have no channel of the same number"));
        }
        Ok(())
    }
}

/// A name, and the lane of each camera behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Of the switch.
    pub name: String,
    /// By camera.
    pub lanes: Vec<String>,
}

impl Config {
    /// What a camera has to do at the start.
    pub(in crate::hb_vio) fn duty_of(&self, camera: usize) -> Duty {
        let channels = self.cameras[camera].channels.len();
        let Some(switch) = &self.switch else { return Duty::new(channels, 0, true) };
        let awake = switch.inactive == Inactive::Running || switch.active == camera;
        Duty::new(channels, switch.warm_up_frames, awake)
    }

    /// The switches: one for each channel that both cameras have.
    pub fn switches(&self) -> Vec<Named> {
        let (Some(_), [first, second]) = (&self.switch, &*self.cameras) else { return Vec::new() };
        let named = |own: &super::Channel| {
            let other = second.channels.iter().find(|other| other.number == own.number)?;
            let chosen = own.switch.clone().or_else(|| other.switch.clone());
            let name = chosen.unwrap_or_else(|| own.usual().to_owned());
            Some(Named { name, lanes: vec![self.lane_of(0, own), self.lane_of(1, other)] })
        };
        first.channels.iter().filter_map(named).collect()
    }
}
