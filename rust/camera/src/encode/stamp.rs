//! What of a frame goes on with its access unit.

use framelane::layout::{ClockId, FrameFlag};
use framelane::{Frame, FrameDescriptor};

/// Time and number of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When it was taken, on CLOCK_MONOTONIC; when it was published, for a frame that does not say.
    pub pts_ns: i64,
    /// Number of the exposure, 0 where unknown.
    pub capture_id: u64,
    /// Number of the camera.
    pub camera_id: u32,
    /// Frames are missing before it: skipped by its producer, missed by its reader, or of a
    /// producer before; or it is the first of another camera.
    pub gap: bool,
}

impl Stamp {
    /// Of a frame as it was read.
    pub fn of(frame: &Frame) -> Self {
        let stamp = Self::of_descriptor(frame.descriptor());
        let another = frame.new_epoch() || frame.switched();
        Stamp { gap: stamp.gap || frame.missed() > 0 || another, ..stamp }
    }

    /// Of what a frame says of itself.
    pub fn of_descriptor(descriptor: &FrameDescriptor) -> Self {
        let monotonic = descriptor.capture_clock == ClockId::Monotonic.number();
        let taken = match descriptor.capture_ns {
            0 => descriptor.publish_ns,
            taken if monotonic => taken,
            _ => descriptor.publish_ns,
        };
        Stamp {
            pts_ns: i64::try_from(taken).unwrap_or(i64::MAX),
            capture_id: descriptor.capture_id,
            camera_id: descriptor.camera_id,
            gap: descriptor.flags & FrameFlag::DISCONTINUITY != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_without_a_usable_time_has_that_of_its_publication() {
        let of = |capture_ns, clock: ClockId| {
            let mut descriptor = FrameDescriptor::ZERO;
            (descriptor.capture_ns, descriptor.publish_ns) = (capture_ns, 7);
            descriptor.capture_clock = clock.number();
            Stamp::of_descriptor(&descriptor).pts_ns
        };
        assert_eq!(of(5, ClockId::Monotonic), 5);
        assert_eq!(of(0, ClockId::Monotonic), 7);
        assert_eq!(of(5, ClockId::Realtime), 7);
        assert_eq!(of(u64::MAX, ClockId::Monotonic), i64::MAX);
    }
}
