//! The board that the demo runs on where there is none: the stand-in with two cameras.

use anyhow::Result;
use framelane_standin_ion::{Place, Scene};
use std::path::{Path, PathBuf};

/// MIPI hosts of the cameras. That of the day, whose view decides, is the first.
const HOSTS: [u32; 2] = [0, 2];
/// How bright it is by day and by night, in percent.
const LIGHT: [u32; 2] = [100, 20];

/// Cameras as on the board, but for leases, buffers and the patience of the switch: on the board
/// 66 ms are enough, here a dozen processes share what cores there are, and nobody is to be
/// blamed for that.
const CAMERA: &str = r#"
[[camera]]
host = {host}
silence_ms = 20000
"#;
const CHANNEL: &str = r#"
[[camera.channel]]
number = {number}
size = {size}
buffers = 16
lease_ms = {lease}
leases = {leases}
transport = "{transport}"
"#;
/// Sizes of a camera's outputs, and how many frames their readers hold: for people, for the
/// detector, and for the page's pictures.
const CHANNELS: [(&str, u32); 3] = [("[640, 480]", 40), ("[640, 360]", 24), ("[640, 480]", 24)];
const SWITCH: &str = "[switch]\ndark_ms = 300\nbright_ms = 500\ndead_ms = 20000\n";

/// How long a frame is its readers' where nobody asks for less, in milliseconds.
pub const LEASE_MS: u64 = 30_000;

/// What two cameras are told; `transport` is `zero-copy` or `copy`.
pub fn config(transport: &str, mjpeg: bool, lease_ms: u64) -> String {
    let channel = CHANNEL.replace("{transport}", transport);
    let channel = channel.replace("{lease}", &lease_ms.to_string());
    let mut camera = CAMERA.to_owned();
    for (number, (size, leases)) in CHANNELS[..if mjpeg { 3 } else { 2 }].iter().enumerate() {
        let channel = channel.replace("{number}", &number.to_string()).replace("{size}", size);
        camera += &channel.replace("{leases}", &leases.to_string());
    }
    let [day, night] = HOSTS.map(|host| camera.replace("{host}", &host.to_string()));
    [SWITCH, &day, &night].concat()
}

/// A board with its cameras.
pub struct Board {
    place: Place,
    config: PathBuf,
}

impl Board {
    /// Furnishes one in `folder` with the stand-ins, which are built.
    pub fn new(folder: &Path, config: &str) -> Result<Self> {
        let place = Place::new(&folder.join("board"))?;
        let file = folder.join("cameras.toml");
        std::fs::write(&file, config)?;
        Ok(Board { place, config: file })
    }

    /// Where the libraries are that play the vendor's.
    pub fn libraries(&self) -> &Path {
        self.place.folder()
    }

    /// What the cameras are told.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// What both cameras see when they are started.
    pub fn show(&self, clip: &Path) -> Result<()> {
        let ion = self.place.ion();
        Ok(HOSTS.iter().try_for_each(|host| ion.show(*host, Some(clip)))?)
    }

    /// Makes it day or night.
    pub fn light(&self, day: bool) -> Result<()> {
        let brightness = LIGHT[usize::from(!day)];
        Ok(self.place.ion().set_scene(HOSTS[0], Scene { brightness, ..Scene::default() })?)
    }

    /// Buffers that somebody has.
    pub fn buffers(&self) -> Result<usize> {
        Ok(self.place.ion().look(|state| state.buffers.len())?)
    }
}
