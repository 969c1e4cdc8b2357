//! `framelane camera --source hb_vio`: the cameras of an RDK X5.

use super::Args;
use crate::interrupt::Interrupt;
use crate::metrics::Watched;
use crate::{notify, output, units};
use framelane_camera::hb_vio::{Cameras, Config, Places, Stats};
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// What the run came to.
#[derive(Serialize)]
struct Summary {
    source: &'static str,
    elapsed_ns: u64,
    #[serde(flatten)]
    stats: Stats,
}

pub fn run(args: &Args, config: &Path, interrupt: &Interrupt) -> anyhow::Result<ExitCode> {
    let config = Config::read(config)?;
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    let cameras = Cameras::open(&config, &Places::default())?;
    let _metrics = args.metrics.serve(Watched::Own)?;
    notify::ready();
    let stats = cameras.run(&stop)?;
    let summary = Summary { source: "hb_vio", elapsed_ns: span.elapsed_ns(), stats };
    output::summary(args.json, &summary, &text(&summary)?)?;
    Ok(ExitCode::SUCCESS)
}

fn text(summary: &Summary) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    for camera in &summary.stats.cameras {
        let (id, restarts) = (camera.camera_id, camera.restarts);
        let time = units::time(summary.elapsed_ns);
        writeln!(text, "camera {id}: {time}, started again {restarts} times")?;
        for channel in &camera.channels {
            writeln!(
                text,
                "  {}: {}, {} frames, {} starved, {} revoked, {} copied",
                channel.lane,
                channel.transport,
                channel.published,
                channel.starved,
                channel.revoked,
                units::size(channel.copied_bytes)
            )?;
        }
    }
    for switch in &summary.stats.switches {
        let (name, lane, switched) = (&switch.switch, &switch.active, switch.switched);
        writeln!(text, "{name}: {lane} active in the end, switched {switched} times")?;
    }
    Ok(text)
}
