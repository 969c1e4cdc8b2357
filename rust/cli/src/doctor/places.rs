//! The directories that lanes have their sockets in.

use super::Finding;
use framelane::runtime_dir;
use rustix::fs::{Access, access};
use rustix::process::geteuid;
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

const STICKY: u32 = 0o1000;

pub fn look() -> Vec<Finding> {
    let places = runtime_dir::search_path();
    let mut findings: Vec<Finding> = places.iter().map(|place| directory(place)).collect();
    findings.push(for_producers(&places));
    findings
}

fn directory(place: &Path) -> Finding {
    let check = "runtime_directory";
    let shown = place.display();
    let found = match fs::symlink_metadata(place) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = format!("{shown} is not there; a producer that may makes it");
            return Finding::ok(check, text);
        }
        Err(error) => {
            return Finding::bad(check, format!("{shown}: {error}"), format!("ls -ld {shown}"));
        }
    };
    if is_fallback(place)
        && let Some(why) = unsafe_fallback(&found)
    {
        let text = format!("{shown} is not used: {why}");
        return Finding::bad(check, text, format!("rm -r {shown}, as whoever owns it"));
    }
    let target = match fs::metadata(place) {
        Ok(target) if target.is_dir() => target,
        _ => {
            let text = format!("{shown} is no directory");
            return Finding::bad(check, text, format!("rm {shown} && mkdir {shown}"));
        }
    };
    let mode = target.permissions().mode() & 0o7777;
    let told = format!("{shown}, owner {}, mode {mode:04o}, {}", target.uid(), rights(place));
    if access(place, Access::READ_OK | Access::EXEC_OK).is_err() {
        let fix = format!("chmod a+rx {shown}, as its owner");
        return Finding::warn(check, format!("{told}: lanes there cannot be listed"), fix);
    }
    if mode & 0o022 != 0 && mode & STICKY == 0 {
        let text = format!("{told}: others can take away the sockets of lanes");
        return Finding::warn(check, text, format!("chmod +t {shown}    (or chmod go-w {shown})"));
    }
    Finding::ok(check, told)
}

fn is_fallback(place: &Path) -> bool {
    place == Path::new(&format!("/tmp/framelane-{}", geteuid().as_raw()))
}

/// /tmp is everybody's, so what stands there is used only if it is surely ours.
fn unsafe_fallback(found: &Metadata) -> Option<String> {
    if !found.is_dir() {
        return Some("it is a symbolic link or no directory".into());
    }
    if found.uid() != geteuid().as_raw() {
        return Some(format!("it belongs to user {}", found.uid()));
    }
    match found.permissions().mode() & 0o777 {
        0o700 => None,
        mode => Some(format!("its mode is {mode:o}, not 700")),
    }
}

fn rights(place: &Path) -> &'static str {
    match can_write(place) {
        true => "writable",
        false => "not writable by this user",
    }
}

fn can_write(place: &Path) -> bool {
    access(place, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Producers take the first place that they can write to, or make.
fn for_producers(places: &[PathBuf]) -> Finding {
    let usable = |place: &&PathBuf| match fs::symlink_metadata(place) {
        Ok(found) if is_fallback(place) => unsafe_fallback(&found).is_none(),
        Ok(_) => place.is_dir() && can_write(place),
        Err(_) => place.parent().is_some_and(can_write),
    };
    match places.iter().find(usable) {
        Some(place) => Finding::ok(
            "producer_directory",
            format!("producers of this user make lanes in {}", place.display()),
        ),
        None => {
            let fix = match places {
                [only] => format!("mkdir -p {}    (FRAMELANE_DIR names it)", only.display()),
                _ => "sudo install -d -m 1777 /run/framelane".into(),
            };
            Finding::bad("producer_directory", "this user can make lanes nowhere", fix)
        }
    }
}
