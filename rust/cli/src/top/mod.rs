//! `framelane top`: all lanes and who reads them, again and again.

pub mod look;
mod screen;
mod text;

use crate::interrupt::Interrupt;
use crate::{output, rate, units};
use clap::ValueEnum;
use look::{Lane, Look, Shown};
use screen::Screen;
use std::cmp::Reverse;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How soon a signal is noticed.
const SLICE: Duration = Duration::from_millis(50);
const SHORTEST: Duration = Duration::from_millis(100);

#[derive(clap::Args)]
#[command(after_help = "\
It asks the producers and takes no lease: it costs the lanes nothing. On a terminal it draws over
itself, otherwise tables follow each other. Ctrl-C ends it.")]
pub struct Args {
    /// Only these lanes [default: all]
    #[arg(value_name = "LANE")]
    lanes: Vec<String>,
    /// Seconds between two looks, at least 0.1
    #[arg(long, value_name = "S", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// What stands on top
    #[arg(long, value_enum, value_name = "KEY", default_value_t = Sort::Name)]
    sort: Sort,
    /// Two looks 250 ms apart, one table, and the end
    #[arg(long)]
    once: bool,
    /// Print a JSON object a look, each on a line of its own
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sort {
    Name,
    Fps,
    Lag,
    Missed,
    Held,
    Copied,
}

fn interval(text: &str) -> Result<Duration, String> {
    let interval = units::seconds(text)?;
    if interval < SHORTEST { Err("at least 0.1".to_owned()) } else { Ok(interval) }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let mut before = Look::now(&args.lanes);
    if args.once {
        // While we watch a lane may come and go, but one look alone is about what is there.
        before.refuse_absent(&args.lanes)?;
    }
    let mut screen = Screen::open(!args.once && !args.json);
    let mut pause = rate::LOOK_AGAIN.min(args.interval);
    while wait(pause, &interrupt) {
        let now = Look::now(&args.lanes);
        let mut shown = now.since(&before);
        sort(&mut shown, args.sort);
        let read = match args.json {
            true => output::try_print(&format!("{}\n", serde_json::to_string(&shown)?))?,
            false => screen.show(&text::text(&shown))?,
        };
        if args.once || !read {
            break;
        }
        (before, pause) = (now, args.interval);
    }
    Ok(ExitCode::SUCCESS)
}

/// False when asked to stop.
fn wait(time: Duration, interrupt: &Interrupt) -> bool {
    let end = Instant::now() + time;
    while !interrupt.asked() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(SLICE));
    }
    false
}

/// By name to begin with; figures fall, and lanes without any come last.
fn sort(shown: &mut Shown, by: Sort) {
    let figure = |lane: &Lane| {
        let figures = lane.figures.as_ref()?;
        match by {
            Sort::Name => None,
            Sort::Fps => figures.fps.map(|fps| (fps * 1e3) as u64),
            Sort::Lag => figures.lag,
            Sort::Missed => Some(figures.missed),
            Sort::Held => Some(figures.held.into()),
            Sort::Copied => Some(figures.copied_bytes),
        }
    };
    shown.lanes.sort_by_key(|lane| Reverse(figure(lane)));
}
