//! The older byte ring in named shared memory of the C++ and Python programs called shmbuf, layout
//! 2, byte for byte: for talking with such programs until they have moved to a lane.
//!
//! One sender, one receiver, messages of any length, copied in and copied out. Nothing is lost
//! without notice on our side ([`Sender::try_send`] says when the ring is full), but the layout has
//! no magic, version, sequence or heartbeat: what the other side does is often invisible. A frame
//! lane has none of these limits.
//!
//! ```
//! use framelane::shmbuf::{Receiver, ReceiverOptions, Sender, SenderOptions};
//! use std::time::Duration;
//!
//! # fn main() -> framelane::Result<()> {
//! # let scratch = tempfile::tempdir_in("/dev/shm").unwrap();
//! # let place = Some(scratch.path().to_owned());
//! # let (sending, receiving) = (SenderOptions::new(4096), ReceiverOptions::new());
//! # let (sending, receiving) = (sending.directory(place.clone()), receiving.directory(place));
//! let mut sender = Sender::create("/video", sending)?;
//! let mut receiver = Receiver::open("/video", receiving)?;
//! assert!(sender.try_send(b"a frame")?);
//! let mut message = Vec::new();
//! assert!(receiver.recv(&mut message, Duration::from_secs(1))?);
//! assert_eq!(message, b"a frame");
//! # Ok(())
//! # }
//! ```
//!
//! A segment is trusted as far as its mode allows: whoever may write it can also cut it short,
//! which ends a process that reads it at that moment. What its bytes say is checked.

mod lock;
mod name;
mod options;
#[cfg(test)]
mod properties;
mod receiver;
mod ring;
mod segment;
mod sender;
mod waiting;

pub use options::{ReceiverOptions, SenderOptions};
pub use receiver::Receiver;
pub use sender::Sender;

use crate::error::{Error, Result};
use crate::layout::ErrorKind;
use lock::Side;
use std::path::Path;

/// Removes a segment by name, as after a crash; false if there is none. `directory` None: that of
/// POSIX shared memory.
///
/// # Errors
/// `AlreadyExists` while a sender of ours has it.
pub fn remove(name: &str, directory: Option<&Path>) -> Result<bool> {
    let place = name::Place::new(name, directory)?;
    let Some(fd) = place.open()? else { return Ok(false) };
    // Taken, not only looked at: nobody else replaces the segment before its name is taken away.
    if !lock::take(&fd, Side::Sender)? {
        let text = format!("a sender of shmbuf {} is running: end it first", place.name());
        return Err(Error::new(ErrorKind::AlreadyExists, text));
    }
    place.take_from(&fd)
}
