//! What every entry point goes through, and the board behind it.

use framelane_hobot_sys::media::{INVALID_PARAMS, UNKNOWN};
use framelane_standin_ion::entry::{self, Board};

pub use entry::Answer;

/// Runs a function, unless a fault was planned for it.
pub fn enter(function: &str, run: impl FnOnce() -> Answer) -> i32 {
    entry::enter(function, UNKNOWN, || Ok(board()?.ion), run)
}

/// The board that the folder of this library stands for.
pub fn board() -> Answer<&'static Board> {
    entry::board(UNKNOWN)
}

/// Says something that a number cannot.
pub fn complain(text: impl std::fmt::Display) {
    eprintln!("stand-in for libmultimedia: {text}");
}

/// Reads through a pointer; NULL is refused.
pub fn read<T: Copy>(from: *const T) -> Answer<T> {
    if from.is_null() {
        return Err(INVALID_PARAMS);
    }
    // SAFETY: not NULL, and by the C interface a T.
    Ok(unsafe { from.read() })
}

/// Writes through a pointer; NULL is refused.
pub fn give<T>(to: *mut T, value: T) -> Answer {
    if to.is_null() {
        return Err(INVALID_PARAMS);
    }
    // SAFETY: not NULL, and by the C interface room for a T.
    unsafe { to.write(value) };
    Ok(())
}
