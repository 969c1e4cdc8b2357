//! What every entry point goes through, and the libraries and tables behind it.

use crate::camera::Sensor;
use crate::flow::Flow;
use crate::node::Node;
use crate::status::{NULL, UNKNOWN};
use framelane_hobot_sys::Hbmem;
use framelane_standin_ion::{Ion, folder_of_function};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// A number of the library in place of success.
pub type Answer<T = ()> = Result<T, i32>;

/// Everything this process has opened.
#[derive(Default)]
pub struct Vio {
    last_handle: i64,
    pub nodes: BTreeMap<i64, Node>,
    pub flows: BTreeMap<i64, Flow>,
    pub sensors: BTreeMap<i64, Sensor>,
}

impl Vio {
    pub fn new_handle(&mut self) -> i64 {
        self.last_handle += 1;
        self.last_handle
    }
}

static VIO: Mutex<Vio> = Mutex::new(Vio {
    last_handle: 0x1000,
    nodes: BTreeMap::new(),
    flows: BTreeMap::new(),
    sensors: BTreeMap::new(),
});

pub fn vio() -> MutexGuard<'static, Vio> {
    VIO.lock().unwrap_or_else(PoisonError::into_inner)
}

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

/// Reads through a pointer; NULL is refused.
pub fn read<T: Copy>(from: *const T) -> Answer<T> {
    if from.is_null() {
        return Err(NULL);
    }
    // SAFETY: not NULL, and by the C interface a T.
    Ok(unsafe { from.read() })
}

/// Writes through a pointer; NULL is refused.
pub fn give<T>(to: *mut T, value: T) -> Answer {
    if to.is_null() {
        return Err(NULL);
    }
    // SAFETY: not NULL, and by the C interface room for a T.
    unsafe { to.write(value) };
    Ok(())
}
