//! Sources that fill framelane lanes, and the pump that paces them.
//!
//! A [`FrameSource`] describes its pictures once and then fills them one by one, directly in the
//! memory it is given. [`pump::run`] claims slots of a lane, has them filled and publishes them at
//! a steady rate. [`strip`] stamps a machine-readable mark on a picture by which any reader can
//! prove order and integrity. Encoded video has its parts here too: [`encode`] makes it of the
//! frames of a lane, [`VideoSplitter`] takes a byte stream of it apart into pictures.
//!
//! ```
//! use framelane_camera::{SourceOptions, SourceSpec, strip};
//! use framelane::FrameDescriptor;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let spec: SourceSpec = "pattern".parse()?;
//! let mut source = spec.open(&SourceOptions { size: Some((320, 240)), ..Default::default() })?;
//!
//! let mut descriptor = FrameDescriptor::ZERO;
//! source.info().layout.apply(&mut descriptor);
//! descriptor.capture_id = 1;
//! let mut picture = vec![0; source.info().layout.total_bytes as usize];
//! source.fill(0, &mut descriptor, &mut picture)?;
//!
//! let (luma, chroma) = picture.split_at(320 * 240);
//! assert_eq!(strip::verify(&descriptor, &[luma, chroma])?.mark.number, 1);
//! # Ok(())
//! # }
//! ```

pub mod annexb;
mod color;
pub mod command;
mod convert;
pub mod encode;
mod error;
pub mod hb_vio;
pub mod images;
pub mod mjpeg;
pub mod mp4;
pub mod pace;
pub mod pattern;
mod planes;
pub mod pump;
mod rate;
mod source;
mod spec;
mod stamped;
pub mod strip;
pub mod switching;
#[cfg(test)]
mod testing;
pub mod v4l2;
mod video;
pub mod y4m;

pub use color::Color;
pub use planes::strided;
pub use rate::Rate;
pub use source::{Filled, FrameSource, SourceInfo};
pub use spec::{SourceOptions, SourceSpec};
pub use stamped::Stamped;
pub use video::VideoSplitter;
