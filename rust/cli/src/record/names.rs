//! The names of the files of one recording.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of file `number`, from 1: the name that was given, then with a number before its ending.
pub fn numbered(given: &Path, number: u64) -> PathBuf {
    if number <= 1 {
        return given.to_owned();
    }
    let mut name = given.file_stem().map_or_else(OsString::new, OsString::from);
    name.push(format!("-{number:04}"));
    if let Some(ending) = given.extension() {
        name.push(".");
        name.push(ending);
    }
    given.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_have_their_number_before_the_ending() {
        let name = |given: &str, number| numbered(Path::new(given), number).display().to_string();
        assert_eq!(name("a/b.c.mp4", 1), "a/b.c.mp4");
        assert_eq!(name("a/b.c.mp4", 2), "a/b.c-0002.mp4");
        assert_eq!(name("cam.mp4", 12345), "cam-12345.mp4");
        assert_eq!(name("cam", 2), "cam-0002");
    }
}
