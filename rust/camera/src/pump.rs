//! From a source into a lane, at a steady rate.

use crate::error::Result;
use crate::pace::{Clock, Pacer};
use crate::rate::Rate;
use crate::source::{Filled, FrameSource};
use framelane::layout::{ClockId, FrameFlag};
use framelane::{ErrorKind, FrameDescriptor, FrameMut, Producer};
use std::time::Duration;

/// How to pump.
#[derive(Clone, Copy, Debug)]
pub struct PumpOptions {
    /// Pictures per second.
    pub rate: Rate,
    /// Written into each descriptor.
    pub camera_id: u32,
    /// End after this many published pictures.
    pub pictures: Option<u64>,
    /// The lane has lossless readers: wait for them and leave no picture out, however late it is.
    pub lossless: bool,
}

/// What became of the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PumpStats {
    /// Published.
    pub published: u64,
    /// Deadlines that passed while an earlier picture was still being made.
    pub late: u64,
    /// Pictures given up because every slot was held.
    pub no_free_slot: u64,
    /// Time spent filling, all pictures together.
    pub fill_ns: u64,
    /// Time spent filling the slowest picture.
    pub fill_max_ns: u64,
    /// Sequence of the last published picture.
    pub last_sequence: u64,
}

/// Longest wait for a lossless reader without looking whether to stop.
const SLICE: Duration = Duration::from_millis(50);

/// Publishes pictures until `stop` says so, the source ends or enough are published.
///
/// Each picture is filled in the slot it is published in. Capture id n + 1 is picture n of the
/// source; where the next one is not n + 2 its frame is flagged as discontinuous.
///
/// # Errors
/// What the source fails with; what claiming and publishing fail with, except for `NoFreeSlot`,
/// which costs one picture and is counted.
pub fn run<C: Clock>(
    source: &mut dyn FrameSource,
    producer: &Producer,
    options: &PumpOptions,
    clock: C,
    stop: &dyn Fn() -> bool,
) -> Result<PumpStats> {
    let mut stats = PumpStats::default();
    let mut alarm = Alarm::default();
    let mut pacer = Pacer::new(clock, options.rate);
    let (mut index, mut gap) = (0, false);
    while options.pictures.is_none_or(|enough| stats.published < enough) {
        let Some(tick) = pacer.wait(stop) else { break };
        stats.late += tick.late;
        alarm.look(&stats, tick.deadline_ns);
        if tick.late > 0 && !options.lossless {
            index += tick.late;
            gap = true;
        }
        let Some(mut frame) = claim(producer, options.lossless, stop)? else {
            if options.lossless {
                break; // asked to stop while waiting
            }
            stats.no_free_slot += 1;
            index += 1;
            gap = true;
            continue;
        };
        let (descriptor, payload) = frame.split_mut();
        let start_ns = pacer.clock().now_ns();
        describe(descriptor, index, start_ns, options.camera_id, gap);
        if source.fill(index, descriptor, payload)? == Filled::End {
            break;
        }
        let took_ns = pacer.clock().now_ns().saturating_sub(start_ns);
        stats.fill_ns += took_ns;
        stats.fill_max_ns = stats.fill_max_ns.max(took_ns);
        stats.last_sequence = frame.publish()?;
        stats.published += 1;
        index += 1;
        gap = false;
    }
    Ok(stats)
}

/// Tells the log of losses: at once of the first, then of all new ones together now and then.
#[derive(Default)]
struct Alarm {
    told: PumpStats,
    quiet_until_ns: u64,
}

impl Alarm {
    const QUIET_NS: u64 = 10_000_000_000;

    fn look(&mut self, stats: &PumpStats, now_ns: u64) {
        let late = stats.late - self.told.late;
        let starved = stats.no_free_slot - self.told.no_free_slot;
        if late + starved == 0 || now_ns < self.quiet_until_ns {
            return;
        }
        tracing::warn!("{late} pictures late, {starved} given up because every slot was held");
        self.told = *stats;
        self.quiet_until_ns = now_ns.saturating_add(Self::QUIET_NS);
    }
}

/// A slot; None when none is free, or, on a lossless lane, when asked to stop while waiting.
fn claim(producer: &Producer, lossless: bool, stop: &dyn Fn() -> bool) -> Result<Option<FrameMut>> {
    loop {
        let claimed = if lossless { producer.claim_within(SLICE) } else { producer.claim() };
        match claimed {
            Ok(frame) => return Ok(Some(frame)),
            Err(error) if error.kind() != ErrorKind::NoFreeSlot => return Err(error),
            Err(error) if !lossless => {
                tracing::debug!("a picture is given up: {error}");
                return Ok(None);
            }
            Err(_) if stop() => return Ok(None),
            Err(_) => {}
        }
    }
}

fn describe(d: &mut FrameDescriptor, index: u64, now_ns: u64, camera_id: u32, gap: bool) {
    d.capture_id = index + 1;
    d.capture_ns = now_ns;
    d.capture_clock = ClockId::Monotonic.number();
    d.camera_id = camera_id;
    (d.crop_width, d.crop_height) = (d.width, d.height);
    (d.sensor_width, d.sensor_height) = (d.width, d.height);
    d.brightness_avg = -1.0;
    if gap {
        d.flags |= FrameFlag::DISCONTINUITY;
    }
}
