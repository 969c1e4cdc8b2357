//! What `framelane camera --source hb_vio --config FILE` reads.

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
            camera.setup().check().map_err(framelane::Error::from)?;
            if !hosts.insert(camera.host) {
                return Err(invalid(format!("two cameras at host {}", camera.host)));
            }
            for channel in &camera.channels {
                let lanes = [Some(channel.lane_of(camera.id_of(index))), channel.copy_lane.clone()];
                for lane in lanes.into_iter().flatten() {
                    if seen.contains(&lane) {
                        return Err(invalid(format!("two channels publish to lane {lane:?}")));
                    }
                    seen.insert(lane);
                }
                channel.check(camera.sensor.fps)?;
            }
        }
        Ok(())
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
    /// Name of its lane.
    pub fn lane_of(&self, camera_id: u32) -> String {
        let usual = || {
            let name = USUAL.get(self.number as usize).copied().unwrap_or("pet_camera_zc");
            if camera_id == 0 { name.to_owned() } else { format!("{name}_cam{camera_id}") }
        };
        self.lane.clone().unwrap_or_else(usual)
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

    fn check(&self, fps: u32) -> Result<()> {
        let number = self.number;
        // 33 ms stand for a thirtieth of a second, as everybody writes it.
        let least = 2 * (1000 / u64::from(fps));
        if self.lease_ms < least {
            return Err(invalid(format!(
                "channel {number}: a lease of {} ms is shorter than two frames, {least} ms",
                self.lease_ms
            )));
        }
        if !(1..=60).contains(&self.leases) {
            let leases = self.leases;
            return Err(invalid(format!("channel {number}: {leases} leases, 1 to 60 can be had")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use framelane::ErrorKind;

    const TWO: &str = r#"
[[camera]]
host = 0
[[camera.channel]]
number = 0
size = [640, 480]
[[camera.channel]]
number = 1
size = [640, 360]
transport = "zero-copy"

[[camera]]
host = 2
[camera.sensor]
fps = 15
[[camera.channel]]
number = 3
size = [640, 640]
crop = [160, 440, 640, 640]
buffers = 4
lease_ms = 200
copy_lane = "copies"
"#;

    #[test]
    fn lanes_have_the_names_of_the_system_before() {
        let config = Config::parse(TWO).unwrap();
        let names = |camera: usize| -> Vec<String> {
            let id = config.cameras[camera].id_of(camera);
            config.cameras[camera].channels.iter().map(|channel| channel.lane_of(id)).collect()
        };
        assert_eq!(names(0), ["pet_camera_active_zc", "pet_camera_yolo_zc"]);
        assert_eq!(names(1), ["pet_camera_roi_zc_0_cam1"]);
        let channel = &config.cameras[0].channels[0];
        assert_eq!(
            (channel.lease_ms, channel.buffers, channel.transport),
            (66, 3, Transport::Auto)
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let change = |from: &str, to: &str| {
            assert!(TWO.contains(from), "{from}");
            let error = Config::parse(&TWO.replacen(from, to, 1)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            error.to_string()
        };
        for (from, to, words) in [
            ("host = 2", "host = 0", "two cameras at host 0"),
            ("number = 1", "number = 0", "channel 0 is there twice"),
            ("[640, 640]", "[800, 640]", "channel 3: it only scales down"),
            ("lease_ms = 200", "lease_ms = 100", "shorter than two frames, 132 ms"),
            ("\"copies\"", "\"pet_camera_yolo_zc\"", "two channels publish to lane"),
            ("buffers = 4", "bufers = 4", "unknown field `bufers`"),
            ("\"zero-copy\"", "\"fast\"", "unknown variant `fast`"),
            ("buffers = 4", "buffers = 4\nleases = 0", "0 leases"),
        ] {
            let text = change(from, to);
            assert!(text.contains(words), "{text}");
        }
        assert!(Config::parse("camera = []").unwrap_err().to_string().contains("no [[camera]]"));
    }
}
