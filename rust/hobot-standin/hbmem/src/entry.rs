//! What every entry point goes through.

use framelane_hobot_sys::hb_mem::{INVALID_PARAMS, UNKNOWN};
use framelane_standin_ion::{Ion, entry};

pub use entry::Answer;

/// Runs a function, unless a fault was planned for it.
pub fn enter(function: &str, run: impl FnOnce() -> Answer) -> i32 {
    entry::enter(function, UNKNOWN, ion, run)
}

/// The memory of the board that the folder of this library stands for.
pub fn ion() -> Answer<&'static Ion> {
    entry::ion(UNKNOWN)
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
