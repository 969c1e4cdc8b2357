//! Any Linux camera: V4L2, without a copy wherever the driver can do that.
//!
//! Three ways, of which `auto` takes the first that the driver goes along with:
//!
//! | way | whose memory | what readers get |
//! |---|---|---|
//! | export | the driver's | read-only dma-bufs, once, when they attach |
//! | import | ours, from a dma-heap or a memfd | the same memory, read-only |
//! | copy | the driver's | slots of the lane, one copy each |
//!
//! A buffer goes back to the driver exactly when the last reader lets go of it, and two always
//! stay with the driver, so that no reader can stop a camera. A camera that is unplugged, fails or
//! falls silent is opened again, in growing intervals; one that changes its format at once. Lanes
//! whose memory is the camera's are then made anew, and readers attach to the new ones by
//! themselves.

mod abi;
mod camera;
mod device;
mod feed;
mod format;
mod list;
mod memory;
mod records;
mod signal;
mod stream;
mod sys;

pub use camera::Camera;
pub use device::{ControlInfo, Device};
pub use feed::TAG;
pub use format::{Content, Picture};
pub use list::{CameraInfo, FormatInfo, Found, list};

use crate::error::{Result as Outcome, invalid};
use crate::rate::Rate;
use framelane::{Access, Error, ErrorKind, Trust};
use rustix::fd::AsFd;
use serde::Serialize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Buffers that stay with the driver: one it writes, one it turns to next.
pub(crate) const REST: u32 = 2;

/// How pictures get from the driver to readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The driver's buffers, as dma-bufs.
    Export,
    /// Our memory, which the driver writes to.
    Import,
    /// A copy.
    Copy,
}

impl Mode {
    /// From the best to the one that always works.
    const ALL: [Mode; 3] = [Mode::Export, Mode::Import, Mode::Copy];

    /// Its name in full.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Export => "dmabuf-export",
            Mode::Import => "dmabuf-import",
            Mode::Copy => "mmap-copy",
        }
    }

    fn why(self) -> &'static str {
        match self {
            Mode::Export => "readers see the driver's own buffers",
            Mode::Import => "the driver writes to memory that readers see",
            Mode::Copy => "each picture is copied once",
        }
    }
}

/// Which ways may be taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Buffers {
    /// The best that works.
    #[default]
    Auto,
    /// This one or none.
    Only(Mode),
}

impl FromStr for Buffers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => Ok(Buffers::Auto),
            "export" | "dmabuf-export" => Ok(Buffers::Only(Mode::Export)),
            "import" | "dmabuf-import" => Ok(Buffers::Only(Mode::Import)),
            "copy" | "mmap-copy" => Ok(Buffers::Only(Mode::Copy)),
            _ => Err(invalid(format!("buffers {text:?}; there are auto, export, import and copy"))),
        }
    }
}

/// What is wanted of a camera.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the lane.
    pub lane: String,
    /// The node.
    pub device: PathBuf,
    /// Pixels or a codec; None takes the first of raw formats, else of coded ones.
    pub content: Option<Content>,
    /// Width and height; None leaves what is set.
    pub size: Option<(u32, u32)>,
    /// Pictures per second; None leaves what is set.
    pub rate: Option<Rate>,
    /// Controls by name, set whenever the camera is opened.
    pub controls: Vec<(String, i64)>,
    /// How pictures get to readers.
    pub buffers: Buffers,
    /// Frames that all readers together may hold.
    pub leases: u32,
    /// Frames before the newest that stay reachable.
    pub history: u32,
    /// Time a frame in a buffer is guaranteed; zero: as long as it is held.
    pub lease: Duration,
    /// Silence after which a camera is taken for dead.
    pub stall: Duration,
    /// Number of the camera in its frames.
    pub camera_id: u32,
    /// End after this many published frames.
    pub frames: Option<u64>,
    /// Who may attach.
    pub access: Access,
    /// Who is trusted with shared bells.
    pub trust: Trust,
    /// Runtime directory of the lane; None searches.
    pub directory: Option<PathBuf>,
}

impl Config {
    /// A lane from a device, with everything else as usual.
    pub fn new(lane: impl Into<String>, device: impl Into<PathBuf>) -> Self {
        Config {
            lane: lane.into(),
            device: device.into(),
            content: None,
            size: None,
            rate: None,
            controls: Vec::new(),
            buffers: Buffers::Auto,
            leases: 8,
            history: 0,
            lease: Duration::ZERO,
            stall: Duration::from_secs(3),
            camera_id: 0,
            frames: None,
            access: Access::Owner,
            trust: Trust::SameUser,
            directory: None,
        }
    }
}

/// What became of a camera's frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// How they reach readers, and why so.
    pub how: String,
    /// Published.
    pub published: u64,
    /// Given back unseen: readers held all other buffers.
    pub starved: u64,
    /// Exposures that the driver left out.
    pub missed: u64,
    /// Marked as damaged by the driver.
    pub corrupt: u64,
    /// Times the camera was opened again, tries included.
    pub restarts: u64,
    /// Times it fell silent.
    pub stalls: u64,
    /// Times it told that its pictures are of another format from then on.
    pub changes: u64,
    /// Bytes copied on this side.
    pub copied_bytes: u64,
    /// Most buffers that were not with the driver at once.
    pub most_out: u32,
    /// Why it was last opened again.
    pub last_error: String,
}

/// A part of a buffer that one has a descriptor of, read by a mapping of one's own.
///
/// # Errors
/// `System` where it cannot be mapped.
pub fn read_buffer(fd: impl AsFd, offset: u64, bytes: u64) -> Outcome<Vec<u8>> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::System, error.to_string());
    let map = sys::Mapped::new(&fd, 0, (offset + bytes) as usize).map_err(failed)?;
    let mut copy = vec![0; bytes as usize];
    memory::refresh(&fd);
    match map.copy(offset as usize, &mut copy) {
        true => Ok(copy),
        false => Err(invalid(format!("{bytes} bytes at {offset} are not in the buffer"))),
    }
}
