//! What every entry point goes through, and the libraries and tables behind it.

use crate::camera::Sensor;
use crate::flow::Flow;
use crate::node::Node;
use crate::status::{NULL, UNKNOWN};
use framelane_standin_ion::entry::{self, Board};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use entry::Answer;

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
    entry::enter(function, UNKNOWN, || Ok(board()?.ion), run)
}

/// The board that the folder of this library stands for.
pub fn board() -> Answer<&'static Board> {
    entry::board(UNKNOWN)
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
