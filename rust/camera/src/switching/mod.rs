//! Which camera to show, decided by how bright the scene is.
//!
//! [`Brightness`] is the decision alone: it is told what the day camera sees and says which lane
//! should be active. [`follow`] feeds it from a lane and hands its wish to a
//! [`SwitchController`](framelane::SwitchController). A program that has the frames itself, as the
//! owner of both cameras has, feeds it directly:
//!
//! ```
//! use framelane_camera::switching::{Brightness, Sample, Thresholds};
//!
//! let mut policy = Brightness::new(Thresholds::default(), 0, 1)?;
//! let sample = |sequence: u64, brightness| Sample {
//!     epoch: 1, sequence, brightness, time_ns: sequence * 33_000_000,
//! };
//! for sequence in 1..60 {
//!     policy.observe(&sample(sequence, 20.0));
//! }
//! assert_eq!(policy.wish(), Some(1), "dark for half a second: the night camera");
//! # Ok::<(), framelane::Error>(())
//! ```

mod brightness;
mod follow;

pub use brightness::{Brightness, Sample, Thresholds};
pub use follow::{follow, sample};
