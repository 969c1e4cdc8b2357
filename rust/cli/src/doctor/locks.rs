//! Who holds a lane's lock, without touching it: taking it even for a moment would turn away a
//! producer that starts just then.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The process that took the lock, if it is still held: by it, or by a child that inherited it.
/// The file has the process's number in it; only both sources together are believed.
pub fn holder(lock: &Path) -> Option<u32> {
    let written: u32 = fs::read_to_string(lock).ok()?.trim().parse().ok()?;
    let inode = fs::symlink_metadata(lock).ok()?.ino();
    let table = fs::read_to_string("/proc/locks").ok()?;
    table.lines().any(|line| is_lock(line, written, inode)).then_some(written)
}

/// Whether a line like "7: FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF" is about this lock.
fn is_lock(line: &str, pid: u32, inode: u64) -> bool {
    let mut words = line.split_whitespace();
    let flock = words.nth(1) == Some("FLOCK");
    let same_process = words.nth(2).and_then(|word| word.parse().ok()) == Some(pid);
    let number = words.next().and_then(|word| word.rsplit(':').next()?.parse().ok());
    flock && same_process && number == Some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_lock_table_is_read() {
        let line = "7: FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF";
        assert!(is_lock(line, 1234, 5678));
        assert!(!is_lock(line, 1235, 5678));
        assert!(!is_lock(line, 1234, 5679));
        assert!(!is_lock("7: POSIX  ADVISORY  WRITE 1234 00:1f:5678 0 EOF", 1234, 5678));
        assert!(!is_lock("", 1234, 5678));
        assert!(!is_lock("7: -> FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF", 1234, 5678));
    }

    #[test]
    fn a_producer_holds_its_lock_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let layout = framelane::FrameLayout::new(framelane::PixelFormat::Grey, 8, 8).unwrap();
        let options = framelane::ProducerOptions::new().layout(layout);
        let options = options.directory(Some(folder.path().to_owned()));
        let producer = framelane::Producer::create("lane", options).unwrap();
        let lock = folder.path().join("lane.lock");
        assert_eq!(holder(&lock), Some(std::process::id()));
        drop(producer);
        assert_eq!(holder(&lock), None);
        assert_eq!(holder(&folder.path().join("none.lock")), None);
    }
}
