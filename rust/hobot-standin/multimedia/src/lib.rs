//! A stand-in for `libmultimedia.so.1` with its C ABI, for machines that are no RDK X5.
//!
//! It keeps the vendor's rules of encoding: the order of calls, pictures by bus address only with
//! `external_frame_buf`, which must lie in memory of the board, buffers out and back in pairs, and
//! the numbers it fails with. Pictures become real H.264, H.265 and JPEG in a process of `ffmpeg`
//! from the search path, one access unit for each picture and none late; a wish for an IDR begins
//! a new sequence, with its parameter sets, and so does a new rate. The process ends with the
//! codec, and with the program whatever ends that.
//!
//! Stricter than a board: a picture is read when its turn comes and given back when it is coded,
//! so memory that is freed or overwritten too early shows; the memory of a picture is looked up
//! when it is queued; all parts of a picture must be there. The unit does not begin where its
//! buffer does. Left out are decoding, bit rates that are not constant, codec callbacks but the
//! one for consumed pictures, files to wait on, VIO in front of the codec, cropping and rotation.
//!
//! Beside the functions by their names, a fault can be planned for `coding`: what happens when the
//! hardware gets to a picture. One that takes longer than anybody waits is a codec that hangs; it
//! can be stopped all the same.
#![allow(unsafe_code, reason = "C entry points take pointers, and call one back")]
#![allow(missing_docs, reason = "the functions are documented in framelane-hobot-sys")]
#![allow(clippy::not_unsafe_ptr_arg_deref, reason = "entry points for C, which has no unsafe")]

mod avi;
mod check;
mod entry;
mod ffmpeg;
mod input;
mod instance;
mod lifecycle;
mod memory;
mod output;
mod picture;
mod rate;
mod worker;
