//! Stream lanes: records of any size, with key records to start at.
//!
//! ```
//! use framelane::{Codec, StreamConfig, StreamReader, StreamReaderOptions, StreamWriter,
//!                 StreamWriterOptions};
//! use std::time::Duration;
//!
//! # fn main() -> framelane::Result<()> {
//! # let scratch = tempfile::tempdir().unwrap();
//! # let place = Some(scratch.path().to_owned());
//! let config = StreamConfig::video(Codec::H264, 1280, 720);
//! let options = StreamWriterOptions::new(config).directory(place.clone());
//! let writer = StreamWriter::create("camera.h264", options)?;
//! let options = StreamReaderOptions::new().directory(place);
//! let mut reader = StreamReader::open("camera.h264", options)?;
//!
//! let mut record = writer.begin(100)?;     // room for so many bytes
//! record.append(b"\0\0\0\x01")?;           // in as many pieces as they come in
//! record.append(b"an access unit")?;
//! record.set_key(true);
//! record.commit()?;
//!
//! let record = reader.next(Duration::from_secs(1))?.expect("a record was committed");
//! assert_eq!(record.bytes(), b"\0\0\0\x01an access unit");
//! assert_eq!(record.config().width, 1280);
//! # Ok(())
//! # }
//! ```

mod attach;
mod config;
mod create;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod info;
mod lane;
mod options;
mod reader;
mod record;
mod record_mut;
mod report;
mod served;
mod spare;
mod writer;

pub use info::StreamInfo;
pub use options::{StreamReaderOptions, StreamWriterOptions};
pub use reader::StreamReader;
pub use record::Record;
pub use record_mut::RecordMut;
pub use writer::StreamWriter;
