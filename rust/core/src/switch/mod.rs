//! Switches: a name behind which frame lanes stand, one of them active.
//!
//! ```
//! use framelane::{Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer,
//!                 ProducerOptions, Switch, SwitchController, SwitchControllerOptions};
//! use std::time::Duration;
//!
//! # fn main() -> framelane::Result<()> {
//! # let scratch = tempfile::tempdir().unwrap();
//! # let place = Some(scratch.path().to_owned());
//! let layout = FrameLayout::new(PixelFormat::Nv12, 640, 480)?;
//! let lane = || ProducerOptions::new().layout(layout.clone()).directory(place.clone());
//! let day = Producer::create("day", lane())?;
//! let night = Producer::create("night", lane())?;
//!
//! let options = SwitchControllerOptions::new().directory(place.clone());
//! let controller = SwitchController::create("camera", &["day", "night"], options)?;
//! let options = ConsumerOptions::new(Mode::Latest).directory(place.clone());
//! let mut camera = Switch::open("camera", options)?;
//!
//! day.claim()?.publish()?;
//! assert_eq!(camera.next(Duration::from_secs(1))?.unwrap().lane_name(), "day");
//! controller.select_lane("night")?;
//! night.claim()?.publish()?;
//! let frame = camera.next(Duration::from_secs(1))?.expect("a frame of the night camera");
//! assert_eq!((frame.lane_name(), frame.switched()), ("night", true));
//! # Ok(())
//! # }
//! ```
//!
//! The [`SwitchController`] owns the name as a producer owns a lane, with the same socket, pages,
//! bells and rules of death; its memory holds the names of the lanes and one word, the selection.
//! A [`Switch`] is a reader attached to the controller and to each lane. Frames do not pass through
//! the controller: while it is dead, its readers go on with the lane that was active.
//!
//! A reader sleeps on the words of the switch and of the active lane only. The other lanes would
//! wake it at their own frame rate for nothing, and whatever makes one of them matter, a select,
//! wakes it anyway.

mod attach;
mod controller;
mod courtesy;
mod follow;
mod lane;
mod member;
mod options;
mod order;
mod reader;
mod remote;
mod report;
#[cfg(test)]
mod tests;
mod waiting;

pub use controller::SwitchController;
pub use options::SwitchControllerOptions;
pub use reader::{Switch, SwitchLane, SwitchStatus};
pub use remote::{SwitchChoice, select};
