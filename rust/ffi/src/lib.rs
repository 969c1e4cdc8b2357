//! The C ABI of framelane. The header, `framelane.h`, is printed from this crate by cbindgen.
//!
//! Conventions, the same for every function:
//! - It returns a [`framelane_status`]: `FRAMELANE_OK`, or the number of an error kind.
//! - `error` may be NULL; where it is not, it is filled when the status is not `FRAMELANE_OK`.
//! - Outputs come last and are written on success only, except that a frame that could not be had
//!   is set to empty.
//! - Strings are UTF-8 and end in zero; paths may be other bytes. Times are nanoseconds, sizes are
//!   bytes.
//! - Pointers to handles may not be NULL unless the function says so; NULL is answered with
//!   `FRAMELANE_INVALID_ARGUMENT`, never with a crash. A panic inside is answered with
//!   `FRAMELANE_INTERNAL`.
//! - A producer, a stream writer and a closer may be used from several threads at once, everything
//!   else by one at a time, on any thread.
#![allow(unsafe_code, reason = "the boundary to C: every entry point takes pointers")]
#![allow(non_camel_case_types, reason = "names as C knows them")]
#![allow(clippy::missing_safety_doc, reason = "the rules are the conventions above")]
#![allow(clippy::not_unsafe_ptr_arg_deref, reason = "entry points for C, which has no unsafe")]

mod consumer;
mod error;
mod frame;
mod frame_mut;
mod guard;
mod lanes;
mod options;
mod producer;
mod record;
mod record_mut;
mod shmbuf_options;
mod shmbuf_receiver;
mod shmbuf_sender;
mod stream_options;
mod stream_reader;
mod stream_writer;
mod switch;
mod switch_controller;

pub use consumer::*;
pub use error::*;
pub use frame::*;
pub use frame_mut::*;
pub use guard::described;
pub use lanes::*;
pub use options::*;
pub use producer::*;
pub use record::*;
pub use record_mut::*;
pub use shmbuf_options::*;
pub use shmbuf_receiver::*;
pub use shmbuf_sender::*;
pub use stream_options::*;
pub use stream_reader::*;
pub use stream_writer::*;
pub use switch::*;
pub use switch_controller::*;
