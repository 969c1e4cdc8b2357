//! Camera memory of the RDK X5 for framelane lanes.
//!
//! The vendor's libraries are loaded when they are first needed; a machine without them gets an
//! error that names the library, at that moment and not before. Every buffer has one owner, which
//! gives it back once.
#![allow(unsafe_code, reason = "calls of a C library")]

mod buffer;
pub mod codec;
mod describe;
mod error;
mod importer;
mod memory;
mod survey;
pub mod vio;

pub use buffer::{Buffer, CommonBuffer, GraphicBuffer, Raw};
pub use describe::{
    COMMON_TAG, Described, GRAPHIC_TAG, describe_block, describe_picture, described,
};
pub use error::{Error, Result};
pub use framelane_hobot_sys::{CommonBuf, FOLDER_VARIABLE, Format, GraphicBuf, usage};
pub use importer::register;
pub use memory::{Memory, Picture};
pub use survey::{Library, survey, try_memory};
