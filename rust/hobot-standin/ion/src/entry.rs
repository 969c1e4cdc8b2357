//! What every entry point of every stand-in goes through. Numbers in place of success are those of
//! the library that calls.
#![allow(unsafe_code, reason = "a function of libhbmem is called")]

use crate::library::folder_of_function;
use crate::table::Ion;
use framelane_hobot_sys::Hbmem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

/// A number of the library in place of success.
pub type Answer<T = ()> = Result<T, i32>;

/// Runs a function, unless a fault was planned for it on the board that is found; `unknown` stands
/// for what has no number.
pub fn enter(
    function: &str,
    unknown: i32,
    find: impl FnOnce() -> Answer<&'static Ion>,
    run: impl FnOnce() -> Answer,
) -> i32 {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        find()?.meet(function, unknown)?;
        run()
    }));
    caught.unwrap_or(Err(unknown)).err().unwrap_or(0)
}

/// The memory of the board that the folder of this library stands for, which is the library that
/// calls: this crate is part of each.
pub fn ion(unknown: i32) -> Answer<&'static Ion> {
    static ION: OnceLock<Ion> = OnceLock::new();
    if let Some(ion) = ION.get() {
        return Ok(ion);
    }
    let folder = folder_of_function(ion as *const ()).ok_or(unknown)?;
    let ion = Ion::open(&folder).map_err(|_| unknown)?;
    Ok(ION.get_or_init(|| ion))
}

/// The board as libraries see it that take their memory from libhbmem, beside them.
pub struct Board {
    /// Its memory, counts and faults.
    pub ion: &'static Ion,
    /// The library that hands the memory out.
    pub hbmem: Hbmem,
}

/// The board, with the module of its memory open.
pub fn board(unknown: i32) -> Answer<&'static Board> {
    static BOARD: OnceLock<Board> = OnceLock::new();
    if let Some(board) = BOARD.get() {
        return Ok(board);
    }
    let folder = folder_of_function(board as *const ()).ok_or(unknown)?;
    let ion = ion(unknown)?;
    let hbmem = Hbmem::open(Some(&folder)).map_err(|_| unknown)?;
    let open = hbmem.hb_mem_module_open().map_err(|_| unknown)?;
    // SAFETY: takes nothing.
    if unsafe { open() } != 0 {
        return Err(unknown);
    }
    Ok(BOARD.get_or_init(|| Board { ion, hbmem }))
}
