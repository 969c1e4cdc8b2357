//! Putting a file in its place as a whole or not at all.

use anyhow::{Context, Result};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Writes beside the file, then renames over it. Devices and pipes are written to directly: a
/// rename would replace them.
///
/// # Errors
/// With the name and the reason, for instance a full disk; nothing half-written stays.
pub fn save(file: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || format!("writing {} ({} bytes)", file.display(), bytes.len());
    match fs::metadata(file) {
        Ok(found) if found.is_dir() => {
            return Err(std::io::Error::from(std::io::ErrorKind::IsADirectory))
                .with_context(failed);
        }
        Ok(found) if !found.is_file() => {
            let mut device = OpenOptions::new().write(true).open(file).with_context(failed)?;
            return device.write_all(bytes).with_context(failed);
        }
        // Through a symbolic link: the file behind it is the one to replace.
        Ok(_) => replace(&file.canonicalize().with_context(failed)?, bytes),
        Err(_) => replace(file, bytes),
    }
    .with_context(failed)
}

fn replace(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The umask takes its part, as it does from any new file.
    let mode = fs::metadata(file).map_or(0o666, |found| found.permissions().mode() & 0o777);
    let create =
        |path: &Path| OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut temporary = tempfile::Builder::new().prefix(".framelane-").make_in(folder, create)?;
    // Through the file itself: its errors do not tell the temporary name, which helps nobody.
    temporary.as_file_mut().write_all(bytes)?;
    // Some file systems find out only now that they are full.
    temporary.as_file().sync_data()?;
    temporary.persist(file).map_err(|failed| failed.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.png");
        save(&file, b"one").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        save(&file, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(names(folder.path()), ["a.png"]);
    }

    #[test]
    fn a_link_stays_a_link_and_a_device_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&file, b"one").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        save(&link, b"two").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"two");
        let text = format!("{:#}", save(Path::new("/dev/full"), b"x").unwrap_err());
        assert!(text.contains("/dev/full") && text.contains("No space left"), "{text}");
        assert!(save(folder.path(), b"x").is_err(), "a folder");
        let nowhere = folder.path().join("no/such/a.png");
        let text = format!("{:#}", save(&nowhere, b"x").unwrap_err());
        assert!(text.contains("a.png") && text.contains("No such file"), "{text}");
        assert!(!text.contains(".framelane-"), "{text}");
    }
}
