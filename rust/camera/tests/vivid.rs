//! The V4L2 source on cameras of the kernel's own driver `vivid`: run by `cargo xtask vm`, inside
//! the machine, one test after the other.
//!
//! /dev/video0 has one plane a buffer, /dev/video1 several, /dev/video2 contiguous memory, and
//! /dev/video3 takes the signal of an HDMI connector. With FRAMELANE_CAMERA set, the
//! tests that need nothing of vivid run on that camera instead.

#[path = "vivid/alongside.rs"]
mod alongside;
#[path = "../../core/tests/common/child.rs"]
#[allow(dead_code, reason = "not every file with children needs all of it")]
mod child;
#[path = "vivid/common.rs"]
mod common;
#[path = "vivid/copies.rs"]
mod copies;
#[path = "vivid/faults.rs"]
mod faults;
#[path = "vivid/languages.rs"]
mod languages;
#[path = "vivid/sharing.rs"]
mod sharing;
#[path = "vivid/signal.rs"]
mod signal;

// For the children's module, which asks whoever uses it.
use common::{DEADLINE, Place};

#[test]
fn child_entry() {
    child::entry(&[
        ("sums", sharing::sums),
        ("rights", sharing::rights),
        ("piped", copies::piped),
        ("leased", copies::leased),
        ("writes", copies::writes),
    ]);
}
