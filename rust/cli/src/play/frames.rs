//! A clip of raw pictures into a frame lane.

use super::{Args, Summary};
use crate::failure::Usage;
use crate::interrupt::Interrupt;
use framelane::{Producer, ProducerOptions};
use framelane_camera::pace::Monotonic;
use framelane_camera::pump::{self, PumpOptions};
use framelane_camera::y4m::Y4m;
use framelane_camera::{FrameSource, Rate};

/// As fast as a rate can be.
const AT_ONCE: (u32, u32) = (1_000_000, 1);

pub fn play<'a>(args: &'a Args, interrupt: &Interrupt) -> anyhow::Result<Summary<'a>> {
    if args.ring.is_some() {
        return Err(Usage("--ring is for video: a frame lane has none".into()).into());
    }
    let mut clip = Y4m::open(&args.file, args.format, None)?;
    let layout = clip.info().layout;
    let options = ProducerOptions::new().layout(layout).lease_budget(8).lossless(args.lossless);
    let producer = Producer::create(&args.lane, options)?;
    super::wait_for_readers(args, interrupt, &|| producer.consumers());
    let whole = clip.pictures() as u64;
    let once = if args.again { None } else { Some(whole) };
    let pictures = args.frames.map_or(once, |enough| Some(once.unwrap_or(enough).min(enough)));
    let rate = rate(clip.info().rate, args)?;
    let options = PumpOptions { rate, camera_id: 0, pictures, lossless: args.lossless };
    let stop = || interrupt.asked();
    let stats = pump::run(&mut clip, &producer, &options, Monotonic, &stop)?;
    super::drain(args, interrupt, &|| producer.report());
    Ok(Summary {
        file: args.file.display().to_string(),
        lane: &args.lane,
        codec: "raw".into(),
        width: layout.width,
        height: layout.height,
        records: stats.published,
        bytes: stats.published.saturating_mul(layout.total_bytes),
        loops: stats.published.saturating_sub(1) / whole,
        elapsed_ns: 0,
        cut: None,
    })
}

fn rate(own: Rate, args: &Args) -> framelane::Result<Rate> {
    if args.lossless {
        return Rate::new(AT_ONCE.0, AT_ONCE.1);
    }
    if args.speed == 1.0 {
        return Ok(own);
    }
    // To a thousandth of a picture a second.
    let fast = f64::from(own.frames()) / f64::from(own.seconds()) * args.speed * 1000.0;
    Rate::new(fast.round().min(f64::from(u32::MAX)) as u32, 1000)
}
