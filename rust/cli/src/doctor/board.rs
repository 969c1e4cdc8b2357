//! The vendor's libraries of an RDK X5, and its memory.

use super::Finding;
use framelane_hobot::{FOLDER_VARIABLE, Library, survey, try_memory};
use std::path::Path;

/// Where the vendor's images have them.
const VENDOR: &str = "/usr/hobot/lib";

pub fn look() -> Vec<Finding> {
    let libraries = survey(None);
    let asked = std::env::var_os(FOLDER_VARIABLE).is_some() || Path::new(VENDOR).exists();
    if !asked && libraries.iter().all(|library| library.missing.is_err()) {
        let text = "none of the vendor's libraries: no RDK X5, and only its cameras need them";
        return vec![Finding::ok("board_library", text)];
    }
    let mut findings: Vec<Finding> = libraries.iter().map(library).collect();
    if libraries[0].missing.is_ok() {
        findings.push(memory());
    }
    findings
}

fn library(library: &Library) -> Finding {
    let (check, name) = ("board_library", library.name);
    match &library.missing {
        Ok(missing) if missing.is_empty() => {
            Finding::ok(check, format!("{name} has every function that is used"))
        }
        Ok(missing) => Finding::warn(
            check,
            format!("{name} has no {}", missing.join(", ")),
            "bring the board's packages up to date; what needs one of them fails and names it",
        ),
        Err(error) => Finding::warn(
            check,
            error.to_string(),
            format!("install the vendor's package, or name its folder in {FOLDER_VARIABLE}"),
        ),
    }
}

fn memory() -> Finding {
    let check = "board_memory";
    match try_memory(None) {
        Ok((major, minor, patch)) => {
            let text = "a picture was allocated, imported and freed; libhbmem";
            Finding::ok(check, format!("{text} {major}.{minor}.{patch}"))
        }
        Err(error) => Finding::bad(
            check,
            error.to_string(),
            "run as root, or as a user that may open /dev/ion: ls -l /dev/ion",
        ),
    }
}
