//! Pixels of a program, read from its pipe straight into slots of a frame lane.

use super::child::{Child, Read};
use super::times::Times;
use super::{CommandOptions, Rest, SLICE, Sink};
use crate::color::Color;
use crate::error::Result;
use framelane::layout::{ClockId, FrameFlag};
use framelane::{ErrorKind, FrameLayout, FrameMut, PixelFormat, Producer, monotonic_ns};

/// What became of the program's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawStats {
    /// Pictures published.
    pub pictures: u64,
    /// Bytes read from the program.
    pub read_bytes: u64,
    /// Pictures given up because the program ended within them.
    pub torn: u64,
    /// Pictures given up because every slot was held.
    pub no_free_slot: u64,
    /// Times the program was started.
    pub starts: u64,
}

/// Puts a program's pictures into a lane. Nothing in pixels says where a picture begins: each run
/// of the program begins with one, and each is as long as the layout says.
pub(super) struct Pixels<'a> {
    producer: &'a Producer,
    layout: FrameLayout,
    options: &'a CommandOptions,
    /// Where the picture that is coming goes.
    place: Option<Place>,
    /// Bytes of it that have come, and when the first did.
    filled: (usize, u64),
    times: Times,
    gap: bool,
    capture_id: u64,
    /// What has become of them so far.
    pub stats: RawStats,
}

enum Place {
    Slot(FrameMut),
    /// No slot was free: read and forgotten.
    Spare(Vec<u8>),
}

impl<'a> Pixels<'a> {
    /// Into this lane.
    pub fn new(producer: &'a Producer, layout: FrameLayout, options: &'a CommandOptions) -> Self {
        let (times, stats) = (Times::default(), RawStats::default());
        let (place, filled, gap, capture_id) = (None, (0, 0), false, 0);
        Pixels { producer, layout, options, place, filled, times, gap, capture_id, stats }
    }

    fn place(&self) -> Result<Place> {
        match self.producer.claim() {
            Ok(frame) => Ok(Place::Slot(frame)),
            Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
                Ok(Place::Spare(vec![0; self.layout.total_bytes as usize]))
            }
            Err(error) => Err(error),
        }
    }

    /// The picture is whole.
    fn publish(&mut self, place: Place) -> Result<()> {
        self.capture_id += 1;
        let time = self.times.next(self.filled.1, self.options.rate);
        self.filled = (0, 0);
        let Place::Slot(mut frame) = place else {
            (self.gap, self.stats.no_free_slot) = (true, self.stats.no_free_slot + 1);
            return Ok(());
        };
        let d = frame.descriptor_mut();
        (d.capture_id, d.capture_ns) = (self.capture_id, time);
        d.capture_clock = ClockId::Monotonic.number();
        d.camera_id = self.options.camera_id;
        (d.crop_width, d.crop_height) = (d.width, d.height);
        (d.sensor_width, d.sensor_height) = (d.width, d.height);
        d.brightness_avg = -1.0;
        if let Some(format) = PixelFormat::from_number(self.layout.fourcc) {
            Color::usual(format, self.layout.height).apply(d);
        }
        if std::mem::take(&mut self.gap) {
            d.flags |= FrameFlag::DISCONTINUITY;
        }
        // Out of the pipe, into the slot: the one copy on this side.
        frame.count_copied(self.layout.total_bytes);
        frame.publish()?;
        self.stats.pictures += 1;
        Ok(())
    }
}

impl Sink for Pixels<'_> {
    fn begin(&mut self) -> Result<()> {
        (self.times, self.filled) = (Times::default(), (0, 0));
        self.gap = self.stats.pictures > 0;
        self.stats.starts += 1;
        Ok(())
    }

    fn read(&mut self, child: &mut Child) -> Result<Read> {
        let total = self.layout.total_bytes as usize;
        let mut place = match self.place.take() {
            Some(place) => place,
            None => self.place()?,
        };
        let room = match &mut place {
            Place::Slot(frame) => &mut frame.payload_mut()[self.filled.0..total],
            Place::Spare(bytes) => &mut bytes[self.filled.0..],
        };
        let read = child.read(room, SLICE)?;
        if let Read::Bytes(count) = read {
            if self.filled.0 == 0 {
                self.filled.1 = monotonic_ns();
            }
            self.filled.0 += count;
            self.stats.read_bytes += count as u64;
        }
        match self.filled.0 == total {
            true => self.publish(place)?,
            false => self.place = Some(place),
        }
        Ok(read)
    }

    fn end(&mut self, rest: Rest) -> Result<()> {
        self.stats.torn += u64::from(self.filled.0 > 0 && rest != Rest::Unread);
        self.place = None;
        Ok(())
    }

    fn pictures(&self) -> u64 {
        self.stats.pictures
    }

    fn starts(&self) -> u64 {
        self.stats.starts
    }
}
