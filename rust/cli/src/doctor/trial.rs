//! A lane made, read and ended in a directory of its own: whatever the single checks overlook
//! shows here.

use super::Finding;
use crate::lanes::ANSWER;
use crate::numbers;
use anyhow::{Context, Result, ensure};
use framelane::layout::{BellKind, Liveness};
use framelane::{
    Consumer, ConsumerOptions, FrameLayout, Mode, PixelFormat, Producer, ProducerOptions,
};
use std::time::Duration;

const LANE: &str = "doctor";

pub fn look() -> Vec<Finding> {
    match run() {
        Ok((liveness, bell)) => vec![
            Finding::ok("trial", format!("a lane was made, written and read; {bell} bell")),
            told(liveness),
        ],
        Err(error) => vec![Finding::bad(
            "trial",
            format!("a lane could not be made and read: {error:#}"),
            "FRAMELANE_LOG=debug framelane doctor    (shows the steps)",
        )],
    }
}

/// How a producer here notices that a consumer died, and how it wakes one.
fn run() -> Result<(Option<Liveness>, &'static str)> {
    let place = tempfile::tempdir().context("making a directory for it")?;
    let directory = Some(place.path().to_owned());
    let layout = FrameLayout::new(PixelFormat::Grey, 64, 48)?;
    let options = ProducerOptions::new().layout(layout).directory(directory.clone());
    let producer = Producer::create(LANE, options)?;
    let mut consumer =
        Consumer::open(LANE, ConsumerOptions::new(Mode::Latest).directory(directory))?;
    let mut frame = producer.claim()?;
    frame.plane_mut(0)?.fill(77);
    frame.publish()?;
    let frame = consumer.next(Duration::from_secs(2))?.context("the frame did not arrive")?;
    ensure!(frame.plane(0)?.iter().all(|&sample| sample == 77), "the frame arrived changed");
    let report = framelane::query(LANE, Some(place.path()), ANSWER)?;
    let reader = numbers::consumers(&report).first().context("the reader is not reported")?;
    let bell = BellKind::from_number(reader.bell).map_or("an unknown", BellKind::name);
    Ok((Liveness::from_number(reader.liveness), bell))
}

fn told(liveness: Option<Liveness>) -> Finding {
    match liveness {
        Some(Liveness::PeerPidfd) => {
            Finding::ok("liveness", "dead peers are noticed by socket and pidfd (SO_PEERPIDFD)")
        }
        Some(Liveness::Pidfd) => {
            Finding::ok("liveness", "dead peers are noticed by socket and pidfd (pidfd_open)")
        }
        Some(Liveness::Socket) | None => Finding::warn(
            "liveness",
            "dead peers are noticed by their socket alone: a child that inherited it hides a death",
            "run a kernel of 5.3 or newer, or allow pidfd_open in the sandbox (seccomp)",
        ),
    }
}
