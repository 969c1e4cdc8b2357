//! Lanes for Kotlin and Swift. A call through UniFFI costs microseconds, so one call leases a frame
//! and tells where its bytes are; everything else is read there, with the offsets of the schema.
//! The Kotlin that people use is in `kotlin`: it keeps the addresses and the leases together.
#![allow(unsafe_code, reason = "UniFFI prints the entry points of the library")]

mod closing;
mod consumer;
mod failure;
mod frame;
mod frame_mut;
mod handle;
mod lanes;
mod options;
mod poller;
mod producer;
mod record;
mod stream_reader;
mod stream_writer;
mod switch;
mod switch_controller;

uniffi::setup_scaffolding!("framelane");
