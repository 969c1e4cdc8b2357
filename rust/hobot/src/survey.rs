//! What of the vendor's software is there.

use crate::error::{Error, Result};
use crate::memory::{Memory, Picture};
use framelane::ErrorKind;
use framelane_hobot_sys::{Cam, Format, Hbmem, Multimedia, Vpf, usage};
use std::path::Path;

/// One of the vendor's libraries.
#[derive(Debug)]
pub struct Library {
    /// The name it is loaded by.
    pub name: &'static str,
    /// Functions that it lacks, of those that our bindings know, or why it cannot be loaded.
    pub missing: Result<Vec<&'static str>>,
}

/// Loads each library, from `folder` where one is given, and looks for its functions.
pub fn survey(folder: Option<&Path>) -> Vec<Library> {
    let hbmem = Hbmem::open(folder).map(|library| library.missing());
    let vpf = Vpf::open(folder).map(|library| library.missing());
    let cam = Cam::open(folder).map(|library| library.missing());
    let multimedia = Multimedia::open(folder).map(|library| library.missing());
    [
        ("libhbmem.so.1", hbmem),
        ("libvpf.so.1", vpf),
        ("libcam.so.1", cam),
        ("libmultimedia.so.1", multimedia),
    ]
    .into_iter()
    .map(|(name, missing)| Library { name, missing: missing.map_err(Error::from) })
    .collect()
}

/// Allocates a picture as a camera has them and imports it as a reader does; the version of the
/// library that could.
///
/// # Errors
/// What one of the steps fails with.
pub fn try_memory(folder: Option<&Path>) -> Result<(u32, u32, u32)> {
    let memory = Memory::open(folder)?;
    let flags = usage::CPU_READ_OFTEN | usage::CPU_WRITE_OFTEN | usage::CACHED;
    let flags = flags | usage::GRAPHIC_CONTIGUOUS;
    let (width, height, format) = (640, 360, Format::NV12);
    let picture = Picture { width, height, format, flags, stride: 0, vstride: 0 };
    let made = memory.alloc_graphic(&picture)?;
    let mut asked = made.export();
    asked.flags &= !usage::CPU_WRITE_OFTEN;
    let seen = memory.import_graphic(&asked)?;
    seen.invalidate()?;
    match made.clients()? {
        2 => memory.version(),
        other => {
            let text = format!("a picture that is held twice is held {other} times");
            Err(framelane::Error::new(ErrorKind::System, text).into())
        }
    }
}
