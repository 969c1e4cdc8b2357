//! The lanes there are, and what killed producers left behind.

use super::{Finding, locks};
use crate::lanes::{self, Place};
use crate::ls::dead;
use framelane::{Error, ErrorKind, LaneEntry};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// A producer renames its half-made socket at once; what is older was left behind.
const HALF_MADE: Duration = Duration::from_secs(10);

pub fn look() -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut live = Vec::new();
    for place in lanes::everywhere() {
        if let Some(error) = &place.error {
            let fix = format!("ls -la {}", place.directory.display());
            findings.push(Finding::warn("lane", error.to_string(), fix));
        }
        for (entry, answer) in place.lanes.iter().zip(lanes::ask_all(&place.lanes)) {
            match answer {
                Ok(_) => live.push(entry.name.clone()),
                Err(error) => findings.push(silent(entry, &error)),
            }
        }
        findings.extend(left_over(&place));
    }
    let told = match live.as_slice() {
        [] => "no lane is live".into(),
        names => format!("live: {}", names.join(", ")),
    };
    findings.insert(0, Finding::ok("lanes", told));
    findings
}

fn silent(entry: &LaneEntry, error: &Error) -> Finding {
    let (state, reason) = dead(entry, error);
    let found = format!("lane {} is {state}: {reason}", entry.name);
    let socket = lanes::socket_path(&entry.name, &entry.directory);
    let lock = entry.directory.join(format!("{}.lock", entry.name));
    match (error.kind(), locks::holder(&lock)) {
        (ErrorKind::NotFound, Some(pid)) => Finding::bad(
            "lane",
            format!(
                "{found}, but the lock that process {pid} took is still held, by it or by a child: \
                 no producer can take the name"
            ),
            format!("fuser -v {}    (shows who; end it)", lock.display()),
        ),
        (ErrorKind::NotFound, None) => {
            Finding::warn("lane", found, format!("rm {}", socket.display()))
        }
        (ErrorKind::PermissionDenied, _) => {
            let owner = fs::symlink_metadata(&socket).map_or(0, |found| found.uid());
            let fix = format!(
                "sudo -u '#{owner}' framelane info {}    (or let the producer admit this user)",
                entry.name
            );
            Finding::warn("lane", found, fix)
        }
        (ErrorKind::TimedOut, Some(pid)) => {
            let fix =
                format!("ps -o pid,stat,wchan:20,cmd -p {pid}    (T: stopped, kill -CONT {pid})");
            Finding::bad("lane", found, fix)
        }
        (ErrorKind::LayoutMismatch, _) => {
            let fix = format!("framelane schema --lane {}    (names what differs)", entry.name);
            Finding::bad("lane", found, fix)
        }
        _ => Finding::bad("lane", found, format!("restart the producer of {}", entry.name)),
    }
}

/// Half-made sockets, and locks that are held without a socket.
fn left_over(place: &Place) -> Vec<Finding> {
    let Ok(entries) = fs::read_dir(&place.directory) else { return Vec::new() };
    let mut findings = Vec::new();
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else { continue };
        let lane = name.strip_suffix(".lock");
        if name.starts_with('.') && name.ends_with(".sock") && is_old(&path) {
            let found = format!("{} was left half-made by a killed producer", path.display());
            findings.push(Finding::warn("left_over", found, format!("rm {}", path.display())));
        } else if let Some(lane) = lane.filter(|lane| !place.has(lane))
            && let Some(pid) = locks::holder(&path)
        {
            let found = format!(
                "lane {lane} has no socket, but the lock that process {pid} took is still held"
            );
            let fix = format!("fuser -v {}    (shows who)", path.display());
            findings.push(Finding::warn("left_over", found, fix));
        }
    }
    findings
}

impl Place {
    fn has(&self, lane: &str) -> bool {
        self.lanes.iter().any(|entry| entry.name == lane)
    }
}

fn is_old(path: &Path) -> bool {
    let made = fs::symlink_metadata(path).and_then(|found| found.modified());
    made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > HALF_MADE))
}
