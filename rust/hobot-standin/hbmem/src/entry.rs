//! What every entry point goes through.

use framelane_hobot_sys::hb_mem::{INVALID_PARAMS, UNKNOWN};
use framelane_standin_ion::{Ion, folder_of};
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

/// A number of the library in place of success.
pub type Answer<T = ()> = Result<T, i32>;

/// Runs a function, unless a fault was planned for it.
pub fn enter(function: &str, run: impl FnOnce() -> Answer) -> i32 {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let (code, delay_ms) = ion()?.play(function).map_err(|_| UNKNOWN)?;
        if delay_ms > 0 {
            std::thread::sleep(Duration::from_millis(delay_ms));
        }
        if code != 0 { Err(code) } else { run() }
    }));
    caught.unwrap_or(Err(UNKNOWN)).err().unwrap_or(0)
}

/// The memory of the board that the folder of this library stands for.
pub fn ion() -> Answer<&'static Ion> {
    static ION: OnceLock<Ion> = OnceLock::new();
    if let Some(ion) = ION.get() {
        return Ok(ion);
    }
    let ion = Ion::open(&own_folder().ok_or(UNKNOWN)?).map_err(|_| UNKNOWN)?;
    Ok(ION.get_or_init(|| ion))
}

/// The folder this library was loaded from.
fn own_folder() -> Option<std::path::PathBuf> {
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    let inside = ion as *const () as *const libc::c_void;
    // SAFETY: the address is one of this library's functions, the place is large enough.
    if unsafe { libc::dladdr(inside, found.as_mut_ptr()) } == 0 {
        return None;
    }
    // SAFETY: dladdr has filled it, and the name lives as long as the library.
    let name = unsafe { CStr::from_ptr(found.assume_init().dli_fname) };
    Some(folder_of(Path::new(OsStr::from_bytes(name.to_bytes()))))
}

/// Reads through a pointer; NULL is refused.
pub fn read<T: Copy>(from: *const T) -> Answer<T> {
    if from.is_null() {
        return Err(INVALID_PARAMS);
    }
    // SAFETY: not NULL, and by the C interface a T.
    Ok(unsafe { from.read() })
}

/// Refuses NULL.
pub fn place<T>(to: *mut T) -> Answer<*mut T> {
    if to.is_null() { Err(INVALID_PARAMS) } else { Ok(to) }
}

/// Writes through a pointer; NULL is refused.
pub fn give<T>(to: *mut T, value: T) -> Answer {
    let to = place(to)?;
    // SAFETY: not NULL, and by the C interface room for a T.
    unsafe { to.write(value) };
    Ok(())
}
