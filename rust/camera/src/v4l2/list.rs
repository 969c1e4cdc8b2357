//! Which cameras there are.

use super::device::{ControlInfo, Device};
use super::format;
use crate::error::Result;
use framelane::ErrorKind;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// A camera, as it tells of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CameraInfo {
    /// Its node.
    pub path: PathBuf,
    /// Its name.
    pub card: String,
    /// Its driver.
    pub driver: String,
    /// Where it is connected.
    pub bus: String,
    /// Whether its buffers have several parts.
    pub multi_planar: bool,
    /// What it offers.
    pub formats: Vec<FormatInfo>,
    /// What can be set.
    pub controls: Vec<ControlInfo>,
}

/// A format with its sizes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormatInfo {
    /// Four characters.
    pub fourcc: String,
    /// Whether the SDK takes it.
    pub known: bool,
    /// Width and height of each size.
    pub sizes: Vec<(u32, u32)>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Cameras that can be opened.
    pub cameras: Vec<CameraInfo>,
    /// Nodes that cannot, and why: they may be cameras.
    pub refused: Vec<(PathBuf, String)>,
}

/// Looks at every video node. Nodes for anything but pictures, such as the second one of a USB
/// camera, are left out.
pub fn list() -> Found {
    let mut nodes: Vec<(u32, PathBuf)> = std::fs::read_dir("/dev")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("video")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    nodes.sort();
    let mut found = Found::default();
    for (_, path) in nodes {
        match look(&path) {
            Ok(info) => found.cameras.push(info),
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            Err(error) => found.refused.push((path, error.to_string())),
        }
    }
    found
}

fn look(path: &Path) -> Result<CameraInfo> {
    let device = Device::open(path)?;
    let formats = device.formats().into_iter().map(|code| FormatInfo {
        fourcc: format::name(code),
        known: format::content(code).is_some(),
        sizes: device.sizes(code),
    });
    Ok(CameraInfo {
        path: path.to_owned(),
        card: device.card(),
        driver: device.driver(),
        bus: device.bus(),
        multi_planar: device.kind == super::abi::CAPTURE_PLANES,
        formats: formats.collect(),
        controls: device.controls(),
    })
}
