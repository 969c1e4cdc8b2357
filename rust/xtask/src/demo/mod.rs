//! `cargo xtask demo`: the main job on real input. One camera process plays a clip into a lane,
//! four consumer processes and one in each language read it in place; one of them is killed and one
//! restarted on the way. Beside it two cameras of an RDK X5 run on the stand-in, behind switches.

mod cameras;
pub(crate) mod child;
mod report;
mod stage;

use crate::counts::Counts;
use anyhow::Result;
use cameras::Cameras;
use child::Running;
use report::{Evidence, judge, print};
use stage::{Stage, TOUR};
use std::fs;
use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

/// How to run the demo.
#[derive(clap::Args)]
pub struct Options {
    /// How long the clip is played
    #[arg(long, value_name = "N", default_value_t = 10)]
    #[arg(value_parser = clap::value_parser!(u64).range(4..))]
    seconds: u64,
    /// Keep the private runtime directory
    #[arg(long)]
    keep: bool,
}

/// Runs the demo; whether all it promises held.
pub fn run(options: &Options) -> Result<bool> {
    Ok(play(Duration::from_secs(options.seconds), options.keep)?.failed == 0)
}

/// The demo as a test: each promise counts as one.
pub fn tier() -> Result<Counts> {
    play(Duration::from_secs(6), false)
}

fn play(time: Duration, keep: bool) -> Result<Counts> {
    let stage = Stage::build(keep)?;
    let evidence = perform(&stage, time)?;
    let verdicts = judge(&evidence);
    println!("\n{}", print(&evidence, &verdicts));
    println!("snapshot: {}", stage.snapshot().display());
    let mut counts = Counts::default();
    for verdict in &verdicts {
        counts += if verdict.against.is_empty() { Counts::PASSED } else { Counts::FAILED };
    }
    Ok(counts)
}

/// The play: consumers come before the camera, for the order of starting must not matter.
fn perform(stage: &Stage, time: Duration) -> Result<Evidence> {
    let start = Instant::now();
    let newest = stage.consumer("newest", "latest")?;
    let every = stage.consumer("every", "ordered")?;
    let camera = stage.camera()?;
    let languages = stage.languages()?;
    let cameras = stage.cameras()?;
    let killed = stage.consumer(report::KILLED, "latest")?;
    let restarted = stage.consumer("restarted", "ordered")?;
    let mut running = vec![newest, every, killed, restarted];
    let mut ended = Vec::new();

    watch_until(start + time.mul_f64(0.35), &camera, &running, &languages, &cameras)?;
    stage.wait_for_frames(running.iter().chain(&languages).chain(cameras.readers()))?;
    stage.board().light(20)?;
    ended.push(running.pop().expect("the last one started").stop()?);
    watch_until(start + time.mul_f64(0.5), &camera, &running, &languages, &cameras)?;
    ended.push(running.pop().expect("the one before").kill()?);
    watch_until(start + time.mul_f64(0.6), &camera, &running, &languages, &cameras)?;
    running.push(stage.consumer("again", "ordered")?);
    stage.wait_for_epochs(&cameras, 2)?;
    stage.board().light(100)?;
    watch_until(start + time.mul_f64(0.8), &camera, &running, &languages, &cameras)?;
    stage.take_snapshot()?;
    watch_until(start + time, &camera, &running, &languages, &cameras)?;

    stage.wait_for_epochs(&cameras, 3)?;
    // A killed consumer's slots come back at once, but nobody's clock is tested here.
    let attached = (running.len() + languages.len()) as u64;
    let lane = stage.wait_for_lane(&running[1], attached)?;
    for consumer in running {
        ended.push(consumer.stop()?);
    }
    let languages = languages.into_iter().map(Running::stop).collect::<Result<_>>()?;
    let camera = camera.stop()?;
    let cameras = cameras.stop(stage.board())?;
    let snapshot = fs::read(stage.snapshot())?;
    let (consumers, elapsed) = (ended, start.elapsed());
    Ok(Evidence { camera, consumers, languages, lane, cameras, attached, snapshot, elapsed })
}

/// Shows how it goes until `end`. Fails if a process is gone that should be there.
fn watch_until(
    end: Instant,
    camera: &Running,
    consumers: &[Running],
    languages: &[Running],
    cameras: &Cameras,
) -> Result<()> {
    let live = stdout().is_terminal();
    while Instant::now() < end {
        crate::interrupt::check()?;
        for process in consumers.iter().chain(languages).chain([camera]).chain(cameras.all()) {
            if process.is_gone() {
                anyhow::bail!("{} has ended by itself", process.name());
            }
        }
        if live {
            print!("\r\u{1b}[K{}", status(consumers, languages, cameras));
            stdout().flush()?;
        }
        std::thread::sleep(TOUR);
    }
    if live {
        print!("\r\u{1b}[K");
    }
    println!("{}", status(consumers, languages, cameras));
    Ok(())
}

fn status(consumers: &[Running], languages: &[Running], cameras: &Cameras) -> String {
    let part = |consumer: &Running| {
        let figures = consumer.figures();
        let figure = |name: &str| figures[name].as_u64().unwrap_or(0);
        let (frames, missed, torn) = (figure("received"), figure("missed"), figure("torn"));
        format!("{} {frames} frames, {missed} missed, {torn} torn", consumer.name())
    };
    let short = |reader: &Running| {
        format!("{} {}", reader.name(), reader.figures()["received"].as_u64().unwrap_or(0))
    };
    let parts =
        consumers.iter().map(part).chain(languages.iter().chain(cameras.readers()).map(short));
    parts.collect::<Vec<_>>().join(" | ")
}
