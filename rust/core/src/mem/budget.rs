//! Whether there is memory for a lane, asked before it is reserved.
//!
//! In a memory cgroup a reservation that does not fit ends in the out-of-memory killer rather than
//! in an error, so the limits are compared first. Best effort: what cannot be read is not a limit.

use super::memfd::HUGE_PAGE_BYTES;
use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use std::path::{Path, PathBuf};

/// Something that limits the memory a lane can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryLimit {
    /// "the machine", or which memory cgroup.
    pub whose: String,
    /// What it can still give, in bytes.
    pub left_bytes: u64,
}

/// Every limit that a new lane of this process meets, the machine's first.
pub fn memory_limits() -> Vec<MemoryLimit> {
    let mut limits = Vec::new();
    if let Some(left) = meminfo("MemAvailable:").map(|kib| kib.saturating_mul(1024)) {
        limits.push(MemoryLimit { whose: "the machine".into(), left_bytes: left });
    }
    let mut folder = own_cgroup();
    while let Some(group) = folder {
        if let Some(left_bytes) = cgroup_left(&group) {
            let whose = format!("the memory cgroup {}", group.display());
            limits.push(MemoryLimit { whose, left_bytes });
        }
        folder = group.parent().filter(|up| up.starts_with(CGROUPS)).map(Path::to_owned);
    }
    limits
}

/// Refuses `bytes` of ordinary shared memory when the machine or a cgroup cannot give it.
pub(crate) fn check(bytes: u64) -> Result<()> {
    match memory_limits().into_iter().find(|limit| bytes > limit.left_bytes) {
        None => Ok(()),
        Some(MemoryLimit { whose, left_bytes }) => Err(Error::new(
            ErrorKind::OutOfMemory,
            format!("the lane needs {bytes} bytes of shared memory, {whose} has {left_bytes} left"),
        )),
    }
}

/// Free huge pages of the default pool, in bytes.
pub(crate) fn free_huge_bytes() -> u64 {
    let pages = meminfo("HugePages_Free:").unwrap_or(0);
    let reserved = meminfo("HugePages_Rsvd:").unwrap_or(0);
    pages.saturating_sub(reserved) * HUGE_PAGE_BYTES
}

const CGROUPS: &str = "/sys/fs/cgroup";

fn meminfo(key: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Folder of this process's group in the unified hierarchy.
fn own_cgroup() -> Option<PathBuf> {
    let text = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(Path::new(CGROUPS).join(path.trim_start_matches('/')))
}

fn cgroup_left(folder: &Path) -> Option<u64> {
    let number = |file: &str| -> Option<u64> {
        std::fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok()
    };
    // "max" does not parse: no limit.
    Some(number("memory.max")?.saturating_sub(number("memory.current")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_fits_and_an_exabyte_does_not() {
        check(4096).unwrap();
        let error = check(1 << 60).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert!(error.to_string().contains("1152921504606846976 bytes"), "{error}");
    }

    #[test]
    fn a_group_without_files_has_no_limit_and_one_with_files_has() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(cgroup_left(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "max\n").unwrap();
        std::fs::write(folder.path().join("memory.current"), "4096\n").unwrap();
        assert_eq!(cgroup_left(folder.path()), None);
        std::fs::write(folder.path().join("memory.max"), "10000\n").unwrap();
        assert_eq!(cgroup_left(folder.path()), Some(5904));
    }
}
