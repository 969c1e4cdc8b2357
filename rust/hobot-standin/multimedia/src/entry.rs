//! What every entry point goes through, and the board behind it.

use framelane_hobot_sys::Hbmem;
use framelane_hobot_sys::media::{INVALID_PARAMS, UNKNOWN};
use framelane_standin_ion::{Ion, folder_of_function};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// A number of the library in place of success.
pub type Answer<T = ()> = Result<T, i32>;

/// Runs a function, unless a fault was planned for it.
pub fn enter(function: &str, run: impl FnOnce() -> Answer) -> i32 {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        board()?.ion.meet(function, UNKNOWN)?;
        run()
    }));
    caught.unwrap_or(Err(UNKNOWN)).err().unwrap_or(0)
}

/// The board that the folder of this library stands for.
pub struct Board {
    pub ion: Ion,
    pub hbmem: Hbmem,
}

pub fn board() -> Answer<&'static Board> {
    static BOARD: OnceLock<Board> = OnceLock::new();
    if let Some(board) = BOARD.get() {
        return Ok(board);
    }
    let folder = folder_of_function(board as *const ()).ok_or(UNKNOWN)?;
    let ion = Ion::open(&folder).map_err(|_| UNKNOWN)?;
    let hbmem = Hbmem::open(Some(&folder)).map_err(|_| UNKNOWN)?;
    let open = hbmem.hb_mem_module_open().map_err(|_| UNKNOWN)?;
    // SAFETY: takes nothing.
    if unsafe { open() } != 0 {
        return Err(UNKNOWN);
    }
    Ok(BOARD.get_or_init(|| Board { ion, hbmem }))
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
