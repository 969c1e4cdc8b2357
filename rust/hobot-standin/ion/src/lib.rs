//! The memory of a board that is not there: what the kernel would keep for all processes.
//!
//! The stand-ins for the vendor's libraries, and the tests that use them, meet in one folder: the
//! one the libraries were loaded from. It holds a table of the buffers, of who holds and who uses
//! each, and of the faults to play, and one file per buffer, which is the RAM that hardware and
//! uncached mappings see. Nobody serves it: whoever comes next clears away what dead processes
//! held. Buffers are files and no memfds because nobody has to be alive for others to open them.

pub mod entry;
mod faults;
mod library;
mod place;
mod scene;
mod state;
mod table;

pub use faults::Fault;
pub use place::Place;
pub use scene::{Light, Scene, UNFINISHED, luma};
pub use state::{Holder, Record, State};
pub use table::Ion;
