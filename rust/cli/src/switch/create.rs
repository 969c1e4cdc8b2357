//! `framelane switch create`

use crate::interrupt::Interrupt;
use crate::metrics::{self, Watched};
use crate::{notify, output, units};
use clap::ValueEnum;
use framelane::{Access, SwitchController, SwitchControllerOptions};
use framelane_camera::hb_vio::Readers;
use framelane_camera::switching::{self, Brightness, Thresholds};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Duration;

/// How soon a signal or the end of the time is noticed.
const SLICE: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
With --policy brightness the first lane is the day camera and the second the night camera: what the
day camera's frames say of their brightness decides between the two, whichever is shown. A choice by
`framelane switch select` stands against the policy until `framelane switch select NAME auto`.")]
pub struct Args {
    /// Name of the switch
    pub name: String,
    /// Names of the lanes that stand behind it; they need not be there yet
    #[arg(required = true, value_name = "LANE")]
    lanes: Vec<String>,
    /// Who chooses
    #[arg(long, value_enum, default_value_t = Policy::Manual)]
    policy: Policy,
    /// Index of the lane that is active first
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    active: usize,
    /// Stop after so many seconds
    #[arg(long, value_name = "S", value_parser = units::seconds)]
    duration: Option<Duration>,
    /// Let a group follow the switch, by name or number
    #[arg(long, value_name = "GROUP", value_parser = units::group, conflicts_with = "everyone")]
    group: Option<u32>,
    /// Let every user follow the switch; only its own user and root select
    #[arg(long)]
    everyone: bool,
    #[command(flatten)]
    brightness: BrightnessArgs,
    #[command(flatten)]
    metrics: metrics::Options,
}

/// When the policy switches.
#[derive(clap::Args)]
#[command(next_help_heading = "Brightness")]
struct BrightnessArgs {
    /// Mean luma below which it is dark, 0 to 255
    #[arg(long, value_name = "LUMA", default_value_t = 50.0)]
    dark_below: f32,
    /// Mean luma above which it is bright
    #[arg(long, value_name = "LUMA", default_value_t = 60.0)]
    bright_above: f32,
    /// Seconds it has to be dark
    #[arg(long, value_name = "S", default_value = "0.5", value_parser = units::seconds)]
    dark_for: Duration,
    /// Seconds it has to be bright
    #[arg(long, value_name = "S", default_value = "3", value_parser = units::seconds)]
    bright_for: Duration,
    /// Frames after the day camera's start that do not count
    #[arg(long, value_name = "FRAMES", default_value_t = 15)]
    warm_up: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Policy {
    /// Nobody but `framelane switch select`
    Manual,
    /// Day or night camera by the brightness that the day camera sees
    Brightness,
}

/// What the run came to.
#[derive(Serialize)]
struct Summary<'a> {
    switch: &'a str,
    directory: String,
    epoch: String,
    lanes: &'a [String],
    active: usize,
    active_lane: &'a str,
    switch_epoch: u64,
    switches: u64,
    elapsed_ns: u64,
}

pub fn run(args: &Args, json: bool) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let policy = args.policy()?;
    let lanes: Vec<&str> = args.lanes.iter().map(String::as_str).collect();
    let options = SwitchControllerOptions::new().active(args.active).access(args.access());
    let controller = SwitchController::create(&args.name, &lanes, options)?;
    let _metrics = args.metrics.serve(Watched::lane(&args.name, controller.directory()))?;
    tracing::info!(
        "switch {} is open in {}: {} is active of {}",
        args.name,
        controller.directory().display(),
        lanes[controller.active()],
        lanes.join(", ")
    );
    notify::ready();
    let span = interrupt.within(args.duration);
    let stop = || span.is_over();
    match policy {
        Some(policy) => switching::follow(&controller, policy, None, &stop)?,
        None => rest(&controller, &stop)?,
    }
    let summary = summary(&controller, span.elapsed_ns());
    output::summary(json, &summary, &text(&summary))?;
    Ok(ExitCode::SUCCESS)
}

/// The service thread of the controller does all there is to do; what it did goes to the log.
fn rest(controller: &SwitchController, stop: &dyn Fn() -> bool) -> framelane::Result<()> {
    let mut epoch = controller.switch_epoch();
    while !stop() {
        let now = controller.wait_switched(epoch, SLICE)?;
        if now != epoch {
            epoch = now;
            tracing::info!(lane = controller.lanes()[controller.active()], "switched");
        }
    }
    Ok(())
}

impl Args {
    fn policy(&self) -> framelane::Result<Option<Brightness>> {
        if self.policy == Policy::Manual {
            return Ok(None);
        }
        let BrightnessArgs { dark_below, bright_above, dark_for, bright_for, warm_up } =
            self.brightness;
        let thresholds =
            Thresholds { dark_below, bright_above, dark_for, bright_for, warm_up_frames: warm_up };
        if self.lanes.len() < 2 {
            let text = "the policy needs a day and a night camera: name two lanes";
            return Err(framelane::Error::new(framelane::ErrorKind::InvalidArgument, text));
        }
        Brightness::new(thresholds, 0, 1).map(Some)
    }

    fn access(&self) -> Access {
        Readers { group: self.group, everyone: self.everyone, ..Readers::default() }.access()
    }
}

fn summary(controller: &SwitchController, elapsed_ns: u64) -> Summary<'_> {
    let active = controller.active();
    Summary {
        switch: controller.name(),
        directory: controller.directory().display().to_string(),
        epoch: crate::numbers::id(controller.epoch()),
        lanes: controller.lanes(),
        active,
        active_lane: &controller.lanes()[active],
        switch_epoch: controller.switch_epoch(),
        switches: controller.report().switch_report.switches,
        elapsed_ns,
    }
}

fn text(summary: &Summary<'_>) -> String {
    format!(
        "{}: {} in {}; {} is active\n",
        summary.switch,
        units::count(summary.switches, "switch").replace("switchs", "switches"),
        units::time(summary.elapsed_ns),
        summary.active_lane
    )
}
