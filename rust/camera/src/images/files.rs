//! Which files of a folder are pictures.

use crate::error::{Result, io_failed, unusable};
use std::path::{Path, PathBuf};

/// The picture files that `path` stands for, sorted by name.
pub(super) fn pictures(path: &Path) -> Result<Vec<PathBuf>> {
    let metadata = std::fs::metadata(path).map_err(|error| io_failed(path, &error))?;
    if !metadata.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|error| io_failed(path, &error))?;
    let files = entries.iter().map(|entry| entry.path()).filter(|path| !path.is_dir());
    let (mut pictures, mut others): (Vec<_>, Vec<_>) = files.partition(|file| is_picture(file));
    pictures.sort();
    others.sort();
    if pictures.is_empty() {
        return Err(unusable(path, "no JPEG or PNG file in this folder"));
    }
    for other in others {
        tracing::info!("{} is left out: it is no JPEG or PNG by its name", other.display());
    }
    Ok(pictures)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    ["jpg", "jpeg", "png"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
