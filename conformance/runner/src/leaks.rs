//! What a process still has of a lane or a ring: memfds, sockets and files in the folder of the
//! lanes itself, open or mapped.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// Fails with what the process still has when the time is over. Threads that end and connections
/// that are shut take a moment.
pub fn none_within(pid: u32, lanes: &Path, time: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let left = found(pid, lanes)?;
        if left.is_empty() {
            return Ok(());
        }
        if start.elapsed() > time {
            bail!("after reset it still has {}", left.join(", "));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn found(pid: u32, lanes: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let folder = format!("/proc/{pid}/fd");
    for entry in fs::read_dir(&folder).with_context(|| folder.clone())? {
        // Those that are closed meanwhile are no leak.
        let Ok(link) = fs::read_link(entry?.path()) else { continue };
        let link = link.to_string_lossy().into_owned();
        if link.starts_with("/memfd:") || link.starts_with("socket:") || is_in(lanes, &link) {
            found.push(link);
        }
    }
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mapped = maps.lines().filter(|line| line.contains("/memfd:") || is_in(lanes, line));
    found.extend(mapped.map(|line| line.to_owned()));
    Ok(found)
}

/// Whether a text names a file of that folder. What lies deeper is the memory of a board, which an
/// agent keeps as long as its library.
fn is_in(lanes: &Path, text: &str) -> bool {
    let folder = format!("{}/", lanes.display());
    text.split_once(&folder).is_some_and(|(_, file)| !file.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn an_open_socket_is_found() {
        let pid = std::process::id();
        let _pair = UnixStream::pair().unwrap();
        let error =
            none_within(pid, Path::new("/nowhere"), Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("socket:"), "{error}");
    }

    #[test]
    fn an_open_file_of_the_lanes_is_found_and_what_lies_deeper_is_not() {
        let lanes = tempfile::tempdir().unwrap();
        fs::create_dir(lanes.path().join("deeper")).unwrap();
        let deeper = fs::File::create(lanes.path().join("deeper/table")).unwrap();
        let here = fs::File::create(lanes.path().join("ring")).unwrap();
        let left = || found(std::process::id(), lanes.path()).unwrap();
        let has = |file: &str| left().iter().any(|left| left.ends_with(file));
        assert!(has("/ring") && !has("/table"));
        drop((here, deeper));
        assert!(!has("/ring"));
    }
}
