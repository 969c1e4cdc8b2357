//! What `framelane camera --source hb_vio --config FILE` reads.

mod checks;
mod readers;
mod switching;

pub use readers::Readers;
pub use switching::{Inactive, Named, Policy, Switching};

use crate::error::{Result, invalid, io_failed, unusable};
use framelane_hobot::vio::{CameraSetup, ChannelSetup, Crop, SensorSetup};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// How frames reach readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// In place where the library allows it, else copied.
    #[default]
    Auto,
    /// In place or not at all.
    ZeroCopy,
    /// Copied into lane memory.
    Copy,
}

/// One or two cameras.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[[camera]]`.
    #[serde(rename = "camera")]
    pub cameras: Vec<Camera>,
    /// `[switch]`, for two.
    pub switch: Option<Switching>,
    /// `[readers]`.
    #[serde(default)]
    pub readers: Readers,
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// MIPI host: 0 and 2 on the board.
    pub host: u32,
    /// Number in its frames; its place in the file without.
    pub id: Option<u32>,
    /// `[camera.sensor]`.
    #[serde(default)]
    pub sensor: Sensor,
    /// `[[camera.channel]]`.
    #[serde(rename = "channel")]
    pub channels: Vec<Channel>,
    /// Without a frame for so long it is started again.
    #[serde(default = "three_seconds")]
    pub silence_ms: u64,
}

fn three_seconds() -> u64 {
    3000
}

/// The sensor; an IMX219 where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(missing_docs, reason = "the fields of SensorSetup")]
pub struct Sensor {
    pub name: String,
    pub address: u32,
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub lanes: u16,
    pub mipi_clock: u16,
    pub line_length: u16,
    pub frame_length: u16,
    pub calibration: String,
}

impl Default for Sensor {
    fn default() -> Self {
        let s = SensorSetup::default();
        Sensor {
            name: s.name,
            address: s.address,
            width: s.width,
            height: s.height,
            fps: s.fps,
            lanes: s.lanes,
            mipi_clock: s.mipi_clock,
            line_length: s.line_length,
            frame_length: s.frame_length,
            calibration: s.calibration,
        }
    }
}

/// One output of a camera and its lane.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Output of the scaler, 0 to 5.
    pub number: u32,
    /// Width and height.
    pub size: [u32; 2],
    /// Part of the sensor it shows: x, y, width, height. All of it without.
    pub crop: Option<[u32; 4]>,
    /// Name of its lane; without, what such a channel is usually for.
    pub lane: Option<String>,
    /// Name of the switch it stands behind where there are two cameras; its usual name without.
    pub switch: Option<String>,
    /// How frames reach the readers of `lane`.
    #[serde(default)]
    pub transport: Transport,
    /// A second lane to which the same frames are copied.
    pub copy_lane: Option<String>,
    /// Buffers of its ring: one stays with the hardware, one is shown, the others can be held.
    #[serde(default = "three")]
    pub buffers: u32,
    /// Mapped through the processor's cache.
    #[serde(default = "yes")]
    pub cached: bool,
    /// Time a frame is guaranteed to its readers.
    #[serde(default = "two_frames")]
    pub lease_ms: u64,
    /// Frames that all readers together may hold.
    #[serde(default = "eight")]
    pub leases: u32,
}

fn three() -> u32 {
    3
}

fn eight() -> u32 {
    8
}

fn yes() -> bool {
    true
}

fn two_frames() -> u64 {
    66
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// `InvalidArgument` naming the file and, where it is one of the text, the line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| io_failed(path, &error))?;
        let config = Self::parse(&text).map_err(|error| unusable(path, error))?;
        Ok(config)
    }

    /// The same from its text.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Config = toml::from_str(text).map_err(|error| invalid(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// Refuses what cannot work.
    ///
    /// # Errors
    /// `InvalidArgument` naming camera, channel or lane.
    pub fn check(&self) -> Result<()> {
        if self.cameras.is_empty() {
            return Err(invalid("no [[camera]] is there"));
        }
        let mut seen = BTreeSet::new();
        let mut hosts = BTreeSet::new();
        for (index, camera) in self.cameras.iter().enumerate() {
            camera.check()?;
            if !hosts.insert(camera.host) {
                return Err(invalid(format!("two cameras at host {}", camera.host)));
            }
            for channel in &camera.channels {
                let lanes = [Some(self.lane_of(index, channel)), channel.copy_lane.clone()];
                for lane in lanes.into_iter().flatten() {
                    if seen.contains(&lane) {
                        return Err(invalid(format!("two channels publish to lane {lane:?}")));
                    }
                    seen.insert(lane);
                }
                channel.check(camera.sensor.fps)?;
            }
        }
        for switch in self.switches() {
            if !seen.insert(switch.name.clone()) {
                let name = switch.name;
                return Err(invalid(format!("a switch and a lane, or two switches, are {name:?}")));
            }
        }
        self.switch.as_ref().map_or(Ok(()), |switch| switch.check(self))?;
        let mut all = self.cameras.iter().flat_map(|camera| &camera.channels);
        if self.switch.is_none() && all.any(|channel| channel.switch.is_some()) {
            return Err(invalid("a channel stands behind a switch, and there is no [switch]"));
        }
        self.readers.check()
    }

    /// Name of a channel's lane. Behind a switch the usual name is the switch's own.
    pub fn lane_of(&self, camera: usize, channel: &Channel) -> String {
        let id = self.cameras[camera].id_of(camera);
        let others = self.cameras.iter().enumerate().filter(|(index, _)| *index != camera);
        let switched = self.switch.is_some()
            && others.flat_map(|(_, other)| &other.channels).any(|c| c.number == channel.number);
        let usual = || match (id, switched) {
            (0, false) => channel.usual().to_owned(),
            _ => format!("{}_cam{id}", channel.usual()),
        };
        channel.lane.clone().unwrap_or_else(usual)
    }
}

impl Camera {
    /// Number in its frames.
    pub fn id_of(&self, index: usize) -> u32 {
        self.id.unwrap_or(index as u32)
    }

    pub(super) fn silence(&self) -> Duration {
        Duration::from_millis(self.silence_ms)
    }

    pub(super) fn setup(&self) -> CameraSetup {
        let s = self.sensor.clone();
        let sensor = SensorSetup {
            name: s.name,
            address: s.address,
            width: s.width,
            height: s.height,
            fps: s.fps,
            lanes: s.lanes,
            mipi_clock: s.mipi_clock,
            line_length: s.line_length,
            frame_length: s.frame_length,
            calibration: s.calibration,
        };
        let channels = self.channels.iter().map(Channel::setup).collect();
        CameraSetup { host: self.host, sensor, channels }
    }
}

/// What channels are usually for, by number.
const USUAL: [&str; 6] = [
    "pet_camera_active_zc",
    "pet_camera_yolo_zc",
    "pet_camera_mjpeg_zc",
    "pet_camera_roi_zc_0",
    "pet_camera_roi_zc_1",
    "pet_camera_large_zc",
];

impl Channel {
    /// What such a channel is called where nobody says otherwise.
    fn usual(&self) -> &'static str {
        USUAL.get(self.number as usize).copied().unwrap_or("pet_camera_zc")
    }

    pub(super) fn lease(&self) -> Duration {
        Duration::from_millis(self.lease_ms)
    }

    fn setup(&self) -> ChannelSetup {
        ChannelSetup {
            number: self.number,
            width: self.size[0],
            height: self.size[1],
            crop: self.crop.map(|[x, y, width, height]| Crop { x, y, width, height }),
            buffers: self.buffers,
            cached: self.cached,
        }
    }
}

#[cfg(test)]
mod tests;
