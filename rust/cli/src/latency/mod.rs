//! `framelane latency`: where the time goes between the sensor and a reader.

mod exposures;
mod feed;
mod stages;
mod text;

use crate::interrupt::Interrupt;
use crate::{lanes, numbers, output, units};
use anyhow::ensure;
use exposures::Exposures;
use feed::{Feed, Frames, Records};
use framelane::monotonic_ns;
use stages::{Arrival, Stages};
use std::process::ExitCode;
use std::time::Duration;

/// How soon a signal or the end of the time is noticed when nothing comes.
const SLICE: Duration = Duration::from_millis(50);

#[derive(clap::Args)]
#[command(after_help = "\
One table at the end: after --duration, or on Ctrl-C. It takes the newest frame each time it wakes,
or every record of a stream. \"woken\" counts only where it slept before; \"received\" is when the
frame is in hand, of a stream when the record is copied.")]
pub struct Args {
    /// Name of the lane, stream or switch
    pub lane: String,
    /// Frame lane or switch that the records of a stream are about: tells when they were captured
    #[arg(long, value_name = "LANE")]
    of: Option<String>,
    /// Seconds to measure [default: until Ctrl-C]
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    duration: Option<Duration>,
    /// Draw the histogram of each stage
    #[arg(long, conflicts_with = "json")]
    histogram: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let found = lanes::find(&args.lane)?;
    ensure!(
        args.of.is_none() || numbers::is_stream(&found.report),
        "--of is for streams; frames say themselves when they were captured"
    );
    let stages = match numbers::is_stream(&found.report) {
        true => {
            let exposures = args.of.as_deref().map(Exposures::of).transpose()?;
            measure(Records::open(&args.lane, exposures)?, args, &interrupt)
        }
        false => measure(Frames::open(&args.lane)?, args, &interrupt),
    };
    let (stages, outcome) = stages?;
    if args.json {
        output::print_json(&stages.summary(&args.lane))?;
    } else {
        output::print(&text::text(&args.lane, &stages, args.histogram))?;
    }
    outcome.map(|()| ExitCode::SUCCESS)
}

/// What was measured, and what ended it: it is shown after a failure all the same.
type Measured = (Stages, anyhow::Result<()>);

fn measure(mut feed: impl Feed, args: &Args, interrupt: &Interrupt) -> anyhow::Result<Measured> {
    let start_ns = monotonic_ns();
    let length = args.duration.map_or(u64::MAX, units::nanoseconds);
    let end_ns = start_ns.saturating_add(length);
    let mut stages = Stages::new(feed.kind())?;
    let mut outcome = Ok(());
    while !interrupt.asked() && outcome.is_ok() {
        let left = end_ns.saturating_sub(monotonic_ns());
        if left == 0 {
            break;
        }
        outcome = one(&mut feed, &mut stages, start_ns, SLICE.min(Duration::from_nanos(left)));
    }
    stages.missed = feed.missed();
    stages.duration_ns = monotonic_ns().saturating_sub(start_ns);
    Ok((stages, outcome.map_err(Into::into)))
}

fn one(
    feed: &mut impl Feed,
    stages: &mut Stages,
    start_ns: u64,
    slice: Duration,
) -> framelane::Result<()> {
    let slept = !feed.is_ready();
    if slept && !feed.wait(slice)? {
        return Ok(());
    }
    let woken_ns = monotonic_ns();
    let Some((epoch, capture, publish_ns, received_ns)) = feed.take()? else { return Ok(()) };
    // What was there before we came would tell its age, not a latency.
    if publish_ns >= start_ns {
        let woken_ns = slept.then_some(woken_ns);
        stages.enter(&Arrival { epoch, capture, publish_ns, woken_ns, received_ns });
    }
    Ok(())
}
