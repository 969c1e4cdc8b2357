//! `framelane shmbuf bridge`

use super::{SLICE, Setting, Shmbuf, deadline, is_passed};
use crate::units;
use anyhow::{Context, bail};
use framelane::shmbuf::Receiver;
use framelane::{ErrorKind, FrameLayout, PixelFormat, Producer, ProducerOptions};
use serde::Serialize;
use std::time::Duration;

#[derive(clap::Args)]
#[command(after_help = "\
Each message must be one whole picture, its rows packed; others are counted and left out. It is
copied once, from the ring into the lane.")]
pub struct Args {
    /// Name of the segment, with or without a slash in front
    name: String,
    /// Name of the lane
    #[arg(long)]
    pub lane: String,
    /// nv12, i420, yuyv, rgb24, bgr24 or grey
    #[arg(long, value_parser = PixelFormat::parse)]
    format: PixelFormat,
    /// Width and height
    #[arg(long, value_name = "WxH", value_parser = units::picture_size)]
    size: (u32, u32),
    /// Frames that all readers of the lane together may hold
    #[arg(long, value_name = "N", default_value_t = 8)]
    leases: u32,
    /// Stop after so many frames
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Fail when there is no sender, or no message, for so many seconds [default: wait for ever]
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    timeout: Option<Duration>,
}

#[derive(Serialize)]
struct Summary<'a> {
    name: &'a str,
    lane: &'a str,
    published: u64,
    /// Messages that were no picture of this size.
    other_size: u64,
    /// Pictures given up because every slot was held.
    no_free_slot: u64,
    /// Senders after the first.
    restarts: u64,
    elapsed_ns: u64,
}

/// What came of a message.
#[derive(Default)]
struct Counts {
    published: u64,
    other_size: u64,
    no_free_slot: u64,
}

pub fn run(args: &Args, setting: &Setting<'_>) -> anyhow::Result<()> {
    let layout = FrameLayout::new(args.format, args.size.0, args.size.1)?;
    let options = ProducerOptions::new().layout(layout).lease_budget(args.leases);
    let producer = Producer::create(&args.lane, options)?;
    let mut counts = Counts::default();
    let mut restarts = 0;
    if let Some(mut receiver) = setting.open(&args.name, true, deadline(args.timeout))? {
        while args.count.is_none_or(|count| counts.published < count) {
            let Some(bytes) = next(args, setting, &mut receiver)? else { break };
            pass_on(&mut receiver, &producer, bytes, layout.total_bytes as usize, &mut counts)?;
        }
        restarts = receiver.restarts();
    }
    let Counts { published, other_size, no_free_slot } = counts;
    let (name, lane) = (&*args.name, &*args.lane);
    let elapsed_ns = setting.elapsed_ns();
    let summary = Summary { name, lane, published, other_size, no_free_slot, restarts, elapsed_ns };
    let text = format!(
        "{name} to lane {lane}: {published} frames, {other_size} messages of another size, \
         {no_free_slot} without a free slot"
    );
    setting.tell(&summary, &text)
}

/// Size of the next message; None when interrupted.
fn next(
    args: &Args,
    setting: &Setting<'_>,
    receiver: &mut Receiver,
) -> anyhow::Result<Option<usize>> {
    let until = deadline(args.timeout);
    loop {
        if setting.interrupt.asked() {
            return Ok(None);
        }
        if let Some(bytes) = receiver.wait(SLICE).context(Shmbuf)? {
            return Ok(Some(bytes));
        }
        if is_passed(until) {
            bail!("shmbuf {} has had no message for the given time", args.name);
        }
    }
}

/// Copies a picture from the ring to where the lane's readers see it.
fn pass_on(
    receiver: &mut Receiver,
    producer: &Producer,
    bytes: usize,
    picture: usize,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    if bytes != picture {
        counts.other_size += 1;
        receiver.skip().context(Shmbuf)?;
        return Ok(());
    }
    match producer.claim() {
        Ok(mut frame) => {
            if receiver.try_recv_into(&mut frame.payload_mut()[..picture])? == Some(picture) {
                frame.publish()?;
                counts.published += 1;
            }
        }
        Err(error) if error.kind() == ErrorKind::NoFreeSlot => {
            counts.no_free_slot += 1;
            receiver.skip().context(Shmbuf)?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(())
}
