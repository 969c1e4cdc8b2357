//! A stand-in for `libvpf.so.1` and `libcam.so.1`, for machines that are no RDK X5.
//!
//! One library plays both, linked under both names. Its cameras deliver a flat picture whose value
//! tells camera, channel and exposure, or a clip where one stands before them, into a small fixed
//! ring of buffers for each output; a buffer that is released is overwritten at once. `getframe`
//! waits as the vendor's does: 0 and more than 1000 ms are 4000, and whatever keeps a frame from
//! coming is -43. What the cameras see and which calls fail is planned in the folder's table, see
//! `framelane-standin-ion`. A flow is a camera with VIN, ISP and VSE, or a VSE alone that pictures
//! are sent to.
#![allow(unsafe_code, reason = "C entry points take pointers")]
#![allow(missing_docs, reason = "the functions are documented in framelane-hobot-sys")]
#![allow(clippy::not_unsafe_ptr_arg_deref, reason = "entry points for C, which has no unsafe")]

mod camera;
mod clip;
mod engine;
mod entry;
mod flow;
mod frames;
mod node;
mod picture;
mod ring;
mod status;
