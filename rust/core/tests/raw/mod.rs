//! Speaks the lane's socket by hand and writes the shared pages by hand, so that a test can say
//! anything to either side.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part of this")]

pub mod consumer;
pub mod device;
pub mod impostor;
pub mod traffic;
pub mod users;
pub mod wire;

pub use consumer::Attached;
pub use impostor::{Goods, Impostor};
pub use traffic::Traffic;
pub use wire::{Heard, Line};

/// The error of a call that must fail.
#[track_caller]
pub fn refused<T>(result: framelane::Result<T>) -> framelane::Error {
    match result {
        Ok(_) => panic!("this must be refused"),
        Err(error) => error,
    }
}

/// A consumer of the newest frame.
pub fn latest(place: &crate::common::Place) -> framelane::Consumer {
    place.consumer(framelane::ConsumerOptions::new(framelane::Mode::Latest))
}
