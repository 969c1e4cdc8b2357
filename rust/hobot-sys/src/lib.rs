//! The C ABI of the D-Robotics libraries on the RDK X5, loaded at run time.
//!
//! Nothing here is linked: a program built with this crate starts on machines that have none of
//! the libraries. [`Hbmem::open`] loads one; every function in it is optional, for their sets
//! differ between releases, and one that is missing is an error that names it and its library.
//!
//! Every layout is asserted against the literal numbers of the vendor's 64-bit libraries, which
//! are the same on aarch64 and x86-64. Addresses are plain integers: they are only ever handed
//! back to the library, or mapped memory of whoever owns the buffer.
#![allow(unsafe_code, reason = "types of C functions, and finding them in a loaded library")]

mod camera;
pub mod codec;
mod collections;
mod hbmem;
mod load;
mod plain;
mod status;
mod vio;

pub use camera::{Cam, CameraConfig, MipiConfig};
pub use codec::Multimedia;
pub use collections::{BufQueue, GROUP, GraphicBufGroup, Pool, SharePool, buffer_type};
pub use hbmem::{CommonBuf, Format, GraphicBuf, Hbmem, PLANES, usage};
pub use load::{FOLDER_VARIABLE, LoadError};
pub use status::{hb_mem, hb_mem_name, hbn_name, hbn_number, media, media_name};
pub use vio::{
    AeStatistics, BufAttr, CimAttr, FlowVersion, FrameInfo, Image, InputAttr, IspAttr,
    IspOutputAttr, Rect, TimeVal, VinAttr, VinInputAttr, VinOutputAttr, Vpf, VseOutputAttr,
    frame_format, node,
};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the vendor's libraries exist for 64-bit systems only");
