//! What every stand-in needs to know of itself.

use crate::place::folder_of;
use crate::table::Ion;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of the library that one of its functions lies in.
#[allow(unsafe_code, reason = "asking the loader")]
pub fn folder_of_function(inside: *const ()) -> Option<PathBuf> {
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the address is only looked up, the place is large enough.
    if unsafe { libc::dladdr(inside.cast(), found.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr has filled it, and the name lives as long as the library.
    let name = unsafe { CStr::from_ptr(found.assume_init().dli_fname) };
    Some(folder_of(Path::new(OsStr::from_bytes(name.to_bytes()))))
}

impl Ion {
    /// Plays the fault that was planned for this call: takes long, or is the number to fail with.
    /// `unknown` is what it is when the table cannot be read.
    pub fn meet(&self, function: &str, unknown: i32) -> Result<(), i32> {
        let (code, delay_ms) = self.play(function).map_err(|_| unknown)?;
        if delay_ms > 0 {
            std::thread::sleep(Duration::from_millis(delay_ms));
        }
        if code == 0 { Ok(()) } else { Err(code) }
    }
}
