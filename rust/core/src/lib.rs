//! Share camera frames between processes without copying them.
//!
//! A [`Producer`] publishes frames into a *lane*; any number of [`Consumer`]s, in this and other
//! languages, read the same bytes in place. Neither side needs a daemon, and a crashed, stuck or
//! hostile peer costs nobody else a frame.
//!
//! ```
//! use framelane::{Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer,
//!                 ProducerOptions};
//! use std::time::Duration;
//!
//! # fn main() -> framelane::Result<()> {
//! # let scratch = tempfile::tempdir().unwrap();
//! # let place = Some(scratch.path().to_owned());
//! let layout = FrameLayout::new(PixelFormat::Nv12, 640, 480)?;
//! let producer =
//!     Producer::create("camera", ProducerOptions::new().layout(layout).directory(place.clone()))?;
//! let mut consumer =
//!     Consumer::open("camera", ConsumerOptions::new(Mode::Latest).directory(place))?;
//!
//! let mut frame = producer.claim()?;
//! frame.plane_mut(0)?.fill(128);
//! frame.publish()?;
//!
//! let frame = consumer.next(Duration::from_secs(1))?.expect("a frame was published");
//! assert_eq!(frame.sequence(), 1);
//! assert_eq!(frame.plane(0)?[0], 128);
//! # Ok(())
//! # }
//! ```
//!
//! The protocol is described in [`schema/README.md`] and, next to the code that keeps it, in the
//! module `ring`.
//!
//! [`schema/README.md`]: https://github.com/framelane/framelane/blob/main/schema/README.md

// Under loom only the ring is built: the model checker has its own atomics.
mod failpoint;
pub mod layout;
#[cfg_attr(loom, allow(dead_code, reason = "the models use what they prove"))]
mod ring;

#[cfg(not(loom))]
mod clock;
#[cfg(not(loom))]
mod consumer;
#[cfg(not(loom))]
mod discover;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
mod fork;
#[cfg(not(loom))]
mod format;
#[cfg(all(feature = "fuzzing", not(loom)))]
pub mod fuzzing;
#[cfg(not(loom))]
mod hold;
#[cfg(not(loom))]
mod layout_diff;
#[cfg(not(loom))]
mod mem;
#[cfg(not(loom))]
mod name;
#[cfg(not(loom))]
mod producer;
#[cfg(not(loom))]
mod random;
#[cfg(not(loom))]
pub mod runtime_dir;
#[cfg(not(loom))]
pub mod shmbuf;
#[cfg(not(loom))]
mod signals;
#[cfg(not(loom))]
mod stream;
#[cfg(all(test, not(loom)))]
mod stress;
#[cfg(not(loom))]
mod switch;
#[cfg(not(loom))]
mod wire;

/// The Rust of a page compiles.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/streams.md")]
struct Streams;

#[cfg(not(loom))]
pub use crate::{
    clock::monotonic_ns,
    consumer::{
        Closer, Consumer, ConsumerOptions, Frame, LaneInfo, RevocablePlane, register_importer,
    },
    discover::{LaneEntry, discover, query},
    error::{Error, Result},
    format::FrameLayout,
    layout::{
        Codec, ColorMatrix, ColorRange, ColorTransfer, ErrorKind, FrameDescriptor, MemoryKind,
        Mode, PixelFormat, Plane, RecordInfo, Report, StreamConfig, StreamStart,
    },
    layout_diff::first_difference,
    mem::{
        budget::{MemoryLimit, memory_limits},
        buffer::{ImportedBuffer, Importer},
    },
    producer::{
        Access, DeviceBuffer, FrameMut, HugePages, Owner, Producer, ProducerOptions, Reclaim,
        Returned, Trust,
    },
    stream::{
        Record, RecordMut, StreamInfo, StreamReader, StreamReaderOptions, StreamWriter,
        StreamWriterOptions,
    },
    switch::{
        Switch, SwitchChoice, SwitchController, SwitchControllerOptions, SwitchLane, SwitchStatus,
        select,
    },
};
