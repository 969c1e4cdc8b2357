//! A folder with the stand-ins in it, as a board's library folder, for tests.

use crate::table::Ion;
use std::io::{Error, Result};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The libraries by the names they are loaded by, and by the names cargo builds them under.
const LIBRARIES: &[(&str, &str)] = &[
    ("libhbmem.so.1", "libhbmem.so"),
    ("libvpf.so.1", "libvio.so"),
    ("libcam.so.1", "libvio.so"),
    ("libmultimedia.so.1", "libmultimedia.so"),
];

/// A folder of its own with links to the stand-ins.
pub struct Place {
    folder: PathBuf,
    ion: Ion,
}

impl Place {
    /// Makes `folder` and links the stand-ins into it that stand beside the running program, where
    /// cargo puts what a test depends on, or one folder above.
    ///
    /// # Errors
    /// When libhbmem was not built, or the folder cannot be made.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        for (name, built) in LIBRARIES {
            match built_library(built)? {
                Some(library) => symlink(library, folder.join(name))?,
                None if *name == "libhbmem.so.1" => {
                    return Err(Error::other(format!("{built} is not beside this program")));
                }
                None => {}
            }
        }
        Ok(Place { folder: folder.to_owned(), ion: Ion::open(folder)? })
    }

    /// The folder, to load the libraries from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its table: counts to look at, faults to plan.
    pub fn ion(&self) -> &Ion {
        &self.ion
    }
}

fn built_library(name: &str) -> Result<Option<PathBuf>> {
    let program = std::env::current_exe()?;
    let folders = program.ancestors().skip(1).take(2);
    let mut found = folders.flat_map(|folder| [folder.join(name), folder.join("deps").join(name)]);
    Ok(found.find(|path| path.exists()))
}

/// The folder that a library was loaded from, given the path the loader knows it by.
pub(crate) fn folder_of(library: &Path) -> PathBuf {
    let folder = library.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or_else(|| PathBuf::from("."), Path::to_owned)
}
