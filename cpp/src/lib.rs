//! The Rust side of the C++ API. Everything that crosses stands in `bridge.rs`; the headers in
//! `include/framelane` make move-only C++ objects of it, and throw.
//!
//! The archive that cargo makes of this crate also holds the whole C ABI, so that a program never
//! links two copies of the library.

#[path = "../bridge.rs"]
mod bridge;
mod claimed;
mod consumer;
mod held;
mod lanes;
mod producer;
mod shmbuf;
mod status;
mod stream_reader;
mod stream_writer;
mod switch;
mod switch_controller;
mod types;
