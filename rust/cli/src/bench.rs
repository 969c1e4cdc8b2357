//! `framelane bench`: what a hand-off costs on this machine.
//!
//! One process plays both sides, so the figures are those of the library alone. The comparison
//! with other ways to hand frames over, between processes, is `cargo xtask bench`.

use crate::table::Table;
use crate::{output, units};
use clap::Args as Arguments;
use framelane::{
    Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
    monotonic_ns,
};
use serde_json::json;
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// Frames of one batch; the figure of a batch is its mean.
const BATCH: u64 = 20_000;

#[derive(Arguments)]
pub struct Args {
    /// Batches of each figure; the median batch is shown
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u32).range(1..=1000))]
    batches: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One line of the table.
struct Figure {
    picture: &'static str,
    consumers: u32,
    hand_off_ns: f64,
    wake_up_ns: u64,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let place = tempfile::tempdir()?;
    let clock_ns = median((0..args.batches).map(|_| batch(|| _ = black_box(monotonic_ns()))));
    let mut figures = Vec::new();
    for (picture, width, height) in
        [("640x480", 640, 480), ("1920x1080", 1920, 1080), ("3840x2160", 3840, 2160)]
    {
        let layout = FrameLayout::new(PixelFormat::Nv12, width, height)?;
        for consumers in [1, 4] {
            figures.push(Figure {
                picture,
                consumers,
                hand_off_ns: hand_off(place.path(), layout, consumers, args.batches)?,
                wake_up_ns: wake_up(place.path(), layout)?,
            });
        }
    }
    if args.json {
        output::print_json(&as_json(clock_ns, &figures))?;
    } else {
        output::print(&as_text(clock_ns, &figures))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Claim, describe, publish; borrow and release by each consumer. The payload is not touched.
fn hand_off(
    place: &Path,
    layout: FrameLayout,
    consumers: u32,
    batches: u32,
) -> anyhow::Result<f64> {
    let (producer, mut readers) = lane(place, layout, consumers)?;
    let mut number = 0;
    let mut once = || -> framelane::Result<()> {
        let mut frame = producer.claim()?;
        number += 1;
        frame.descriptor_mut().capture_id = number;
        frame.publish()?;
        for reader in &mut readers {
            black_box(reader.try_next()?.map(|frame| frame.sequence()));
        }
        Ok(())
    };
    once()?;
    Ok(median((0..batches).map(|_| batch(|| once().expect("the first one worked")))))
}

/// From publication to the moment a sleeping reader of another thread has the frame.
fn wake_up(place: &Path, layout: FrameLayout) -> anyhow::Result<u64> {
    const FRAMES: usize = 60;
    let (producer, mut readers) = lane(place, layout, 1)?;
    let mut reader = readers.remove(0);
    let sleeper = std::thread::spawn(move || -> framelane::Result<Vec<u64>> {
        let mut waited = Vec::with_capacity(FRAMES);
        while waited.len() < FRAMES {
            let Some(frame) = reader.next(Duration::from_secs(5))? else { break };
            waited.push(monotonic_ns().saturating_sub(frame.descriptor().publish_ns));
        }
        Ok(waited)
    });
    while !sleeper.is_finished() {
        std::thread::sleep(Duration::from_millis(4));
        producer.claim()?.publish()?;
    }
    let mut waited = sleeper.join().expect("the sleeper does not panic")?;
    waited.sort_unstable();
    Ok(waited.get(waited.len() / 2).copied().unwrap_or(0))
}

fn lane(
    place: &Path,
    layout: FrameLayout,
    consumers: u32,
) -> anyhow::Result<(Producer, Vec<Consumer>)> {
    let here = Some(place.to_owned());
    let options = ProducerOptions::new().layout(layout).lease_budget(consumers);
    let producer = Producer::create("bench", options.directory(here.clone()))?;
    let open =
        |_| Consumer::open("bench", ConsumerOptions::new(Mode::Latest).directory(here.clone()));
    let readers = (0..consumers).map(open).collect::<framelane::Result<_>>()?;
    Ok((producer, readers))
}

fn batch(mut once: impl FnMut()) -> f64 {
    let start = monotonic_ns();
    (0..BATCH).for_each(|_| once());
    (monotonic_ns() - start) as f64 / BATCH as f64
}

fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn as_text(clock_ns: f64, figures: &[Figure]) -> String {
    let mut table = Table::new(&["PICTURE", "CONSUMERS", "HAND-OFF", "LESS TIME STAMP", "WAKE-UP"]);
    for figure in figures {
        table.row([
            figure.picture.into(),
            figure.consumers.to_string(),
            format!("{:.0} ns", figure.hand_off_ns),
            format!("{:.0} ns", figure.hand_off_ns - clock_ns),
            units::time(figure.wake_up_ns),
        ]);
    }
    let note = "Hand-off: claim, describe, publish, and each consumer's borrow and release, in one \
                thread.\nWake-up: publication to a sleeping reader of another thread, at 250 \
                frames a second.\nMedians. `cargo xtask bench` compares with other ways to hand \
                frames over.\n";
    format!("{}\n{note}", table.render())
}

fn as_json(clock_ns: f64, figures: &[Figure]) -> serde_json::Value {
    let rows: Vec<_> = figures
        .iter()
        .map(|figure| {
            json!({
                "picture": figure.picture,
                "consumers": figure.consumers,
                "hand_off_ns": figure.hand_off_ns,
                "wake_up_ns": figure.wake_up_ns,
            })
        })
        .collect();
    json!({ "time_stamp_ns": clock_ns, "figures": rows })
}
