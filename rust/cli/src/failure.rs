//! Exit codes, and errors that say what to do next.

use crate::output::clean;
use crate::shmbuf::Shmbuf;
use framelane::ErrorKind;
use std::fmt;
use std::process::ExitCode;

/// Shown by `--help`.
pub const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no such lane.
Lanes are looked for in $FRAMELANE_DIR, or else in /run/framelane, $XDG_RUNTIME_DIR/framelane and
/tmp/framelane-<uid>. FRAMELANE_LOG=debug shows what the library does.";

const FAILED: u8 = 1;
const USAGE: u8 = 2;
const NO_LANE: u8 = 3;

/// A wrong call that the argument parser cannot see.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Says on standard error what failed, why, and what to try; the exit code.
pub fn report(error: &anyhow::Error, lane: Option<&str>) -> ExitCode {
    let kind = error.downcast_ref::<framelane::Error>().map(framelane::Error::kind);
    // Part of the text may come from another process.
    eprintln!("framelane: {}", clean(&format!("{error:#}")));
    let of_a_lane = !error.is::<Shmbuf>();
    if let Some(next) = kind.filter(|_| of_a_lane).and_then(|kind| next_step(kind, lane)) {
        eprintln!("  try: {next}");
    }
    ExitCode::from(match kind {
        Some(ErrorKind::NotFound) => NO_LANE,
        Some(ErrorKind::InvalidName) => USAGE,
        _ if error.is::<Usage>() => USAGE,
        _ => FAILED,
    })
}

fn next_step(kind: ErrorKind, lane: Option<&str>) -> Option<String> {
    let lane = lane.map_or("LANE".into(), clean);
    let next = match kind {
        ErrorKind::NotFound => "framelane ls    (lists the lanes there are)".into(),
        ErrorKind::InvalidName => "a name of 1 to 64 characters out of a-z 0-9 . _ -".into(),
        ErrorKind::NoLeases | ErrorKind::TooMany | ErrorKind::NoFreeSlot => {
            format!("framelane who {lane}    (shows who holds what)")
        }
        ErrorKind::LayoutMismatch => {
            format!(
                "framelane schema --lane {lane}    (names what differs; rebuild the older side)"
            )
        }
        ErrorKind::PermissionDenied
        | ErrorKind::TimedOut
        | ErrorKind::OutOfMemory
        | ErrorKind::System => "framelane doctor    (looks for the cause)".into(),
        ErrorKind::Disconnected => format!("framelane info {lane}    (asks whether it is back)"),
        _ => return None,
    };
    Some(next)
}
